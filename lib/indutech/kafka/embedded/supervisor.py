"""The process that owns the broker's JVMs: stops them when the last lease ends, restarts one that dies.

It lives in a session of its own, so that Ctrl-C in a terminal does not reach the broker under a stream that is
still stopping; it holds no lease, so that it ends with the last lease holder, also after SIGKILL.
Started as `python -m indutech.kafka.embedded.supervisor FOLDER COMMAND…`; only the standard library, to stay small.
"""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from indutech.system import leases

LOOKS_EVERY_S = 0.2
STOPS_WITHIN_S = 30  # it may have gigabytes to write
ENDS_WITHIN_S = 4  # when its users were killed: nothing should run on for long
LAST_ENDS_WITHIN_S = 2  # of three nodes, when the others have ended
RESTARTS = 3  # within RESTARTS_PER_S, before the supervisor gives up
RESTARTS_PER_S = 60


class _Node:
    """A node of the broker: its folder, its JVM, and when that died."""

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.folder, self.command = folder, command
        self.deaths: list[float] = []
        self.given_up = False
        self.launch()

    def launch(self) -> None:
        self.jvm = subprocess.Popen(
            self.command, cwd=self.folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent()
        )

    def is_dead(self) -> bool:
        return not self.given_up and self.jvm.poll() is not None

    def restart(self) -> None:
        self.deaths = [died for died in self.deaths if time.monotonic() - died < RESTARTS_PER_S] + [time.monotonic()]
        self.given_up = len(self.deaths) > RESTARTS
        if not self.given_up:
            self.launch()


def node_folders(folder: Path) -> list[Path]:
    """Return the folder of each node of a broker: of a single one it is the broker's own."""
    return sorted(folder.glob("node-*")) or [folder]


def supervise(folder: Path, command: list[str]) -> None:
    """Run the broker until no lease is held, too many nodes keep dying, or its data is deleted."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    nodes = [_Node(place, command) for place in node_folders(folder)]
    _note(folder, nodes)
    with contextlib.ExitStack() as held:
        while not stopping and any((node.folder / "data" / "meta.properties").exists() for node in nodes):
            if dead := [node for node in nodes if node.is_dead()]:
                if not (folder / "answered").exists() or not _is_needed(folder):
                    break
                for node in dead:
                    node.restart()
                if 2 * sum(not node.given_up for node in nodes) <= len(nodes):  # no majority is left
                    break
                _note(folder, nodes)
            if not _is_needed(folder) and (lock := _try_lock(folder)) is not None:
                held.callback(os.close, lock)  # a new user waits until this broker has ended, then starts another
                if not _is_needed(folder):
                    break
                held.close()
            time.sleep(LOOKS_EVERY_S)
        killed_users = any((folder / "leases").glob("*.lease"))  # a user that ends normally deletes its own
        _stop(nodes, ENDS_WITHIN_S if killed_users else STOPS_WITHIN_S)
        for leftover in ("broker.json", "kept", "answered"):
            with contextlib.suppress(OSError):
                (folder / leftover).unlink()


def _is_needed(folder: Path) -> bool:
    return (folder / "kept").exists() or bool(leases.holders(folder / "leases"))


def _try_lock(folder: Path) -> int | None:
    try:
        return leases.try_lock(folder / "start.lock")
    except OSError:  # the folder went away; the loop will see that too
        return None


def _note(folder: Path, nodes: list[_Node]) -> None:
    part = folder / "broker.json.part"
    part.write_text(json.dumps({"pids": [node.jvm.pid for node in nodes], "supervisor": os.getpid()}), "utf-8")
    part.replace(folder / "broker.json")


def _die_with_parent() -> Callable[[], object] | None:
    """Return what makes Linux kill the JVM if the supervisor itself is SIGKILLed; elsewhere the next start does."""
    if sys.platform != "linux":
        return None
    prctl, pr_set_pdeathsig = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)


def _stop(nodes: list[_Node], timeout_s: float) -> None:
    for node in nodes:
        node.jvm.terminate()
    deadline = time.monotonic() + timeout_s
    while (left := [node for node in nodes if node.jvm.poll() is None]) and time.monotonic() < deadline:
        if 2 * len(left) < len(nodes):
            # A node asks the controller before it goes, and without a majority there is none: it would ask for ever.
            deadline = min(deadline, time.monotonic() + LAST_ENDS_WITHIN_S)
        time.sleep(0.02)
    for node in left:
        node.jvm.kill()
        node.jvm.wait()


if __name__ == "__main__":
    if os.fork():  # the grandchild is reparented, so that no user has to stay to reap it
        os._exit(0)
    supervise(Path(sys.argv[1]), sys.argv[2:])
