"""Reads a CSV line by line: each physical line is in a row that is returned, readable or not.

Python's csv module takes a line apart, strictly. What it cannot know is whether a quoted field that runs over line
ends is one text of several lines or a stray quote that swallows the rows after it; that is decided here.
"""

import csv
import io
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from indutech.tickets.contract import KINDS, REQUIRED
from indutech.tickets.fields import INTEGER, UUID, FreeText, Integer, Moment, Word
from indutech.tickets.formats.container import BROKEN
from indutech.tickets.formats.csv_header import LOOKED_AT, Header, find_header
from indutech.tickets.formats.dates import WRITTEN, Reading, from_text
from indutech.tickets.formats.encoding import UNKNOWN_BYTES
from indutech.tickets.formats.row import LINE_AT_MOST, TOO_LONG, Account, Row, Unreadable, as_json

UNCLOSED = "a quoted field begins in this line and does not end where a cell ends"
FLOAT_HINT = (
    "{field} is written like 1001.0, which is no integer: pandas does so where a column has gaps; "
    'write it with .astype("Int64").'
)
_FLOAT = re.compile(r"-?\d+\.0+", re.ASCII)
_WORDS = {str(word): field for field, kind in KINDS.items() if isinstance(kind, Word) for word in kind.vocabulary}
_UNKNOWN = UNKNOWN_BYTES.decode("utf-8", "surrogateescape")
_KINDS_REPEATED = 2  # in two lines of one row: a date and a type, say, so there is a second row in it


def csv_rows(path: Path, file: io.BufferedReader, reading: Reading, account: Account) -> Iterator[Row]:
    """Yield the rows of a CSV in UTF-8."""
    csv.field_size_limit(LINE_AT_MOST)
    with io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="") as text:
        lines = _Lines(text, account)
        head = lines.ahead(LOOKED_AT)
        header = find_header(path, head)
        yield from _before_the_rows(lines, header, account)
        while (line := lines.take()) is not None:
            number = lines.number
            if line is _CUT:
                yield Row(number, Unreadable(f"line {TOO_LONG}"))
            elif not line.strip("\r\n\x1a "):
                account.blank_lines += 1
            else:
                cells, taken = _cells(line, lines, header)
                yield Row(number, _body(cells, header, reading, account), taken)


def _before_the_rows(lines: "_Lines", header: Header, account: Account) -> Iterator[Row]:
    skipped = 0
    for number in range(1, header.line + 1):
        line = lines.take() or ""
        if number < header.line and len(_kinds(line, header)) >= _KINDS_REPEATED:
            yield Row(number, Unreadable(f"stands before the column names, which are in line {header.line}"))
        else:
            account.head_lines += 1
            preamble = number < header.line and line.strip() and not line.strip(' "').lower().startswith("sep=")
            skipped += bool(preamble)
    if skipped:
        account.notes.append(
            f"The column names are in line {header.line}: what stands before them (lines of preamble: {skipped}) "
            "was not read."
        )


_CUT = "\0 a line that is too long to be kept"


class _Lines:
    """The physical lines of a text, counted, with a way to put back those that were looked at."""

    def __init__(self, text: io.TextIOWrapper, account: Account) -> None:
        self._text, self._account = text, account
        self._waiting: deque[str] = deque()
        self._broken: Exception | None = None
        self.number = 0  # of the line taken last

    def take(self) -> str | None:
        """Return the next line with its end; None after the last."""
        if not self._waiting and self._broken:
            raise self._broken
        if not self._waiting and not self._read():
            return None
        self.number += 1
        return self._waiting.popleft()

    def put_back(self, lines: list[str]) -> None:
        """Let lines that were taken be taken again."""
        self.number -= len(lines)
        self._waiting.extendleft(reversed(lines))

    def ahead(self, count: int) -> list[str]:
        """Return the next lines and leave them where they are."""
        try:
            while len(self._waiting) < count and self._read():
                pass
        except BROKEN as error:  # the lines before it are read first
            self._broken = error
        return list(self._waiting)

    def _read(self) -> bool:
        line = self._text.readline(LINE_AT_MOST)
        if not line:
            return False
        if len(line) == LINE_AT_MOST and not line.endswith(("\r", "\n")):
            while (rest := self._text.readline(LINE_AT_MOST)) and not rest.endswith(("\r", "\n")):
                pass
            line = _CUT
        self._account.lines += 1
        self._waiting.append(line)
        return True


