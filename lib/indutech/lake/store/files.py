"""What the lake does with its files, the same in a folder and in a bucket."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.lake.store import bucket as buckets
from indutech.lake.store import connection
from indutech.lake.store.s3_path import S3Path
from indutech.system import state_files
from indutech.system.settings import Settings

LakePath = Path | S3Path


def root(settings: Settings) -> LakePath:
    """Return where the lake is.

    Raises:
        StoreNotReady: it is on S3, no endpoint is named, and the embedded server does not run.
    """
    if settings.lake_bucket is None:
        return settings.lake_dir
    return S3Path(buckets.of(connection.known(settings)), settings.lake_bucket[1])


def parquet(path: LakePath, *, check_pages: bool = False) -> pq.ParquetFile:
    """Open a Parquet file; of one in a bucket, only the parts that are read are fetched.

    Raises:
        StoreNotReady: and what else can be wrong with a bucket; a damaged file is pyarrow's own error.
    """
    if isinstance(path, Path):
        return pq.ParquetFile(path, page_checksum_verification=check_pages)
    try:
        source = path.bucket.columns.open_input_file(path.in_bucket)
        return pq.ParquetFile(source, page_checksum_verification=check_pages, pre_buffer=True)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise fault(path, error) from error


def fault(path: LakePath, error: Exception) -> Exception:
    """Return what an error of pyarrow means: of a bucket one sentence, of the file itself the error that it is."""
    return path.bucket.sentence(error) if isinstance(path, S3Path) and "AWS Error" in str(error) else error


def schema(path: LakePath) -> pa.Schema:
    """Return the columns of a Parquet file."""
    with parquet(path) as file:
        return file.schema_arrow


def metadata(path: LakePath) -> pq.FileMetaData:
    """Return the footer of a Parquet file."""
    with parquet(path) as file:
        return file.metadata


def duckdb_for(paths: Sequence[LakePath]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that can read these files by their names."""
    return duckdb_on(next((path.bucket for path in paths if isinstance(path, S3Path)), None))


def duckdb_on(bucket: buckets.Bucket | None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that can read this bucket, or only folders."""
    connected = duckdb.connect()
    if bucket:
        # Its own way to S3 is an extension, which it would have to download.
        from fsspec.implementations.arrow import ArrowFSWrapper

        reading = type("Bucket", (ArrowFSWrapper,), {"protocol": "s3", "cachable": False})
        connected.register_filesystem(reading(bucket.columns))
    return connected


def write_json(path: LakePath, content: object) -> None:
    """Write a small state file: readers see the old content or the new one, never a part."""
    if isinstance(path, Path):
        state_files.write_json(path, content)
    else:
        path.write_bytes(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")


def version(path: LakePath) -> int | str | None:
    """Return what changes whenever a file is written; None if it is not there."""
    if isinstance(path, S3Path):
        return path.version()
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def make_folder(path: LakePath) -> None:
    """Make a folder; a bucket needs none."""
    if isinstance(path, Path):
        path.mkdir(parents=True, exist_ok=True)


def take_in(local: Path, target: LakePath) -> None:
    """Put a file of this machine into the lake, whole or not at all; it is gone from where it was."""
    if isinstance(target, Path):
        local.replace(target)
        return
    target.bucket.put(target.key, local)
    local.unlink()


def move(source: LakePath, target: LakePath) -> None:
    """Give a file another place in the lake."""
    source.replace(target)  # type: ignore[arg-type]  # both are of one kind


def remove_tree(folder: LakePath) -> bool:
    """Delete a folder with all that is in it, if it is there; of a folder in a bucket, a thousand files a request."""
    if isinstance(folder, Path):
        shutil.rmtree(folder)
        return True
    if names := [path.key for path in folder.below()]:
        folder.bucket.delete(*names)
    return bool(names)


def remove_if_empty(folder: LakePath) -> None:
    """Delete a folder that has nothing in it; in a bucket it is gone already."""
    if isinstance(folder, Path) and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
