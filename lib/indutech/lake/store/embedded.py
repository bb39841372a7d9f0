"""The embedded S3 server: SeaweedFS in one process, for lakes of this machine, with keys that it makes itself.

It listens on 127.0.0.1 only, sends no telemetry, and has neither a console nor any of the other services of its
program. It knows three keys: one that makes the bucket, the `writer` of that bucket, and a `reader` that may only list
and read it.
"""

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import psutil

from indutech.lake.store.bucket import StoreNotReady
from indutech.lake.store.key import Key, write_profile
from indutech.system import ports, supervisor

STATE = "server.json"  # which process the server is
LARGEST_LOG_BYTES = 5_000_000
MEMORY_LIMIT = "256MiB"  # Go collects garbage before it takes more; without it memory grows for hours
_MARK = "data/vol_dir.uuid"  # its own mark of a folder with data
_SETTINGS = "settings.json"
_IDENTITIES = "identities.json"
_STOPS_WITHIN_S = 0.5
_SERVICES = ("master", "volume", "filer", "admin", "s3")


def prepare(folder: Path, bucket: str, *, new_ports: bool) -> None:
    """Write what the server reads: ports that stay the same if they can, keys that always do."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    remove_sockets(folder)
    known = _known(folder)
    chosen = ports.as_last_time([] if new_ports else known.get("ports", []), 2 * len(_SERVICES))
    rights = {
        "admin": ["Admin"],  # only to make the bucket
        "writer": [f"{what}:{bucket}" for what in ("Read", "Write", "List")],
        "reader": [f"{what}:{bucket}" for what in ("Read", "List")],
    }
    keys = known.get("keys") or {who: [_random(20), _random(40)] for who in rights}
    _write_secretly(folder / _SETTINGS, {"ports": chosen, "keys": keys, "bucket": bucket})
    identities = [
        {"name": who, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": rights[who]}
        for who, (key, secret) in keys.items()
    ]
    _write_secretly(folder / _IDENTITIES, {"identities": identities})
    log = log_file(folder)
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".previous.log"))


def launch(folder: Path) -> None:
    """Start the server under a supervisor; returns at once."""
    command = _command(folder, "127.0.0.1")
    environment = {"GOMEMLIMIT": MEMORY_LIMIT, **os.environ}
    how: Any = {"state": STATE, "mark": _MARK, "env": environment, "log": log_file(folder)}
    # What it acknowledged is with the system; told to stop, it waits 15 s for clients of its own.
    if not supervisor.launch(folder, command, **how, stops_within_s=_STOPS_WITHIN_S):
        raise StoreNotReady(f"The S3 server in {folder} is being stopped by somebody else: try again.")


def server(folder: Path, bucket: str, host: str, port: int) -> Callable[[], NoReturn]:
    """Return what turns this process into a server for other machines, with this bucket; it ends by a signal.

    The keys of a writer and of a reader stand beside its data, as files that AWS_SHARED_CREDENTIALS_FILE can name.

    Raises:
        StoreNotReady: it cannot listen there, or the packages bring no server for this machine.
    """
    if reason := ports.refusal(host, port):
        raise StoreNotReady(
            f"No S3 server can listen at {host}:{port} ({reason}): name another --port, or a --host of this machine."
        )
    prepare(folder, bucket, new_ports=False)
    for who in ("writer", "reader"):
        write_profile(folder / f"{who}.credentials", key(folder, who))
    command = _command(folder, host, f"-bucket={bucket}", s3_port=port)

    def become() -> NoReturn:
        log = os.open(log_file(folder), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        os.chdir(folder)
        os.execv(command[0], command)  # noqa: S606

    return become


def program() -> Path:
    """Return the server's program, which is installed beside Python.

    Raises:
        StoreNotReady: it is not installed.
    """
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        raise StoreNotReady(
            "The packages bring no S3 server for this machine: name one with INDUTECH_S3_ENDPOINT, or use a folder."
        )
    return weed


def endpoint(folder: Path) -> str:
    """Return where the server of this folder listens."""
    return f"http://127.0.0.1:{_known(folder)['ports'][2 * _SERVICES.index('s3')]}"


def key(folder: Path, who: str) -> Key:
    """Return the key of `admin`, `writer` or `reader`."""
    return Key(*_known(folder)["keys"][who])


def log_file(folder: Path) -> Path:
    """Return where the server writes what it does."""
    return folder / "server.log"


def kill_orphan(folder: Path) -> None:
    """Kill a server whose supervisor was killed, if that process is still the server of this folder."""
    for pid in supervisor.pids_of(folder, STATE):
        with contextlib.suppress(psutil.Error, OSError):
            if Path((found := psutil.Process(pid)).cwd()).samefile(folder) and "server" in found.cmdline():
                found.kill()
                found.wait(10)


def remove_sockets(folder: Path) -> None:
    """Delete the sockets that a killed server leaves in /tmp, whose names have its ports."""
    for port in _known(folder).get("ports", []):
        for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108, it knows no other place
            socket_file.unlink(missing_ok=True)


def _command(folder: Path, host: str, *more: str, s3_port: int | None = None) -> list[str]:
    numbers = iter(_known(folder)["ports"])
    taken = {f"{service}.port{which}": next(numbers) for service in _SERVICES for which in ("", ".grpc")}
    if s3_port:
        taken["s3.port"] = s3_port
    return [
        *(str(program()), "-logtostderr", "mini", "-dir=data", f"-ip={host}", f"-ip.bind={host}", *more),
        *(f"-{name}={number}" for name, number in taken.items()),
        *(f"-s3.config={_IDENTITIES}", "-s3.iam=false", "-s3.autoCreateBucket=false", "-s3.allowedOrigins="),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"),
        # It is the only master: else it waits up to 20 s for others to vote, each time it starts.
        *("-master.electionTimeout=1s", "-master.resumeState=false"),
    ]


def _known(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _SETTINGS).read_text("utf-8")))
    except FileNotFoundError:
        return {}


def _write_secretly(file: Path, content: object) -> None:
    file.touch(mode=0o600)
    file.write_text(json.dumps(content), "utf-8")


def _random(length: int) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(secrets.choice(alphabet) for _ in range(length))
