"""Leases and exclusive locks as locked files, which the system frees when their holder ends, even by SIGKILL.

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
    """A locked file that says that one process uses a folder; it ends with `release`, or with the process."""

    file: Path
    descriptor: int

    def release(self) -> None:
        """End the lease; a second call does nothing."""
        self.file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def take(folder: Path) -> Lease:
    """Return a new lease in this folder, held by this process."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}-{uuid.uuid4().hex}.lease"
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return Lease(file, descriptor)


def holders(folder: Path) -> list[int]:
    """Return the process ids of the lease holders, sorted."""
    return sorted(int(file.name.split("-")[0]) for file in folder.glob("*.lease") if is_locked(file))


def remove_stale(folder: Path) -> None:
    """Delete the leases without a holder; only under the folder's lock, because `take` makes and locks in two steps."""
    for file in folder.glob("*.lease"):
        if not is_locked(file):
            file.unlink(missing_ok=True)


def is_locked(file: Path) -> bool:
    """Tell whether a process holds an exclusive lock on this file."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        # Shared, so that two processes that look at the same moment do not see each other's lock as a lease.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def try_lock(file: Path) -> int | None:
    """Return a descriptor that locks the file until it is closed, or None if another process has locked it."""
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
    """Hold an exclusive lock on a file while the block runs.

    Raises:
        TimeoutError: another process held it all that time.
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
