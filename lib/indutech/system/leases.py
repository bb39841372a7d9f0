"""Leases and locks that die with their owner: the kernel frees a file lock even after SIGKILL.

Only the standard library: the supervisor of the broker imports nothing else.
"""

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lease:
    """The word of one user that the broker is needed; it ends with `release`, or with the process."""

    file: Path
    descriptor: int

    def release(self) -> None:
        """End the lease; a second call does nothing."""
        self.file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def take(folder: Path) -> Lease:
    """Return a new lease on what lives in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}-{uuid.uuid4().hex}.lease"
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return Lease(file, descriptor)


def holders(folder: Path) -> list[int]:
    """Return the process id behind each lease that is still held, sorted."""
    return sorted(int(file.name.split("-")[0]) for file in folder.glob("*.lease") if is_locked(file))


def forget_the_dead(folder: Path) -> None:
    """Delete the leases whose owner is gone; only the holder of the folder's lock may, since it sees none half made."""
    for file in folder.glob("*.lease"):
        if not is_locked(file):
            file.unlink(missing_ok=True)


def is_locked(file: Path) -> bool:
    """Tell whether somebody holds this file exclusively."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        # Shared, so that two who look at the same moment do not take each other for an owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def try_lock(file: Path) -> int | None:
    """Return a descriptor that holds the file until it is closed, or None if somebody else holds it."""
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == file.stat().st_ino:  # else the folder was deleted meanwhile
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


@contextlib.contextmanager
def exclusively(file: Path, timeout_s: float) -> Iterator[None]:
    """Hold a lock file while the block runs.

    Raises:
        TimeoutError: somebody else held it all that time.
    """
    deadline = time.monotonic() + timeout_s
    while (descriptor := try_lock(file)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file} stayed locked for {timeout_s:g} s")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(descriptor)
