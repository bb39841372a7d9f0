"""Reads files of tickets in bounded memory: each line or row of JSONL, CSV or Parquet as JSON, ready to validate."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.system.errors import InduTechError
from indutech.tickets.contract import FIELDS, KINDS, REQUIRED
from indutech.tickets.fields import INTEGER, Integer, Moment

LINE_AT_MOST = 16 << 20  # bytes: a file without line ends must not fill the memory
ROWS_AT_ONCE = 4_096
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SUFFIXES = (".jsonl", ".ndjson", ".csv", ".parquet", ".jsonl.gz", ".ndjson.gz", ".csv.gz")


class ReplayRefused(InduTechError):
    """The file cannot be read as tickets at all."""


@dataclass(frozen=True)
class Unreadable:
    """A line that could not even be turned into JSON."""

    reason: str


Line = tuple[int, bytes | Unreadable]


def check_file(path: Path) -> None:
    """Return if there is such a file, and its name says how to read it.

    Raises:
        ReplayRefused: with what is wrong.
    """
    if not path.is_file():
        raise ReplayRefused(f"There is no file {path} to replay.")
    if not path.name.lower().endswith(SUFFIXES):
        raise ReplayRefused(
            f"{path.name} is of no kind that can be replayed: its name must end in one of {', '.join(SUFFIXES)}."
        )


def read_lines(path: Path) -> Iterator[Line]:
    """Yield (number, JSON) of each line or row; numbers start at 1, and the header of a CSV is line 1.

    Raises:
        ReplayRefused: no such file, an unknown suffix, a missing column, or a file that breaks off.
    """
    check_file(path)
    name = path.name.lower()
    number = 0
    try:
        if name.endswith(".parquet"):
            lines = _parquet_rows(path)
        else:
            opened = gzip.open if name.endswith(".gz") else open
            lines = (_csv_rows if ".csv" in name[-7:] else _json_lines)(path, opened)
        for number, line in lines:
            yield number, line
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        where = f"after line {number:,}" if number else "at its beginning"
        raise ReplayRefused(f"{path} cannot be read {where}: {error}. What came before was sent.") from error


def _json_lines(path: Path, opened: Any) -> Iterator[Line]:
    with opened(path, "rb") as file:
        number = 0
        while line := file.readline(LINE_AT_MOST):
            number += 1
            if number == 1:
                line = line.removeprefix(BYTE_ORDER_MARK)
            if len(line) == LINE_AT_MOST and not line.endswith(b"\n"):
                while (rest := file.readline(LINE_AT_MOST)) and not rest.endswith(b"\n"):
                    pass
                yield number, Unreadable(f"line longer than {LINE_AT_MOST:,} bytes")
            elif line.strip():
                yield number, line


def _csv_rows(path: Path, opened: Any) -> Iterator[Line]:
    with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        header = file.readline(LINE_AT_MOST)
        separator = max(",;\t", key=header.count)  # spreadsheets set to French write semicolons
        names = next(csv.reader([header], delimiter=separator), [])
        _need_columns(path, names)
        reader = csv.reader(_bounded_lines(file), delimiter=separator)
        while True:
            number = reader.line_num + 2
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, Unreadable(f"not CSV: {error}")
                continue
            if len(cells) == len(names):
                yield number, _csv_row(dict(zip(names, cells, strict=True)))
            elif cells:
                yield number, Unreadable(f"{len(cells)} cells where the header has {len(names)}")


def _bounded_lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(LINE_AT_MOST):
        yield line


def _csv_row(row: dict[str, Any]) -> bytes | Unreadable:
    for name in row.keys() & KINDS:
        cell = row[name].strip()
        if not cell and name not in REQUIRED:
            row[name] = None
        elif isinstance(KINDS[name], Integer) and re.fullmatch(INTEGER, cell) and len(cell) <= 18:
            row[name] = int(cell)
    return _as_json(row)


def _parquet_rows(path: Path) -> Iterator[Line]:
    with pq.ParquetFile(path) as file:
        _need_columns(path, file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(
            ROWS_AT_ONCE, columns=[name for name in FIELDS if name in file.schema_arrow.names]
        ):
            for row in _in_microseconds(batch).to_pylist():
                number += 1
                yield number, _as_json(row)


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Python's datetime holds no nanoseconds."""
    for at, field in enumerate(batch.schema):
        if isinstance(KINDS[field.name], Moment) and pa.types.is_timestamp(field.type):
            moments = batch.column(at).cast(pa.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(at, field.name, moments)
    return batch


def _as_json(row: dict[str, Any]) -> bytes | Unreadable:
    try:
        return orjson.dumps({name: row[name] for name in FIELDS if name in row})
    except orjson.JSONEncodeError as error:
        return Unreadable("invalid UTF-8" if "surrogates" in str(error) else f"not a ticket: {error}")


def _need_columns(path: Path, names: list[str]) -> None:
    missing = [field for field in REQUIRED if field not in names]
    if missing:
        raise ReplayRefused(
            f"{path} has no column {', '.join(missing)}: it has {', '.join(names) or 'none'}, "
            f"and a ticket needs {', '.join(REQUIRED)}."
        )