def _cells(line: str, lines: _Lines, header: Header) -> tuple[list[str] | Unreadable, int]:
    """Return the cells of the row that begins with a line, and how many lines it takes."""
    if header.quote not in line:
        cells = _parsed(iter([line]), header, header.blanks_around[0])
        if not isinstance(cells, Unreadable) and len(cells) == header.columns and any(cells):
            return cells, 1
    first: list[str] | Unreadable | None = None
    for blanks, backslash in _dialects(line, header):
        more: list[str] = []
        cells = _parsed(_with_more(line, more, lines, header, backslash), header, blanks)
        if not isinstance(cells, Unreadable):
            while len(cells) > header.columns and not cells[-1].strip():
                cells.pop()  # the line ends with a separator
            if len(cells) == header.columns and any(cells):
                return cells, 1 + len(more)
        lines.put_back(more)
        if more and not isinstance(cells, Unreadable):
            cells = Unreadable(UNCLOSED)
        first = first or cells
    if isinstance(first, list):
        first = Unreadable(
            f"{len(first)} cells where the header has {header.columns}" if any(first) else "every cell is empty"
        )
    return first or Unreadable(UNCLOSED), 1


def _dialects(line: str, header: Header) -> Iterator[tuple[bool, bool]]:
    """Yield the ways to read a row, the likeliest first: blanks before a cell are no part of it; \\" is a quote."""
    blank_and_quote = f"{header.separator} {header.quote}" in line
    for blanks in dict.fromkeys([header.blanks_around[0] or blank_and_quote, header.blanks_around[0]]):
        yield blanks, False
        if "\\" + header.quote in line:  # Spark and MySQL write a quote so
            yield blanks, True


def _with_more(line: str, more: list[str], lines: _Lines, header: Header, backslash: bool) -> Iterator[str]:
    """Yield a line, and then those that follow, until one shows that they are rows of their own."""
    size = len(line)
    kinds: Counter[str] | None = None
    while True:
        yield line.replace("\\" + header.quote, header.quote * 2) if backslash else line
        following = lines.take()
        if following is None:
            return
        if kinds is None:  # not before: most rows have one line
            kinds = Counter(_kinds(line, header))
        more.append(following)
        size += len(following)
        kinds.update(_kinds(following, header))
        if following is _CUT or size > LINE_AT_MOST:
            return
        if sum(times > 1 for times in kinds.values()) >= _KINDS_REPEATED:
            return
        line = following


def _parsed(lines: Iterator[str], header: Header, blanks: bool) -> list[str] | Unreadable:
    reader = csv.reader(lines, delimiter=header.separator, quotechar=header.quote, skipinitialspace=blanks, strict=True)
    try:
        return next(reader, [])
    except csv.Error as error:
        return Unreadable(f"a cell {TOO_LONG}" if "field limit" in str(error) else UNCLOSED)


def _kinds(line: str, header: Header) -> set[str]:
    """Return what of a ticket a line holds as whole cells, quotes aside."""
    kinds = set()
    for cell in line.split(header.separator):
        text = cell.strip("\r\n\t \"'")
        if not text or len(text) > 40:
            continue
        if re.fullmatch(UUID, text):
            kinds.add("UUID")
        elif WRITTEN.fullmatch(text):
            kinds.add("moment")
        elif re.fullmatch(r"[1-9]\d{3}(?:\.0)?", text):
            kinds.add("integer")
        elif (word := unicodedata.normalize("NFC", text)) in _WORDS:
            kinds.add(_WORDS[word])
    return kinds


def _body(cells: list[str] | Unreadable, header: Header, reading: Reading, account: Account) -> bytes | Unreadable:
    if isinstance(cells, Unreadable):
        return cells
    row: dict[str, object] = {field: cells[at] for field, at in header.places.items()}
    for field, cell in row.items():
        text = str(cell)
        if _UNKNOWN in text:
            return Unreadable(f"not valid {reading.encoding or 'UTF-16'}")
        if header.blanks_around[1]:
            text = text.rstrip(" ")
        value = text if isinstance(KINDS[field], FreeText) else _value(field, text.strip(), reading, account)
        if isinstance(value, Unreadable):
            return value
        row[field] = None if text.strip() == "" and field not in REQUIRED else value
    return as_json(row)


def _value(field: str, text: str, reading: Reading, account: Account) -> object:
    """Return what a cell says, as the kind of its field has it; what it cannot be stays text, for validation."""
    if isinstance(KINDS[field], Moment):
        return from_text(text, reading, field)
    if isinstance(KINDS[field], Integer):
        if re.fullmatch(INTEGER, text) and len(text) <= 18:
            return int(text)
        if _FLOAT.fullmatch(text) and (hint := FLOAT_HINT.format(field=field)) not in account.notes:
            account.notes.append(hint)
    return text
