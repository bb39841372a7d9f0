"""A process of the month: started with its settings, watched for memory and processor time, ended with the month."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from bench.drain import resident
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT, Settings

ENDS_WITHIN_S = 90  # the stream finishes its micro-batch
LOOKS_EVERY_S = 0.5


class Program:
    """One process, what it has printed, the peak of its memory and its processor seconds, children included."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, folder: Path) -> None:
        self.process, self.name = process, name
        self._said, self._log = folder / f"{name}.json", folder / f"{name}.log"
        self.began = time.monotonic()
        self.seconds = self.cpu_s = self.peak_mib = 0.0

    def runs(self) -> bool:
        """Look at it, and tell whether it has not ended."""
        self.peak_mib = max(self.peak_mib, resident(self.process.pid) / 2**20)
        self.cpu_s = max(self.cpu_s, cpu_seconds([self.process.pid]))
        if self.process.poll() is None:
            self.seconds = time.monotonic() - self.began
            return True
        return False

    def finished(self, looked: Callable[[], None] = lambda: None) -> int:
        """Wait for its end, and return its exit code."""
        while self.runs():
            looked()
            time.sleep(LOOKS_EVERY_S)
        return self.process.returncode

    def ended(self) -> None:
        """Ask it to stop, and wait; what does not stop in time is killed, with what it has started."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self.process.pid).children(recursive=True):
                    child.kill()
            self.process.kill()
            self.process.wait()

    def told(self) -> dict[str, Any]:
        """Return the JSON object that it has printed.

        Raises:
            InduTechError: it has printed none.
        """
        try:
            return dict(json.loads(self._said.read_text("utf-8").splitlines()[-1]))
        except (ValueError, IndexError) as error:
            raise self.failed() from error

    def logged(self) -> str:
        """Return what it has written to stderr."""
        return self._log.read_text("utf-8", errors="replace")

    def failed(self) -> InduTechError:
        """Return the error for a program that has ended and should not have."""
        lines = self.logged().strip().splitlines() or ["it said nothing"]
        return InduTechError(f"The {self.name} ended with exit code {self.process.returncode}: {lines[-1]}")


@contextmanager
def started(name: str, settings: Settings, *arguments: str) -> Iterator[Program]:
    """Run `python ARGUMENTS` with these settings as long as the block, if it does not end before."""
    folder = settings.data_dir / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.json").open("wb") as said, (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env={**os.environ, **settings.as_environment()},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches the month alone, which then ends its programs in order
        )
    program = Program(process, name, folder)
    try:
        yield program
    finally:
        program.ended()


def done(name: str, settings: Settings, *arguments: str, exits: Sequence[int] = (0,)) -> Program:
    """Run `python -m indutech ARGUMENTS` to its end.

    Raises:
        InduTechError: its exit code is none of those expected.
    """
    with started(name, settings, "-m", "indutech", *arguments) as program:
        if program.finished() not in exits:
            raise program.failed()
        return program


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time of these processes and of their children so far."""
    used = 0.0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(pid)
            for process in [parent, *parent.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    used += times.user + times.system
    return used
