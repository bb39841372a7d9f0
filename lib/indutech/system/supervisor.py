"""The process that owns an embedded server: stops it when the last lease ends, restarts it if it dies.

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

from indutech.system import leases

LOOKS_EVERY_S = 0.2
STOPS_WITHIN_S = 30  # unless the server is known to need less: it may have gigabytes to write
ENDS_WITHIN_S = 4  # when its users were killed: nothing should run on for long
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
) -> bool:
    """Start a supervisor, and through it the server, in a session of their own; False if one is still stopping.

    Args:
        folder: where the server runs and its leases are.
        command: the server.
        state: the name of the file in the folder that says which process the server is.
        mark: a file in it that belongs to the server's data: the server ends when it is gone.
        env: its environment.
        log: where it writes.
        stops_within_s: after being told to stop; then it is killed.
    """
    # The supervisor inherits this descriptor: the file stays locked exactly as long as it lives.
    lock = leases.try_lock(folder / "supervisor.lock")
    if lock is None:
        return False
    supervisor = [sys.executable, "-P", "-m", "indutech.system.supervisor"]
    try:
        with log.open("ab") as written:
            subprocess.run(
                [*supervisor, str(folder), state, mark, str(stops_within_s), *command],
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


def pid_of(folder: Path, state: str) -> int | None:
    """Return the process of the server, as its supervisor wrote it down."""
    try:
        return int(json.loads((folder / state).read_text("utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return None


def supervise(folder: Path, state: str, mark: str, stops_within_s: float, command: list[str]) -> None:
    """Run the server until no lease is held, it keeps dying, or its data is deleted."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    server = _launch(folder, state, command)
    deaths: list[float] = []
    with contextlib.ExitStack() as held:
        while not stopping and (folder / mark).exists():
            if server.poll() is not None:
                deaths = [died for died in deaths if time.monotonic() - died < RESTARTS_PER_S] + [time.monotonic()]
                if not (folder / "answered").exists() or len(deaths) > RESTARTS or not _is_needed(folder):
                    break
                server = _launch(folder, state, command)
            if not _is_needed(folder) and (lock := _try_lock(folder)) is not None:
                held.callback(os.close, lock)  # a new user waits until this server has ended, then starts another
                if not _is_needed(folder):
                    break
                held.close()
            time.sleep(LOOKS_EVERY_S)
        killed_users = any((folder / "leases").glob("*.lease"))  # a user that ends normally deletes its own
        _stop(server, min(ENDS_WITHIN_S, stops_within_s) if killed_users else stops_within_s)
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


def _launch(folder: Path, state: str, command: list[str]) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent())
    part = folder / f"{state}.part"
    part.write_text(json.dumps({"pid": server.pid, "supervisor": os.getpid()}), "utf-8")
    part.replace(folder / state)
    return server


def _die_with_parent() -> Callable[[], object] | None:
    """Return what makes Linux kill the server if the supervisor itself is SIGKILLed; elsewhere the next start does."""
    if sys.platform != "linux":
        return None
    prctl, pr_set_pdeathsig = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)


def _stop(server: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    server.terminate()
    try:
        server.wait(timeout_s)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    if os.fork():  # the grandchild is reparented, so that no user has to stay to reap it
        os._exit(0)
    supervise(Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5:])
