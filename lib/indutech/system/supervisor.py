"""The process that owns an embedded server of one node or several: stops it with the last lease, restarts what dies.

It lives in a session of its own, so that Ctrl-C in a terminal does not reach the server under a stream that is
still stopping; it holds no lease, so that it ends with the last lease holder, also after SIGKILL.
`launch` starts it as a program of its own; only the standard library, to stay small.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from indutech.system import leases

Running = TypeVar("Running")

LOOKS_EVERY_S = 0.2
STOPS_WITHIN_S = 30  # unless the server is known to need less: it may have gigabytes to write
ENDS_WITHIN_S = 4  # when its users were killed: nothing should run on for long
LAST_ENDS_WITHIN_S = 2  # of three nodes, when the others have ended
RESTARTS = 3  # within RESTARTS_PER_S, before the supervisor gives up
RESTARTS_PER_S = 60


def launch(
    folder: Path,
    command: Sequence[str],
    *,
    state: str,
    mark: str,
    env: Mapping[str, str],
    log: Path,
    stops_within_s: float = STOPS_WITHIN_S,
    stops_at: signal.Signals = signal.SIGTERM,
) -> bool:
    """Start a supervisor, and through it the server, in a session of their own; False if one is still stopping.

    Args:
        folder: where the server's leases are, and where it runs, unless it has a folder for each node.
        command: the server, run in the folder of each node.
        state: the name of the file in the folder that says which processes the server is.
        mark: a file of each node that belongs to its data: the server ends when all of them are gone.
        env: its environment.
        log: where it writes.
        stops_within_s: after being told to stop; then it is killed.
        stops_at: the signal that tells it to.
    """
    # The supervisor inherits this descriptor: the file stays locked exactly as long as it lives.
    lock = leases.try_lock(folder / "supervisor.lock")
    if lock is None:
        return False
    supervisor = [sys.executable, "-P", "-m", "indutech.system.supervisor"]
    try:
        with log.open("ab") as written:
            subprocess.run(
                [*supervisor, str(folder), state, mark, str(stops_within_s), str(int(stops_at)), *command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
                pass_fds=[lock],
                check=True,
            )
    finally:
        os.close(lock)
    return True


def is_supervised(folder: Path) -> bool:
    """Tell whether a supervisor, and so a server, runs in this folder."""
    return leases.is_locked(folder / "supervisor.lock")


def node_folders(folder: Path) -> list[Path]:
    """Return the folder of each node of a server: of a single one it is the server's own."""
    return sorted(folder.glob("node-*")) or [folder]


def pids_of(folder: Path, state: str) -> tuple[int, ...]:
    """Return the processes of the server, one for each node, as its supervisor wrote them down."""
    try:
        return tuple(json.loads((folder / state).read_text("utf-8"))["pids"])
    except (OSError, ValueError, KeyError):
        return ()


def restarts_of(folder: Path, state: str) -> int:
    """Return how often the supervisor has started a dead node again."""
    try:
        return int(json.loads((folder / state).read_text("utf-8"))["restarts"])
    except (OSError, ValueError, KeyError):
        return 0


def leased(folder: Path, within_s: float, running: Callable[[], Running]) -> tuple[leases.Lease, Running]:
    """Take a lease on the server of this folder, and return it with what `running` makes of it.

    `running` starts the server if need be; meanwhile nobody else starts or stops it. If it fails, no lease is left.

    Raises:
        TimeoutError: somebody else has been starting or stopping it for that long.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with leases.exclusively(folder / "start.lock", within_s):
        leases.remove_stale(folder / "leases")
        held = leases.take(folder / "leases")
        try:
            return held, running()
        except BaseException:
            held.release()
            raise


def has_ended(folder: Path, within_s: float) -> bool:
    """Wait for the server's end; False as soon as somebody is seen to need it, or when the time is over."""
    deadline = time.monotonic() + within_s
    while is_supervised(folder):
        if _is_needed(folder) or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def forget(folder: Path) -> None:
    """Delete what a server that was killed has left: that it was to be kept, and that it had answered."""
    for leftover in ("kept", "answered"):
        (folder / leftover).unlink(missing_ok=True)


