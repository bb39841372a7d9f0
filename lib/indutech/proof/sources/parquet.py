"""Parquet files as units: named one by one, by a folder, or by a pattern."""

import glob
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indutech.lake.store import files as lake_files
from indutech.lake.store.files import LakePath
from indutech.proof.sources import columns as known_columns
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import BATCH_ROWS, Places, Source, TableUnreadable, Unit, UnitUnreadable, UnitVanished


def open_files(where: str, wanted: Columns | None, topic: str | None, kind: str) -> Source:
    """Open a file, the files of a folder, or those that a pattern names.

    Raises:
        TableUnreadable: there is none, none can be opened, or the columns are not there.
    """
    files = _files(where)
    if not files:
        raise TableUnreadable(
            f"No Parquet file at {where}: give a file, a folder or a pattern such as 'lake/*.parquet'."
        )
    columns = known_columns.choose(wanted, _names_in_first(files), where)
    return Source(
        name=where,
        shape="Parquet",
        columns=columns.described,
        version=f"{len(files):,} files",
        units=[file_unit(file, columns, topic=topic, kind=kind, name=_shortened(file, where)) for file in files],
    )


def file_unit(
    file: LakePath, columns: Columns, *, topic: str | None = None, kind: str = "table", name: str | None = None
) -> Unit:
    """One Parquet file; a column that only the path names (`kafka_partition=3/`) is taken from there."""
    return Unit(name or str(file), partial(_read, file, columns, topic), kind, _written(file))


def _read(file: LakePath, columns: Columns, topic: str | None) -> Iterator[Places]:
    try:
        with lake_files.parquet(file, check_pages=True) as parquet:
            there = known_columns.names_in(parquet.schema_arrow)
            in_file = [name for name in columns.named if name in there]
            in_path = {name: value for name, value in _of_path(file).items() if name in columns.named}
            for batch in parquet.iter_batches(BATCH_ROWS, columns=in_file, use_threads=False):
                yield known_columns.places(_with_constants(batch, in_path, there), columns, topic)
    except FileNotFoundError as error:
        raise UnitVanished(str(file)) from error
    except (pa.ArrowException, OSError) as error:
        if (fault := lake_files.fault(file, error)) is not error:
            raise fault from error  # the bucket, not the file
        raise UnitUnreadable(_one_line(error)) from error


def _with_constants(batch: pa.RecordBatch, in_path: dict[str, str], there: set[str]) -> pa.RecordBatch | pa.Table:
    for name, value in in_path.items():
        if name not in there:
            repeated = pa.repeat(pa.scalar(value), batch.num_rows)
            batch = batch.append_column(name, repeated)
    return batch


def _of_path(file: LakePath) -> dict[str, str]:
    return dict(part.split("=", 1) for part in Path(str(file.parent)).parts if part.count("=") == 1)


def _files(where: str) -> list[Path]:
    folder = Path(where)
    if folder.is_file():
        return [folder]
    if folder.is_dir():  # what other readers pass over: hidden folders, and Spark's _spark_metadata and _temporary
        found = [path for path in folder.rglob("*.parquet") if path.is_file()]
        return sorted(p for p in found if not any(s.startswith((".", "_")) for s in p.relative_to(folder).parts))
    return sorted(Path(path) for path in glob.glob(where, recursive=True) if Path(path).is_file())  # noqa: PTH207, absolute patterns


def _names_in_first(files: list[Path]) -> set[str]:
    errors = []
    for file in files:
        try:
            return known_columns.names_in(pq.read_schema(file)) | _of_path(file).keys()
        except (pa.ArrowException, OSError) as error:
            errors.append(f"{file}: {_one_line(error)}")
    raise TableUnreadable(f"None of the {len(files)} Parquet files can be opened, the first because: {errors[0]}")


def _shortened(file: Path, where: str) -> str:
    folder = Path(where)
    return str(file.relative_to(folder)) if folder.is_dir() else str(file)


def _written(file: LakePath) -> str:
    if not isinstance(file, Path):
        return ""
    try:
        at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return ""
    return f"written {at:%Y-%m-%d %H:%M:%S} UTC"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
