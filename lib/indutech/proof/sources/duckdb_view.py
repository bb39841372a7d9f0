"""A view, table or query of DuckDB as one unit: so a CSV, a JSON file or another database can be audited as well."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb

from indutech.proof.sources import columns as known_columns
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import BATCH_ROWS, Places, Source, TableUnreadable, Unit


def open_view(where: str, wanted: Columns | None, topic: str | None, kind: str) -> Source:
    """Open `FILE#VIEW` or `FILE#SELECT …`; without a file, DuckDB works in memory. The file is opened read-only.

    Raises:
        TableUnreadable: the database or the view is not there, or the columns are not.
    """
    file, _, asked = where.partition("#")
    if not asked:
        raise TableUnreadable(f"duckdb:{where} names no view: write duckdb:{file or 'FILE'}#VIEW or #SELECT ….")
    if file and not Path(file).is_file():
        raise TableUnreadable(f"No DuckDB database at {file}.")
    query = f"({asked})" if re.match(r"\s*(select|with|from)\b", asked, re.IGNORECASE) else _quoted(asked)
    try:
        with _connection(file) as database:
            schema = database.sql(f"FROM {query} LIMIT 0").to_arrow_table().schema
    except duckdb.Error as error:
        raise TableUnreadable(f"DuckDB cannot read {asked}: {error}") from error
    columns = known_columns.choose(wanted, known_columns.names_in(schema), asked)
    picked = ", ".join(f"{_path(name, schema.names)} AS {_quoted(name, whole=True)}" for name in columns.named)
    read = partial(_read, file, f"SELECT {picked} FROM {query} AS audited", columns, topic)
    return Source(asked, "DuckDB", columns.described, file or "in memory", [Unit(asked, read, kind)])


def _read(file: str, query: str, columns: Columns, topic: str | None) -> Iterator[Places]:
    try:
        with _connection(file) as database:
            # Streamed rather than computed first, so that memory stays bounded.
            for batch in database.sql(query).to_arrow_reader(BATCH_ROWS):
                yield known_columns.places(batch, columns, topic)
    except duckdb.Error as error:
        raise TableUnreadable(f"DuckDB cannot read the view to its end: {error}") from error


def _connection(file: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "512MB",
        "preserve_insertion_order": False,
    }
    return duckdb.connect(file or ":memory:", read_only=bool(file), config=settings)


def _path(name: str, there: list[str]) -> str:
    return _quoted(name, whole=name in there)


def _quoted(name: str, *, whole: bool = False) -> str:
    parts = [name] if whole else name.split(".")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
