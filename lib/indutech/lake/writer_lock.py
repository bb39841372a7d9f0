"""One writer at a time for one lake."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from indutech.lake.store import files, lease
from indutech.lake.store.s3_path import S3Path
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class SecondWriter(InduTechError):
    """Another process writes this lake."""


@contextmanager
def sole_writer(settings: Settings) -> Iterator[Callable[[], None]]:
    """Hold the lake for this process, and give what raises WriterReplaced once it is not held any more.

    A folder is freed by the system when the process dies, however it dies. A bucket has a lease besides, because
    another machine can reach it: after a death it is taken over at once by the same data folder, else after a while.

    Raises:
        SecondWriter: another process of this data folder holds it.
        HeldElsewhere: another data folder holds the lease of the bucket.
    """
    settings.product_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.writer_lock)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondWriter(
            f"Another stream or compaction is writing the lake in {settings.product_dir}. "
            "Wait for it, stop it, or use another INDUTECH_DATA_DIR."
        ) from None
    try:
        lake = files.root(settings)
        if isinstance(lake, S3Path):
            with lease.held(lake, settings.product_dir) as held:
                yield held.check
        else:
            yield lambda: None
    finally:
        lock.release()
