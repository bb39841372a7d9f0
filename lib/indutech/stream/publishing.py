"""Publishes committed micro-batches as Iceberg tables while the stream runs, in a thread beside it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from indutech.lake.checkpoint import Checkpoint
from indutech.system.settings import Settings


@contextmanager
def published(settings: Settings, every_s: float | None) -> Iterator[Callable[[], bool]]:
    """Publish what is committed every so many seconds, and once more at the end; nothing without a number.

    Gives a function that tells whether publishing has failed: readers would then see an old state without knowing, so
    the stream ends, and this raises why.
    """
    if every_s is None:
        yield lambda: False
        return
    ended = threading.Event()
    with ThreadPoolExecutor(1) as beside:
        at_work: Future[None] = beside.submit(_publish_until, ended, settings, every_s)
        try:
            yield at_work.done
        finally:
            ended.set()
    at_work.result()


def _publish_until(ended: threading.Event, settings: Settings, every_s: float) -> None:
    from indutech.lake import iceberg  # pyiceberg takes a moment to import, and most streams do not publish

    published: int | None = None
    is_last = False
    while not is_last:
        is_last = ended.wait(every_s)
        committed = Checkpoint(settings.checkpoint_dir).last_committed()
        if committed == published and not is_last:
            continue
        try:
            iceberg.publish(settings)
        except iceberg.SecondPublisher:  # the command does it at this moment; the next round sees what it left
            continue
        published = committed
