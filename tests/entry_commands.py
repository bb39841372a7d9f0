"""Runs the commands of the containers as docker-compose.yml has them, in a folder like the image's, without a network.

Started by `test_entry_commands` as `python entry_commands.py FOLDER SERVICES.json`; prints one JSON object.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WELL_WITHIN_S = 150
STOPPED_WITHIN_S = 60


def loopback_up() -> None:
    """Bring up the one interface that a fresh network namespace has; without rights there is nothing to do."""
    with socket.socket() as any_socket, contextlib.suppress(OSError):
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING


def wait_until(happened: Callable[[], bool], seconds: float, what: Callable[[], str], looks_every_s: float) -> None:
    """Wait, with a deadline; `what` is asked for when it has passed."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s: {what()}")
        time.sleep(looks_every_s)


class Parts:
    """The services as processes: each writes what it prints into a file."""

    def __init__(self, folder: Path, services: dict[str, Any], address: str) -> None:
        self.folder, self.services, self.address = folder, services, address
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, name: str) -> dict[str, str]:
        """Return the service's own variables; the broker is where it is here."""
        return {**os.environ, **self.services[name]["environment"], "KAFKA_BOOTSTRAP_SERVERS": self.address}

    def start(self, name: str) -> None:
        """Start a service with its command."""
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                self.services[name]["command"], cwd=self.folder, env=self.environment(name), stdout=log, stderr=log
            )

    def log(self, name: str) -> Path:
        """Return where it prints."""
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        """Return what it printed."""
        return self.log(name).read_text()

    def is_well(self, name: str) -> bool:
        """Run the service's health check."""
        check = self.services[name]["healthcheck"]["test"]
        assert check[0] == "CMD"
        return not subprocess.run(
            check[1:], cwd=self.folder, env=self.environment(name), capture_output=True, check=False
        ).returncode

    def answer(self, name: str, *command: str) -> str:
        """Return what a command prints in the environment of this service."""
        ran = subprocess.run(command, cwd=self.folder, env=self.environment(name), capture_output=True, check=False)
        return ran.stdout.decode()

    def stop(self, name: str) -> int:
        """Stop it as Docker does, and return its exit code."""
        self.running[name].send_signal(signal.SIGTERM)
        return self.running[name].wait(STOPPED_WITHIN_S)


def run(folder: Path, services: dict[str, Any]) -> dict[str, Any]:
    """Start, look and stop everything; return what was seen."""
    here = {**os.environ, "INDUTECH_DATA_DIR": str(folder / "data_output" / "broker here")}
    subprocess.run(["indutech", "broker", "start"], cwd=folder, env=here, check=True, capture_output=True)  # noqa: S607
    try:
        told = subprocess.run(
            ["indutech", "broker", "status", "--json"],  # noqa: S607
            cwd=folder,
            env=here,
            check=True,
            capture_output=True,
        )
        parts = Parts(folder, services, json.loads(told.stdout)["bootstrap_servers"])
        parts.start("topic")
        seen: dict[str, Any] = {"topic": parts.running["topic"].wait(60)}
        together = ["producer", "stream", "monitor", "jupyter"]
        seen["well before"] = [name for name in ("producer", "stream", "jupyter") if parts.is_well(name)]
        try:
            for name in together:
                parts.start(name)
            for name in together:
                wait_until(
                    lambda name=name: parts.is_well(name),
                    WELL_WITHIN_S,
                    lambda name=name: f"{name}: {parts.said(name)}",
                    looks_every_s=2,  # each look is a process, and takes its share of what it waits for
                )
            wait_until(
                lambda: " stored" in parts.said("monitor") and ", 0 stored" not in parts.said("monitor")[-90:],
                WELL_WITHIN_S,
                lambda: f"no ticket arrives: {parts.said('monitor')}{parts.said('stream')}",
                looks_every_s=0.2,
            )
            parts.start("report")
            wait_until(
                lambda: "01_architecture" in parts.said("report"), WELL_WITHIN_S, lambda: parts.said("report"), 0.2
            )
        finally:
            seen["stopped"] = {name: parts.stop(name) for name in parts.running if name != "topic"}
        seen["well after"] = [name for name in ("producer", "stream", "jupyter") if parts.is_well(name)]
        seen["proof"] = json.loads(parts.answer("stream", "indutech", "reconcile", "--json"))
        seen["said"] = {name: parts.said(name)[-2000:] for name in parts.running}
        return seen
    finally:
        subprocess.run(["indutech", "broker", "stop"], cwd=folder, env=here, check=False, capture_output=True)  # noqa: S607


if __name__ == "__main__":
    loopback_up()
    print(json.dumps(run(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))))
