"""A command in a terminal of its own, as a person would run it: what it shows, Ctrl-C, and what it leaves behind."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psutil

from indutech.system.settings import Settings

CTRL_C = b"\x03"
# A shell that outlives the command: the end of a session leader would hang up on everything that was left running.
SHELL = ("/bin/sh", "-c", 'trap : INT; "$@"; echo "[exit $?]"; read _', "sh")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """`indutech` in the foreground of a pseudo-terminal of 80 columns, with these settings in its environment."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._data_dir = str(settings.data_dir)
        self._keyboard, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
            "KAFKA_TOPIC": settings.topic,
            "INDUTECH_DATA_DIR": self._data_dir,
            "TERM": "xterm-256color",
        }
        self._process = subprocess.Popen(
            [*SHELL, sys.executable, "-m", "indutech", *arguments],
            env=environment,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches its process group
        )
        os.close(screen)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.processes():
            one.kill()
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        os.close(self._keyboard)

    @property
    def written(self) -> str:
        """Everything that was written to the screen so far."""
        return self._written.decode(errors="replace")

    def wait_until(self, true: Callable[[], bool], seconds: float = 150) -> None:
        """Wait, with a deadline, until something is true while the command runs."""
        deadline = time.monotonic() + seconds
        while not true():
            assert "[exit " not in self.written, f"it ended: {self.written}"
            assert time.monotonic() < deadline, f"not within {seconds} s: {self.written}"
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        """Type Ctrl-C."""
        os.write(self._keyboard, CTRL_C)

    def ends_within(self, seconds: float) -> tuple[int, list[str]]:
        """Return the exit code, and the lines that stand on the screen where the progress display was."""
        deadline = time.monotonic() + seconds
        while not (ended := re.search(r"\[exit (\d+)\]", self.written)):
            assert time.monotonic() < deadline, f"it did not end within {seconds} s: {self.written}"
            time.sleep(0.02)
        after_display = self.written[: ended.start()].rpartition("\x1b[?25h")[2].rpartition("^C")[2]
        return int(ended[1]), [line.strip() for line in ESCAPES.sub("", after_display).splitlines() if line.strip()]

    def processes(self) -> list[psutil.Process]:
        """Return the processes that work for this data folder."""
        mine = (one for one in psutil.process_iter() if _data_dir_of(one).startswith(self._data_dir))
        return [one for one in mine if one.pid != self._process.pid]

    def runs(self, program: str) -> bool:
        """Tell whether one of its processes has this in its command line."""
        return any(program in _command_line(one) for one in self.processes())

    def leaves_nothing_within(self, seconds: float) -> bool:
        """Tell whether all its processes have ended by then."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.processes() == []

    def _read(self) -> None:
        try:
            while chunk := os.read(self._keyboard, 65_536):
                self._written += chunk
        except OSError:  # the last process that had the screen is gone
            return


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _data_dir_of(process: psutil.Process) -> str:
    try:
        return process.environ().get("INDUTECH_DATA_DIR", "") if process.pid != os.getpid() else ""
    except psutil.Error:
        return ""
