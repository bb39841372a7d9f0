"""What a signal means to a command that must leave nothing half done: the first asks it to stop, the second ends it."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SHOW_CURSOR = b"\x1b[?25h"  # a progress bar may have hidden it


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether SIGTERM or SIGINT came; a second one leaves at once.

    Only the main thread may listen to signals: in another thread the function always says no.
    """
    asked = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            if os.isatty(2):
                os.write(2, SHOW_CURSOR)
            os._exit(128 + number)
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(stop: Callable[[], bool], seconds: float) -> None:
    """Wait so long, or until a stop was asked for."""
    deadline = time.monotonic() + seconds
    while not stop() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(0.1, left))
