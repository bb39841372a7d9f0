"""From what the user names to a table that can be read: by prefix (`delta:`, `duckdb:`) or by what is there."""

from collections.abc import Callable
from pathlib import Path

from indutech.proof.sources import delta, duckdb_view, iceberg, parquet
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import Source

Opener = Callable[[str, Columns | None, str | None, str], Source]

SHAPES: dict[str, Opener] = {
    "parquet": parquet.open_files,
    "iceberg": iceberg.open_table,
    "delta": delta.open_table,
    "duckdb": duckdb_view.open_view,
}


def open_source(named: str, columns: Columns | None, topic: str | None, kind: str = "table") -> Source:
    """Open a table; a folder is Delta if it has a `_delta_log`, Iceberg if it has metadata files, else Parquet."""
    shape, _, where = named.partition(":")
    if shape in SHAPES and where:
        return SHAPES[shape](where, columns, topic, kind)
    return SHAPES[_shape_of(Path(named))](named, columns, topic, kind)


def _shape_of(place: Path) -> str:
    if (place / "_delta_log").is_dir():
        return "delta"
    if place.name.endswith(".metadata.json") or any((place / "metadata").glob("*.metadata.json")):
        return "iceberg"
    return "parquet"
