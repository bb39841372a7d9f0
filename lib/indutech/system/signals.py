"""What Ctrl-C (SIGINT) and SIGTERM mean to every command: the first asks it to stop, a second one ends it at once.

A command that can finish what it has begun polls `stop_asked`; the others are unwound by `interruptible`.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

STOPPING = (signal.SIGTERM, signal.SIGINT)
STOPPED = "Stopped, with everything that this command had started."
SHOW_CURSOR = b"\x1b[?25h"  # the progress display may have hidden it

# Both belong to the process, as signals do: a second one ends it wherever it is by then.
_asked = threading.Event()
_on_first: list[Callable[[], None]] = []


def is_stopping() -> bool:
    """Tell whether a signal has asked this process to stop."""
    return _asked.is_set()


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether a signal came; whoever asks it finishes what has begun, and returns."""
    with _listening(lambda: None):
        yield is_stopping


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt, so that everything that the block has started is taken down."""
    with _listening(_interrupt):
        yield


def default_from_now_on() -> None:
    """Let a signal end the process without a word; for the end of a program, when there is nothing left to stop."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)


def wait_for(stop: Callable[[], bool], seconds: float) -> None:
    """Wait so long, or until a stop was asked for."""
    deadline = time.monotonic() + seconds
    while not stop() and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(0.1, left))


@contextmanager
def _listening(on_first: Callable[[], None]) -> Iterator[None]:
    """Handle the signals in the block, also within another such block; only the main thread of a process can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _on_first.append(on_first)
    before = {number: signal.signal(number, _handle) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _on_first.pop()
        if not _on_first:
            _asked.clear()


def _handle(number: int, _frame: FrameType | None) -> None:
    if _asked.is_set():
        _leave(128 + number)
    _asked.set()
    _on_first[-1]()


def _interrupt() -> None:
    raise KeyboardInterrupt


def _leave(exit_code: int) -> None:
    """End the process and what it has started; the embedded broker is not its child, and ends when it has no user."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    # Not by its standard error, which points at a file while Spark's JVM starts.
    with contextlib.suppress(OSError):
        os.write(os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY), SHOW_CURSOR)
    os._exit(exit_code)
