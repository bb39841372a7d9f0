"""Writes the same rows as Parquet files, as an Iceberg table, as a Delta table and as a DuckDB view, file by file."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog

Rows = Sequence[tuple[int, int]]
"""Partition and offset of each row."""

FLAT = ("kafka_partition", "kafka_offset")


def rows(partition: int, first: int, end: int, *, without: Sequence[int] = ()) -> Rows:
    """Rows of one partition, from `first` on and below `end`."""
    return [(partition, offset) for offset in range(first, end) if offset not in without]


def arrow(some: Rows, columns: tuple[str, str] = FLAT) -> pa.Table:
    """The rows as an Arrow table; a dot in the names makes a struct."""
    partitions = pa.array([partition for partition, _ in some], pa.int32())
    offsets = pa.array([offset for _, offset in some], pa.int64())
    root, dot, _ = columns[0].partition(".")
    if not dot:
        return pa.table(
            {columns[0]: partitions, columns[1]: offsets, "value": pa.array(["x"] * len(some), pa.string())}
        )
    struct = pa.StructArray.from_arrays([partitions, offsets], names=[name.split(".")[1] for name in columns])
    return pa.table({root: struct, "value": pa.array(["x"] * len(some), pa.string())})


def parquet(folder: Path, files: Sequence[Rows], columns: tuple[str, str] = FLAT) -> str:
    """One Parquet file each; what was there before is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, some in enumerate(files):
        pq.write_table(arrow(some, columns), folder / f"{number:03}.parquet", compression="none", use_dictionary=False)
    return str(folder)


def iceberg(folder: Path, files: Sequence[Rows], columns: tuple[str, str] = FLAT) -> str:
    """One append each; a table that is there is rewritten by one commit, as a compaction does it."""
    catalog = iceberg_catalog(folder)
    catalog.create_namespace_if_not_exists("lake")
    first, *more = [arrow(some, columns) for some in files]
    if catalog.table_exists("lake.events"):
        table = catalog.load_table("lake.events")
        table.overwrite(first)
    else:
        table = catalog.create_table("lake.events", schema=first.schema)
        table.append(first)
    for one in more:
        table.append(one)
    return str(folder / "lake" / "events")


def iceberg_catalog(folder: Path) -> SqlCatalog:
    """The catalog of that folder: one SQLite file."""
    folder.mkdir(parents=True, exist_ok=True)
    return SqlCatalog("tests", uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder))


def delta(folder: Path, files: Sequence[Rows], columns: tuple[str, str] = FLAT) -> str:
    """One append each; a table that is there is rewritten, as a compaction does it."""
    mode = "overwrite" if DeltaTable.is_deltatable(str(folder)) else "append"
    for number, some in enumerate(files):
        write_deltalake(str(folder), arrow(some, columns), mode=mode if number == 0 else "append")
    return str(folder)


def view(folder: Path, files: Sequence[Rows], columns: tuple[str, str] = FLAT) -> str:
    """A view over Parquet files, in a database of its own."""
    parquet(folder / "files", files, columns)
    database = folder / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE OR REPLACE VIEW events AS SELECT * FROM '{folder}/files/*.parquet'")
    return f"duckdb:{database}#events"


SHAPES: dict[str, Callable[..., str]] = {"parquet": parquet, "iceberg": iceberg, "delta": delta, "duckdb": view}


def data_files(shape: str, folder: Path) -> list[Path]:
    """The Parquet files below a table, oldest first."""
    found = [path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
    return sorted(
        found, key=lambda path: (path.name if shape in ("parquet", "duckdb") else "", path.stat().st_mtime_ns)
    )
