"""Reads a file of tickets for sending: each line is validated, and invalid ones go to a list instead of the topic."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import orjson

from indutech.producer.counts import ERRORS_KEPT, Tally
from indutech.system.settings import Settings
from indutech.tickets.contract import Rejected, Ticket, validate
from indutech.tickets.files import ReplayRefused, Unreadable, check_file, read_lines


class Replay:
    """The valid tickets of one file; a context manager that closes the list of invalid lines."""

    def __init__(self, settings: Settings, source: Path, tally: Tally, message_bytes: int) -> None:
        check_file(source)
        self._source, self._tally, self._message_bytes = source, tally, message_bytes
        self._stack = ExitStack()
        self._listed: IO[bytes] | None = None
        self.bad_lines_file = settings.audit_file.parent / f"{source.name}.bad-lines.jsonl"
        self.bad_lines = 0
        self.first_bad: list[str] = []

    def __enter__(self) -> Self:
        self.bad_lines_file.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def messages(self, batch: int) -> Iterator[list[tuple[bytes, bytes]]]:
        """Yield the good tickets as lists of (key, JSON): those of the next `batch` lines, which may be none."""
        ready: list[tuple[bytes, bytes]] = []
        for place, (number, line) in enumerate(read_lines(self._source), start=1):
            ticket = Rejected(line.reason) if isinstance(line, Unreadable) else validate(line)
            if isinstance(ticket, Rejected):
                self._bad(number, ticket.reason)
            elif self._fits(number, message := (b"%d" % ticket.client_id, as_json(ticket))):
                ready.append(message)
            if place % batch == 0:
                yield ready
                ready = []
        yield ready

    def _fits(self, number: int, message: tuple[bytes, bytes]) -> bool:
        size = sum(map(len, message))
        if size > self._message_bytes:
            self._tally.sent += 1
            self._tally.fail(
                f"line {number}: {size:,} bytes is more than the {self._message_bytes:,} that the topic accepts "
                "in one message (max.message.bytes)"
            )
        return size <= self._message_bytes

    def _bad(self, number: int, reason: str) -> None:
        self.bad_lines += 1
        if len(self.first_bad) < ERRORS_KEPT:
            self.first_bad.append(f"line {number}: {reason}")
        try:
            if self._listed is None:
                self._listed = self._stack.enter_context(self.bad_lines_file.open("wb"))
            self._listed.write(orjson.dumps({"line": number, "reason": reason}, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise ReplayRefused(
                f"The list of bad lines {self.bad_lines_file} cannot be written: {error.strerror}. "
                "Make room or give write access, or use another INDUTECH_DATA_DIR."
            ) from error


def as_json(ticket: Ticket) -> bytes:
    """Return a ticket as the generator writes it: the contract's fields in their order, the date in UTC."""
    return orjson.dumps(ticket.model_dump(), option=orjson.OPT_UTC_Z)