class _Node:
    """A node of the server: its folder, its process, and when that died."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder, self.command = folder, command
        self.deaths: list[float] = []
        self.restarts = 0
        self.given_up = False
        self.launch()

    def launch(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent()
        )

    def is_dead(self) -> bool:
        return not self.given_up and self.process.poll() is not None

    def restart(self) -> None:
        self.deaths = [died for died in self.deaths if time.monotonic() - died < RESTARTS_PER_S] + [time.monotonic()]
        self.given_up = len(self.deaths) > RESTARTS
        if not self.given_up:
            self.restarts += 1
            self.launch()


def supervise(folder: Path, state: str, mark: str, stops_within_s: float, stops_at: int, command: list[str]) -> None:
    """Run the server until no lease is held, too many nodes keep dying, or its data is deleted."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    nodes = [_Node(place, command) for place in node_folders(folder)]
    _note(folder / state, nodes)
    with contextlib.ExitStack() as held:
        while not stopping and any((node.folder / mark).exists() for node in nodes):
            if dead := [node for node in nodes if node.is_dead()]:
                if not (folder / "answered").exists() or not _is_needed(folder):
                    break
                for node in dead:
                    node.restart()
                if 2 * sum(not node.given_up for node in nodes) <= len(nodes):  # no majority is left
                    break
                _note(folder / state, nodes)
            if not _is_needed(folder) and (lock := _try_lock(folder)) is not None:
                held.callback(os.close, lock)  # a new user waits until this server has ended, then starts another
                if not _is_needed(folder):
                    break
                held.close()
            time.sleep(LOOKS_EVERY_S)
        killed_users = any((folder / "leases").glob("*.lease"))  # a user that ends normally deletes its own
        _stop(nodes, stops_at, min(ENDS_WITHIN_S, stops_within_s) if killed_users else stops_within_s)
        for leftover in (state, "kept", "answered"):
            with contextlib.suppress(OSError):
                (folder / leftover).unlink()


def _is_needed(folder: Path) -> bool:
    return (folder / "kept").exists() or bool(leases.holders(folder / "leases"))


def _try_lock(folder: Path) -> int | None:
    try:
        return leases.try_lock(folder / "start.lock")
    except OSError:  # the folder went away; the loop will see that too
        return None


def _note(state: Path, nodes: list[_Node]) -> None:
    part = state.with_name(f"{state.name}.part")
    told = {
        "pids": [node.process.pid for node in nodes],
        "supervisor": os.getpid(),
        "restarts": sum(node.restarts for node in nodes),
    }
    part.write_text(json.dumps(told), "utf-8")
    part.replace(state)


def _die_with_parent() -> Callable[[], object] | None:
    """Return what makes Linux kill a node if the supervisor itself is SIGKILLed; elsewhere the next start does."""
    if sys.platform != "linux":
        return None
    prctl, pr_set_pdeathsig = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)


def _stop(nodes: list[_Node], stops_at: int, timeout_s: float) -> None:
    for node in nodes:
        node.process.send_signal(stops_at)
    deadline = time.monotonic() + timeout_s
    while (left := [node for node in nodes if node.process.poll() is None]) and time.monotonic() < deadline:
        if 2 * len(left) < len(nodes):
            # A node asks the controller before it goes, and without a majority there is none: it would ask for ever.
            deadline = min(deadline, time.monotonic() + LAST_ENDS_WITHIN_S)
        time.sleep(0.02)
    for node in left:
        node.process.kill()
        node.process.wait()


if __name__ == "__main__":
    if os.fork():  # the grandchild is reparented, so that no user has to stay to reap it
        os._exit(0)
    supervise(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]), sys.argv[6:])
