"""Reads Parquet value by value, so that one value that is none stops only its own row."""

import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from indutech.tickets.contract import KINDS
from indutech.tickets.fields import INTEGER, Integer, Kind, Moment, Uuid
from indutech.tickets.formats import dates
from indutech.tickets.formats.dates import Reading
from indutech.tickets.formats.row import Account, ReplayRefused, Row, Unreadable, as_json, columns_of_fields, printable

ROWS_AT_ONCE = 4_096
_HELD: dict[type[Kind], str] = {Integer: "integer", Moment: "date"}  # everything else is text
_FIXED_OFFSET = re.compile(r"[+-]\d\d:\d\d")


def parquet_rows(path: Path, reading: Reading, account: Account) -> Iterator[Row]:
    """Yield the rows of a Parquet file."""
    account.word = "row"
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        places = columns_of_fields(path, schema.names)
        names = [schema.names[place] for place in places.values()]
        read = [_reader(path, field, schema.field(place).type, reading) for field, place in places.items()]
        number = 0
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
            columns = [one(_plain(batch.column(name))) for one, name in zip(read, names, strict=True)]
            for values in zip(*columns, strict=True):
                number += 1
                bad = next((value for value in values if isinstance(value, Unreadable)), None)
                yield Row(number, bad or as_json(dict(zip(places, values, strict=True))))
        if number != file.metadata.num_rows:
            raise OSError(f"it says that it has {file.metadata.num_rows:,} rows")


Values = Callable[[pa.Array], list[Any]]


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _reader(path: Path, field: str, declared: pa.DataType, reading: Reading) -> Values:
    """Return what reads a column of that type.

    Raises:
        ReplayRefused: no value of that type can be this field, or the user must say how to read it.
    """
    type_ = _plain_type(declared)
    if pa.types.is_null(type_):
        return lambda column: [None] * len(column)
    if _is_text(type_):
        return lambda column: [_text(field, value, reading) for value in column.cast(_as_bytes(type_)).to_pylist()]
    number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    kind = KINDS[field]
    if isinstance(kind, Integer) and number:
        return lambda column: [_integer(field, value) for value in column.to_pylist()]
    if isinstance(kind, Moment) and number:
        return _counts(path, field, reading)
    if isinstance(kind, Moment) and pa.types.is_timestamp(type_):
        return _timestamps(path, field, type_, reading)
    if isinstance(kind, Moment) and pa.types.is_date(type_):
        raise ReplayRefused(f"{path}: {field} is a day without a time ({type_}): write it as a timestamp.")
    raise ReplayRefused(
        f"{path}: column {field} is {printable(str(declared))[:80]}, which holds no "
        f"{_HELD.get(type(kind), 'text')}: cast it before writing the file."
    )


def _is_text(type_: pa.DataType) -> bool:
    kinds = pa.types
    return bool(
        kinds.is_string(type_)
        or kinds.is_large_string(type_)
        or kinds.is_string_view(type_)
        or kinds.is_binary(type_)
        or kinds.is_large_binary(type_)
        or kinds.is_binary_view(type_)
        or kinds.is_fixed_size_binary(type_)
    )


def _as_bytes(type_: pa.DataType) -> pa.DataType:
    """Text as its bytes: Arrow does not look at them, so that one that is not UTF-8 stops nothing."""
    if pa.types.is_string_view(type_) or pa.types.is_binary_view(type_):
        return pa.binary_view()
    return pa.large_binary() if pa.types.is_large_string(type_) or pa.types.is_large_binary(type_) else pa.binary()


def _text(field: str, value: bytes | None, reading: Reading) -> Any:
    if value is None:
        return None
    kind = KINDS[field]
    if isinstance(kind, Uuid) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        if not reading.encoding:
            return Unreadable(f"{field} is not valid UTF-8: --encoding says what it is")
        text = value.decode(reading.encoding, "replace")
    if isinstance(kind, Integer) and re.fullmatch(INTEGER, text) and len(text) <= 18:
        return int(text)
    return dates.from_text(text, reading, field) if isinstance(kind, Moment) else text


def _integer(field: str, value: int | float | Decimal | None) -> Any:
    if value is None or value != value:  # NaN is how pandas says null
        return None
    if value in (float("inf"), float("-inf")) or value != int(value):
        return Unreadable(f"{field} is not an integer: {value}")
    return int(value) if -(10**18) < value < 10**18 else Unreadable(f"{field} out of range: {value}")


def _counts(path: Path, field: str, reading: Reading) -> Values:
    def read(column: pa.Array) -> list[Any]:
        values = [None if value is None or value != value else value for value in column.to_pylist()]
        example = next((value for value in values if value is not None), None)
        if example is None:
            return values
        if reading.epoch is None:
            raise ReplayRefused(dates.no_unit(path, field, example))
        unit = reading.epoch
        return [None if value is None else dates.from_count(value, unit, field) for value in values]

    return read


def _timestamps(path: Path, field: str, type_: pa.TimestampType, reading: Reading) -> Values:
    zone = type_.tz
    known = zone is not None and (_FIXED_OFFSET.fullmatch(zone) or dates.zone_called(zone))
    if zone and not known and not reading.zone:
        raise ReplayRefused(
            f"{path}: {field} is in a time zone {printable(zone)} that does not exist: if its moments are "
            "in UTC, as Parquet asks for, say --assume-zone UTC."
        )

    def read(column: pa.Array) -> list[Any]:
        counts = column.cast(pa.int64()).to_pylist()
        if not known and not reading.zone:
            example = next((count for count in counts if count is not None), None)
            if example is not None:
                raise ReplayRefused(dates.no_zone(path, field, dates.clock_at(example, type_.unit, field)))
        return [None if count is None else _moment(count) for count in counts]

    def _moment(count: int) -> str | Unreadable:
        if known or reading.zone is None:
            return dates.from_count(count, type_.unit, field)
        shown = dates.clock_at(count, type_.unit, field)
        return shown if isinstance(shown, Unreadable) else dates.from_clock(shown, reading.zone, field)

    return read
