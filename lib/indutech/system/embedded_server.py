"""The life of an embedded server: started by its first user, kept if asked, stopped with its last lease."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indutech.system import leases, supervisor
from indutech.system.errors import InduTechError


@dataclass(frozen=True)
class Server:
    """An embedded server: what it is called, where it lives, how it is launched, and how one sees that it answers.

    `launch` prepares its folder and starts a supervisor, with new ports if asked; `answers` tells whether it is ready.
    """

    name: str
    folder: Path
    state: str  # the file that says which processes it is
    log: Path
    launch: Callable[[bool], None]
    answers: Callable[[], bool]
    not_ready: type[InduTechError]
    answers_within_s: float = 60
    stops_within_s: float = 35


@dataclass(frozen=True)
class Status:
    """What is known about an embedded server without starting it."""

    running: bool
    pid: int | None
    leases: list[int]  # process ids of the lease holders
    kept: bool  # `start` was asked for it, so only `stop` ends it
    restarts: int = 0  # how often it died and was started again


@contextlib.contextmanager
def used(server: Server) -> Iterator[None]:
    """Hold the server while the block runs; it starts if need be, and stops with its last user."""
    held = _take_lease(server)
    try:
        yield
    finally:
        held.release()
        has_ended(server)


def keep(server: Server) -> None:
    """Start the server and keep it until `stop`."""
    held = _take_lease(server)
    try:
        (server.folder / "kept").touch()
    finally:
        held.release()


def stop(server: Server) -> bool:
    """End what `keep` began; return whether the server is down, which it is not while others use it."""
    (server.folder / "kept").unlink(missing_ok=True)
    return has_ended(server)


def status(server: Server) -> Status:
    """Return what is known about the server, without starting anything."""
    folder = server.folder
    if not supervisor.is_supervised(folder):
        return Status(False, None, [], False)
    pid = next(iter(supervisor.pids_of(folder, server.state)), None)
    kept = (folder / "kept").exists()
    return Status(True, pid, leases.holders(folder / "leases"), kept, supervisor.restarts_of(folder, server.state))


def has_ended(server: Server) -> bool:
    """Wait for the server's end; False as soon as somebody is seen to need it."""
    return supervisor.has_ended(server.folder, server.stops_within_s)


def log_tail(server: Server, lines: int = 4) -> str:
    """Return the end of the log in one line, without stack traces."""
    try:
        text = server.log.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return "it wrote no log"
    told = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("\t")]
    return " | ".join(told[-lines:])[:800]


def _take_lease(server: Server) -> leases.Lease:
    longest_s = 2 * server.answers_within_s + server.stops_within_s
    try:
        return supervisor.leased(server.folder, longest_s, lambda: _run(server))[0]
    except TimeoutError as error:
        raise server.not_ready(
            f"Another process has been starting or stopping {server.name} for too long ({error}): try again."
        ) from error
    except KeyboardInterrupt:
        has_ended(server)  # it may have been starting
        raise
    except OSError as error:
        raise server.not_ready(f"{server.name} cannot keep its data in {server.folder}: {error}.") from error


def _run(server: Server) -> None:
    """See that the server answers, starting it if it was not running; the caller holds the folder's lock."""
    if supervisor.is_supervised(server.folder) and _came_up(server):
        return
    for new_ports in (False, True):  # somebody may take a port between our look and the server's
        supervisor.forget(server.folder)
        server.launch(new_ports)
        if _came_up(server):
            return
        if "in use" not in log_tail(server, 40):
            break
    raise server.not_ready(f"{server.name} stopped while starting: {log_tail(server)} (the whole log: {server.log}).")


def _came_up(server: Server) -> bool:
    """Wait until the server answers; False if it ended before."""
    deadline = time.monotonic() + server.answers_within_s
    while not server.answers():
        if not supervisor.is_supervised(server.folder):
            return False
        if time.monotonic() > deadline:
            raise server.not_ready(
                f"{server.name} does not answer within {server.answers_within_s:g} s: look at {server.log}."
            )
        time.sleep(0.05)
    (server.folder / "answered").touch()  # from now on the supervisor starts it again if it dies
    return True
