"""What a gateway keeps on its own disk: batches of readings that the bridge has not confirmed, in a SQLite file."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from filelock import FileLock, Timeout

from indutech.system.errors import InduTechError

LINE = b"\n"  # between two readings; JSON without blanks has none inside


class StoreUnusable(InduTechError):
    """The store of a gateway cannot be read or written, or another process uses it."""


@dataclass(frozen=True)
class Batch:
    """Some readings with the number under which they are sent, again and again until they are confirmed."""

    number: int
    readings: int
    body: bytes


def waiting(folder: Path) -> dict[str, int]:
    """Return gateway → readings that wait in its store; a store that is in use is looked at all the same.

    Raises:
        StoreUnusable: one of them is damaged.
    """
    found = {}
    for file in sorted(folder.glob("*.db")):
        try:
            with contextlib.closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
                if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchall():
                    continue  # it is being made at this moment
                [(readings,)] = database.execute("SELECT coalesce(sum(readings), 0) FROM batches").fetchall()
        except sqlite3.Error as error:
            raise _unusable(file, error) from error
        found[file.stem] = int(readings)
    return found


def _unusable(file: Path, error: Exception) -> StoreUnusable:
    return StoreUnusable(
        f"The gateway's store {file} cannot be used ({error}): make room or give write access. What it holds is sent "
        "by the next `indutech mqtt send`; if it is damaged, move it away and keep it."
    )


class Store:
    """The store of one gateway, for one process; each call is on the disk when it returns."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = FileLock(file.with_suffix(".lock"))

    def __enter__(self) -> Self:
        """Open it, made if it is not there.

        Raises:
            StoreUnusable: another process sends from it, or it is damaged.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout:
            raise StoreUnusable(
                f"Another process sends from {self._file}: wait for it, or name another gateway with --gateway."
            ) from None
        except OSError as error:
            raise _unusable(self._file, error) from error
        try:
            self._open()
        except sqlite3.Error as error:
            self._lock.release()
            raise _unusable(self._file, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._lock.release()

    def _open(self) -> None:
        self._database = sqlite3.connect(self._file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")  # a power cut costs nothing that was kept
        self._database.execute("CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL)")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS batches "
            "(number INTEGER PRIMARY KEY AUTOINCREMENT, readings INTEGER NOT NULL, body BLOB NOT NULL)"
        )
        if not (known := self._database.execute("SELECT id FROM identity").fetchone()):
            known = (uuid.uuid4().hex[:12],)
            self._database.execute("INSERT INTO identity VALUES (?)", known)
        self.id: str = known[0]  # a store made anew counts from 1 again, and must not be taken for the old one
        self.batches, self.readings = self._database.execute(
            "SELECT count(*), coalesce(sum(readings), 0) FROM batches"
        ).fetchone()

    def add(self, lines: Sequence[bytes]) -> Batch:
        """Keep some readings as one batch, and return it.

        Raises:
            StoreUnusable: the disk is full, or cannot be written.
        """
        body = LINE.join(lines)
        number = self._write("INSERT INTO batches (readings, body) VALUES (?, ?)", [(len(lines), body)])
        self.batches, self.readings = self.batches + 1, self.readings + len(lines)
        return Batch(number, len(lines), body)

    def after(self, number: int, most: int) -> list[Batch]:
        """Return the batches behind this number, the oldest first."""
        question = "SELECT number, readings, body FROM batches WHERE number > ? ORDER BY number LIMIT ?"
        try:
            return [Batch(*row) for row in self._database.execute(question, (number, most))]
        except sqlite3.Error as error:
            raise _unusable(self._file, error) from error

    def remove(self, batches: Iterable[Batch]) -> None:
        """Forget batches that were confirmed."""
        gone = list(batches)
        self._write("DELETE FROM batches WHERE number = ?", [(batch.number,) for batch in gone])
        self.batches, self.readings = self.batches - len(gone), self.readings - sum(batch.readings for batch in gone)

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for row in rows:
                last = self._database.execute(statement, row).lastrowid
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise _unusable(self._file, error) from error
        return int(last or 0) if rows else 0
