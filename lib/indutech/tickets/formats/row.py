"""What every format returns: rows that are JSON or unreadable, an account of them, and the refusal of a whole file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from indutech.system.errors import InduTechError
from indutech.tickets.contract import FIELDS, REQUIRED

LINE_AT_MOST = 16 << 20  # bytes of one row, in every format: a file without line ends must not fill the memory
TOO_LONG = f"longer than {LINE_AT_MOST:,} bytes"
_NAMES_SHOWN = 200  # characters


class ReplayRefused(InduTechError):
    """The file cannot be read as tickets at all; the sentence is printable, whatever the file is called and holds."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


@dataclass(frozen=True)
class Unreadable:
    """A row that could not even be turned into JSON."""

    reason: str


@dataclass(frozen=True)
class Row:
    """One row: its number (of the line it begins in, for text in lines), its JSON, and how many lines it takes."""

    number: int
    body: bytes | Unreadable
    lines: int = 1


@dataclass
class Account:
    """What was read of a file, so that a replay can show that no row was left out.

    `lines` is counted where lines are read, `lines_in_rows` where rows are returned; the rest is blank or stands
    before the header.
    """

    word: str = "line"  # what a row is called in this format: line or row
    rows: int = 0
    lines: int = 0
    lines_in_rows: int = 0
    blank_lines: int = 0
    head_lines: int = 0
    notes: list[str] = field(default_factory=list)

    def check(self, path: Path) -> None:
        """Return if each line of the file is in a row, blank, or before the first row.

        Raises:
            ReplayRefused: the reader lost a line, which is a defect of this program.
        """
        explained = self.lines_in_rows + self.blank_lines + self.head_lines
        if self.word == "line" and explained != self.lines:
            raise ReplayRefused(
                f"{path} has {self.lines:,} lines, but only {explained:,} of them were read as rows, blank lines or "
                "header: this is a defect of indutech. What could be read was sent; please report it with the file."
            )


def printable(text: str) -> str:
    """Return a text with `?` for what a terminal cannot show or would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


def as_json(row: Mapping[str, Any]) -> bytes | Unreadable:
    """Return the fields of a ticket as JSON, in the order of the contract."""
    try:
        return orjson.dumps({name: row[name] for name in FIELDS if name in row})
    except orjson.JSONEncodeError as error:
        return Unreadable("invalid UTF-8" if "surrogates" in str(error) else f"not a ticket: {error}")


def plain_name(name: str) -> str:
    """Return the name of a column without case, blanks, quotes and underscores: "Ticket ID" is `ticket_id`."""
    return "".join(character for character in name.casefold() if character.isalnum())


def columns_of_fields(path: Path, names: Sequence[str]) -> dict[str, int]:
    """Return where each field of a ticket stands among the columns of a table; an optional one may have no column.

    Raises:
        ReplayRefused: a required field has no column, or a field has more than one.
    """
    plain = [plain_name(name) for name in names]
    places = {field: [at for at, name in enumerate(plain) if name == plain_name(field)] for field in FIELDS}
    if repeated := [field for field, found in places.items() if len(found) > 1]:
        told = ", ".join(f"{field} ({' and '.join(str(at + 1) for at in places[field])})" for field in repeated)
        raise ReplayRefused(
            f"{path} has more than one column {told}, and nothing says which one counts: rename or remove one."
        )
    if missing := [field for field in REQUIRED if not places[field]]:
        there = printable(", ".join(names))[:_NAMES_SHOWN] or "none"
        raise ReplayRefused(
            f"{path} has no column {', '.join(missing)}: it has {there}, and a ticket needs {', '.join(REQUIRED)}."
        )
    return {field: found[0] for field, found in places.items() if found}
