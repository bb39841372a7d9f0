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
from indutech.tickets.files import AS_IT_SAYS, Account, Reading, ReplayRefused, Unreadable, check_file, read_lines
from indutech.tickets.formats.row import printable


class Replay:
    """The valid tickets of one file; a context manager that closes the list of invalid lines."""

    def __init__(
        self, settings: Settings, source: Path, tally: Tally, message_bytes: int, reading: Reading = AS_IT_SAYS
    ) -> None:
        check_file(source)
        self._source, self._tally, self._message_bytes, self._reading = source, tally, message_bytes, reading
        self._stack = ExitStack()
        self._listed: IO[bytes] | None = None
        self.bad_lines_file = settings.audit_file.parent / f"{source.name}.bad-lines.jsonl"
        self.account = Account()
        self.bad_lines = 0
        self.first_bad: list[str] = []

    def __enter__(self) -> Self:
        self.bad_lines_file.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def messages(self, batch: int, count: int | None = None) -> Iterator[list[tuple[bytes, bytes]]]:
        """Yield the good tickets as lists of (key, JSON): those of the next `batch` lines, which may be none.

        With `count`, reading ends with the ticket of that number.
        """
        ready: list[tuple[bytes, bytes]] = []
        good = 0
        for place, (number, line) in enumerate(read_lines(self._source, self._reading, self.account), start=1):
            ticket = Rejected(line.reason) if isinstance(line, Unreadable) else validate(line)
            if isinstance(ticket, Rejected):
                self._bad(number, ticket.reason)
            elif self._fits(number, message := (b"%d" % ticket.client_id, as_json(ticket))):
                ready.append(message)
                good += 1
                if good == count:
                    break
            if place % batch == 0:
                yield ready
                ready = []
        yield ready

    def _fits(self, number: int, message: tuple[bytes, bytes]) -> bool:
        size = sum(map(len, message))
        if size > self._message_bytes:
            self._tally.sent += 1
            self._tally.fail(
                f"{self.account.word} {number}: {size:,} bytes is more than the {self._message_bytes:,} "
                "that the topic accepts in one message (max.message.bytes)"
            )
        return size <= self._message_bytes

    def _bad(self, number: int, reason: str) -> None:
        self.bad_lines += 1
        reason = printable(reason)
        if len(self.first_bad) < ERRORS_KEPT:
            self.first_bad.append(f"{self.account.word} {number}: {reason}")
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
