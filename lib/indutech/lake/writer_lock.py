"""One writer at a time for one lake."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class SecondWriter(InduTechError):
    """Another process writes this lake."""


@contextmanager
def sole_writer(settings: Settings) -> Iterator[None]:
    """Hold the lake for this process; the system frees it when the process dies, however it dies.

    Raises:
        SecondWriter: another process holds it.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.data_dir / "stream.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondWriter(
            f"Another stream or compaction is writing the lake in {settings.data_dir}. "
            "Wait for it, stop it, or use another INDUTECH_DATA_DIR."
        ) from None
    try:
        yield
    finally:
        lock.release()
