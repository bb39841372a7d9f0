"""The embedded MQTT broker: Mosquitto where it is installed, else aMQTT from the packages; both speak MQTT 3.1.1 here.

It listens on 127.0.0.1 only and lets in everybody there, as the embedded Kafka does. Neither is trusted to keep
anything over a kill: aMQTT keeps messages in memory only, Mosquitto writes what it keeps once a second.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Literal

import psutil

from indutech.system import ports, supervisor
from indutech.system.errors import InduTechError
from indutech.system.state_files import write_json

Program = Literal["mosquitto", "amqtt"]

STATE = "server.json"  # which process it is
LARGEST_LOG_BYTES = 5_000_000
_MARK = "settings.json"
_STOPS_WITHIN_S = 3.0
_ELSEWHERE = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # where a user's PATH may not lead
_MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_inflight_messages 100
max_queued_messages 10000
log_type error
log_type warning
log_type notice
"""
# As JSON, which is YAML too. Without a list of plugins it would log every packet and let nobody in.
_AMQTT = {
    "listeners": {"default": {"type": "tcp"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}


class MqttNotReady(InduTechError):
    """No MQTT broker answers."""


def mosquitto() -> str | None:
    """Return the Mosquitto of this machine, if it has one."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_ELSEWHERE))


def program(folder: Path) -> Program:
    """Return which of the two runs, or will run, in this folder."""
    return _known(folder).get("program") or ("mosquitto" if mosquitto() else "amqtt")


def prepare(folder: Path, *, new_ports: bool) -> None:
    """Write what the broker reads; the port stays the same if it can."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder)
    [port] = ports.as_last_time([] if new_ports else [known["port"]] if known else [], 1)
    write_json(folder / _MARK, {"port": port, "program": "mosquitto" if mosquitto() else "amqtt"})
    (folder / "mosquitto.conf").write_text(_MOSQUITTO.format(port=port, folder=folder), "utf-8")
    listening = {**_AMQTT, "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}}
    (folder / "amqtt.yaml").write_text(json.dumps(listening), "utf-8")
    if (log := log_file(folder)).exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".previous.log"))


def launch(folder: Path) -> None:
    """Start the broker under a supervisor; returns at once."""
    if program(folder) == "mosquitto":
        command = [str(mosquitto()), "-c", str(folder / "mosquitto.conf")]
    else:
        command = [sys.executable, "-P", "-m", "amqtt.scripts.broker_script", "-c", str(folder / "amqtt.yaml")]
    how: Any = {"state": STATE, "mark": _MARK, "env": dict(os.environ), "log": log_file(folder)}
    if not supervisor.launch(folder, command, **how, stops_within_s=_STOPS_WITHIN_S):
        raise MqttNotReady(f"The MQTT broker in {folder} is being stopped by somebody else: try again.")


def port_of(folder: Path) -> int:
    """Return the port of this folder's broker."""
    return int(_known(folder)["port"])


def log_file(folder: Path) -> Path:
    """Return where the broker writes what it does."""
    return folder / "server.log"


def kill_orphan(folder: Path) -> None:
    """Kill a broker whose supervisor was killed, if that process is still the broker of this folder."""
    for pid in supervisor.pids_of(folder, STATE):
        with contextlib.suppress(psutil.Error, OSError):
            found = psutil.Process(pid)
            if any(str(folder) in word for word in found.cmdline()):
                found.kill()
                found.wait(10)


def _known(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _MARK).read_text("utf-8")))
    except FileNotFoundError:
        return {}
