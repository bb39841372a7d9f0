"""Reads files of tickets in bounded memory: each row of CSV, JSON or Parquet as JSON, ready to validate."""

import io
from collections.abc import Iterator
from pathlib import Path

from indutech.tickets.contract import FIELDS
from indutech.tickets.formats import container, dates
from indutech.tickets.formats.csv_header import names_fields
from indutech.tickets.formats.csv_rows import csv_rows
from indutech.tickets.formats.dates import Reading as Reading
from indutech.tickets.formats.encoding import utf8
from indutech.tickets.formats.json_rows import is_in_lines, json_lines, json_values
from indutech.tickets.formats.parquet_rows import parquet_rows
from indutech.tickets.formats.row import LINE_AT_MOST as LINE_AT_MOST
from indutech.tickets.formats.row import TOO_LONG, Row
from indutech.tickets.formats.row import Account as Account
from indutech.tickets.formats.row import ReplayRefused as ReplayRefused
from indutech.tickets.formats.row import Unreadable as Unreadable

AS_IT_SAYS = Reading()
LOOKED_AT_ROWS, _LOOKED_AT_BYTES = 100, 4 << 20  # before the first is sent: is the whole file in need of an option?
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")
_JSON = (".jsonl", ".ndjson", ".json")
_CSV = (".csv", ".tsv", ".tab", ".psv", ".txt")

Line = tuple[int, bytes | Unreadable]


def check_file(path: Path) -> None:
    """Return if there is such a file.

    Raises:
        ReplayRefused: with what is wrong.
    """
    if path.is_dir():
        raise ReplayRefused(f"{path} is a folder: replay its files one by one.")
    if not path.is_file():
        raise ReplayRefused(f"There is no file {path} to replay.")


def read_lines(path: Path, reading: Reading = AS_IT_SAYS, account: Account | None = None) -> Iterator[Line]:
    """Yield (number, JSON) of each row; in text it is the number of its first line, and the header of a CSV is line 1.

    `account` says afterwards how many rows there were and what else the file held.

    Raises:
        ReplayRefused: no such file, one that is wrong as a whole, or one that breaks off.
    """
    check_file(path)
    account = Account() if account is None else account
    number = 0
    try:
        rows = _rows(path, reading, account)
        first, broken = _first_rows(rows)
        if missing := dates.what_is_missing(row.body for row in first if isinstance(row.body, bytes)):
            raise ReplayRefused(missing(str(path)))
        for row in _chained(first, broken, rows):
            number = row.number
            account.rows += 1
            account.lines_in_rows += row.lines
            too_long = isinstance(row.body, bytes) and len(row.body) > LINE_AT_MOST
            yield number, Unreadable(f"{account.word} {TOO_LONG}") if too_long else row.body
        account.check(path)
    except container.BROKEN as error:
        where = f"after {account.word} {number:,}. What came before was sent" if number else "at its beginning"
        raise ReplayRefused(
            f"{path} cannot be read {where}: {str(error)[:200].rstrip('.')}. It is damaged or was cut short, "
            "perhaps by a copy that did not end."
        ) from error


def _first_rows(rows: Iterator[Row]) -> tuple[list[Row], Exception | None]:
    first: list[Row] = []
    size = 0
    try:
        for row in rows:
            first.append(row)
            size += len(row.body) if isinstance(row.body, bytes) else 0
            if len(first) >= LOOKED_AT_ROWS or size > _LOOKED_AT_BYTES:
                break
    except container.BROKEN as error:
        return first, error
    return first, None


def _chained(first: list[Row], broken: Exception | None, rows: Iterator[Row]) -> Iterator[Row]:
    yield from first
    if broken:
        raise broken
    yield from rows


def _rows(path: Path, reading: Reading, account: Account) -> Iterator[Row]:
    if container.is_parquet(path):
        return parquet_rows(path, reading, account)
    opened = utf8(path, container.opening(path), reading.encoding)
    first = container.sample(opened)
    if not first.strip():
        with opened() as file:
            file.read(1)  # a file that cannot be unpacked says so
        raise ReplayRefused(f"{path} is empty: there is no ticket in it. See whether its export went through.")
    return _text_rows(path, first, opened(), reading, account)


def _text_rows(path: Path, first: bytes, file: io.BufferedReader, reading: Reading, account: Account) -> Iterator[Row]:
    name = path.name.lower()
    while name.endswith(_PACKED):
        name = name.rpartition(".")[0]
    if is_in_lines(first, said=name.endswith(_JSON[:2])):
        return json_lines(file, reading, account)
    if first.lstrip().startswith((b"{", b"[")):
        return json_values(file, reading, account)
    if name.endswith(_CSV) or names_fields(first):
        return csv_rows(path, file, reading, account)
    if name.endswith(_JSON):
        return json_lines(file, reading, account)
    file.close()
    raise ReplayRefused(
        f"{path.name} is of no kind that can be replayed: it has no column names ({','.join(FIELDS)}), is no JSON and "
        "no Parquet. If it is one of them and damaged at its beginning, its name must end in one of .jsonl, .ndjson, "
        ".csv, .parquet to be read line by line."
    )
