"""One writer of a lake in a bucket: a small object that is made only if there is none, and renewed only by its holder.

A folder has the lock of the system for that; a bucket has writes under a condition (If-None-Match, If-Match), and no
clock is compared: whoever finds an object that nobody renews while he watches it may take it over.
"""

import itertools
import json
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from indutech.lake.store.bucket import Conflict
from indutech.lake.store.s3_path import S3Path
from indutech.system import signals
from indutech.system.errors import InduTechError

RENEWED_EVERY_S = 15.0
EXPIRES_AFTER_S = 45.0


class WriterReplaced(InduTechError):
    """Another process took the lake over, because this one had not renewed its lease for too long."""


class HeldElsewhere(InduTechError):
    """Another data folder or machine writes the lake."""


class Lease:
    """The lease of this process; `check` before rows are written, and before they count."""

    def __init__(self, file: S3Path, holder: str) -> None:
        self._file = file
        self._holder = holder
        self._run = uuid.uuid4().hex
        self._renewals = itertools.count()  # so that no two writes of the object are alike
        self._tag = ""
        self._renewed = time.monotonic()
        self._lost = False
        self._released = threading.Event()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Return if the lease is this process's own.

        Raises:
            WriterReplaced: somebody has it, or may have it by now.
        """
        if self._lost or time.monotonic() - self._renewed > EXPIRES_AFTER_S:
            raise WriterReplaced(
                f"The lease {self._file} was not renewed for {EXPIRES_AFTER_S:g} s, so that another writer may have "
                "taken the lake over: nothing more is written. See that only one stream runs, then start it again."
            )

    def acquire(self) -> None:
        """Take the lease; one that its holder left behind is taken over once nobody was seen to renew it.

        Raises:
            HeldElsewhere: somebody renews it.
        """
        if self._write("create"):
            return
        found, tag = self._read()
        # The same folder of the same machine: its own lock is ours, so whoever left this is dead.
        if found.get("holder") != self._holder:
            self._watch(found, tag)
        if not self._write(tag):
            raise self._held_elsewhere(found)

    def keep(self) -> None:
        """Renew until released; for a thread."""
        while not self._released.wait(RENEWED_EVERY_S):
            with suppress(InduTechError), self._lock:  # it does not answer: `check` says so once it is too late
                if not self._released.is_set() and not self._write(self._tag):
                    self._lost = True
                    return

    def release(self) -> None:
        """Give the lease back if it is still this process's own."""
        self._released.set()
        with self._lock, suppress(InduTechError, FileNotFoundError):
            if not self._lost and self._read()[0].get("run") == self._run:
                self._file.unlink()

    def _watch(self, found: dict[str, str], tag: str) -> None:
        deadline = time.monotonic() + EXPIRES_AFTER_S
        while time.monotonic() < deadline and not signals.is_stopping():
            time.sleep(1)
            if self._file.version() not in (tag, None):
                raise self._held_elsewhere(found)
        if signals.is_stopping():
            raise self._held_elsewhere(found)

    def _held_elsewhere(self, found: dict[str, str]) -> HeldElsewhere:
        return HeldElsewhere(
            f"The lake {self._file.parent} is written by {found.get('holder', 'somebody else')}: wait for it, stop it, "
            "or use another INDUTECH_LAKE_URI."
        )

    def _write(self, condition: str) -> bool:
        """Write the lease if there is none (`create`), or if it is still the one with this tag."""
        content = {"holder": self._holder, "run": self._run, "renewal": next(self._renewals)}
        began = time.monotonic()
        try:
            self._tag = self._file.bucket.put(self._file.key, json.dumps(content).encode(), condition)
        except (Conflict, FileNotFoundError):
            found, tag = self._read()
            if found.get("run") != self._run:  # else it was ours, and only the answer had been lost
                return False
            self._tag = tag
        self._renewed = began
        return True

    def _read(self) -> tuple[dict[str, str], str]:
        try:
            content, tag = self._file.bucket.get(self._file.key)
            return json.loads(content), tag
        except (FileNotFoundError, ValueError):
            return {}, "create"


@contextmanager
def held(folder: S3Path, data_dir: Path) -> Iterator[Lease]:
    """Hold the lake in this folder while the block runs.

    Raises:
        HeldElsewhere: somebody else does.
    """
    there = data_dir.stat()
    lease = Lease(folder / "writer.json", f"{platform.node()}:{data_dir} ({there.st_dev}:{there.st_ino})")
    lease.acquire()
    threading.Thread(target=lease.keep, daemon=True).start()
    try:
        yield lease
    finally:
        lease.release()
