"""The process that owns the broker's JVM: stops it when the last lease ends, restarts it if it dies.

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
RESTARTS = 3  # within RESTARTS_PER_S, before the supervisor gives up
RESTARTS_PER_S = 60


def supervise(folder: Path, command: list[str]) -> None:
    """Run the broker until no lease is held, it keeps dying, or its data is deleted."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    broker = _launch(folder, command)
    deaths: list[float] = []
    with contextlib.ExitStack() as held:
        while not stopping and (folder / "data" / "meta.properties").exists():
            if broker.poll() is not None:
                deaths = [died for died in deaths if time.monotonic() - died < RESTARTS_PER_S] + [time.monotonic()]
                if not (folder / "answered").exists() or len(deaths) > RESTARTS or not _is_needed(folder):
                    break
                broker = _launch(folder, command)
            if not _is_needed(folder) and (lock := _try_lock(folder)) is not None:
                held.callback(os.close, lock)  # a new user waits until this broker has ended, then starts another
                if not _is_needed(folder):
                    break
                held.close()
            time.sleep(LOOKS_EVERY_S)
        killed_users = any((folder / "leases").glob("*.lease"))  # a user that ends normally deletes its own
        _stop(broker, ENDS_WITHIN_S if killed_users else STOPS_WITHIN_S)
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


def _launch(folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    broker = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent())
    part = folder / "broker.json.part"
    part.write_text(json.dumps({"pid": broker.pid, "supervisor": os.getpid()}), "utf-8")
    part.replace(folder / "broker.json")
    return broker


def _die_with_parent() -> Callable[[], object] | None:
    """Return what makes Linux kill the JVM if the supervisor itself is SIGKILLed; elsewhere the next start does."""
    if sys.platform != "linux":
        return None
    prctl, pr_set_pdeathsig = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)


def _stop(broker: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    broker.terminate()
    try:
        broker.wait(timeout_s)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()


if __name__ == "__main__":
    if os.fork():  # the grandchild is reparented, so that no user has to stay to reap it
        os._exit(0)
    supervise(Path(sys.argv[1]), sys.argv[2:])
