"""Finds the header of a CSV: which line it is, what separates and quotes cells, and which column each field is."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indutech.tickets.contract import FIELDS
from indutech.tickets.formats.row import ReplayRefused, columns_of_fields, plain_name, printable

SEPARATORS = ",;\t|^~\x01\x1f"  # spreadsheets set to French write semicolons, Hive writes \x01
LOOKED_AT = 50  # lines, in search of a header
_EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_PLAIN_FIELDS = frozenset(map(plain_name, FIELDS))


@dataclass(frozen=True)
class Header:
    """How to read the rows below it."""

    line: int  # its number
    columns: int
    places: dict[str, int]  # of the fields among the columns
    separator: str
    quote: str
    blanks_around: tuple[bool, bool]  # before and after cells


def find_header(path: Path, lines: Sequence[str]) -> Header:
    """Return the header among the first lines of a CSV.

    Raises:
        ReplayRefused: there is none, or it lacks a field or has one twice.
    """
    excel = next((_EXCEL.fullmatch(line) for line in lines if line.strip()), None)
    separators = excel[1] if excel else SEPARATORS
    best: tuple[int, int, list[str], str] = (0, 0, [], "")
    for number, line in enumerate(lines, start=1):
        for separator in separators:
            found = _fields_named(line, separator)
            if found > best[0]:
                best = found, number, _cells(line, separator, '"'), separator
    found, number, names, separator = best
    if found < 2:
        first = next((line for line in lines if line.strip()), "")
        raise ReplayRefused(
            f"{path} has no column names in its first {len(lines)} lines (it begins with "
            f"{printable(first.strip()[:60]) or 'nothing'}): put a line {','.join(FIELDS)} before the rows."
        )
    while len(names) > 1 and not names[-1].strip():
        names.pop()  # each line ends with a separator
    places = columns_of_fields(path, [name.strip() for name in names])
    between = [name for name in names if name.strip()]
    before = sum(name.startswith(" ") for name in between) * 2 >= len(between)
    after = sum(name.endswith(" ") for name in between) * 2 >= len(between)
    quote = "'" if all(name.strip().startswith("'") for name in between) else '"'
    return Header(number, len(names), places, separator, quote, (before, after))


def names_fields(first: bytes) -> bool:
    """Tell whether a text has the column names of tickets among its first lines."""
    lines = first.decode("utf-8", "replace").splitlines()[:LOOKED_AT]
    return any(_fields_named(line, separator) > 1 for line in lines for separator in SEPARATORS)


def _fields_named(line: str, separator: str) -> int:
    return len(_PLAIN_FIELDS & set(map(plain_name, _cells(line, separator, '"'))))


def _cells(line: str, separator: str, quote: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=separator, quotechar=quote), [])
