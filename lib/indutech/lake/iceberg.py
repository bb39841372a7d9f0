"""The Iceberg view of the lake: two tables over the files that are there, for readers that know nothing of it.

A snapshot has whole micro-batches only. The tables name hard links to the lake's files, so that nothing is copied, and
a reader that holds on to a snapshot finds its files also after a compaction has replaced them, until they are let go.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from filelock import FileLock, Timeout
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.table import Table

from indutech.lake import layout
from indutech.lake.layout import KINDS, DataFile, Kind
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets.schema import LAKE

NAMESPACE = "indutech"
BATCH = "indutech.batch"  # in the summary of a snapshot: its newest micro-batch
GRACE = timedelta(hours=24)
_TRIES = 5
_PROPERTIES = {"commit.manifest-merge.enabled": "true", "format-version": "2"}


class SecondPublisher(InduTechError):
    """Another process publishes this lake."""


class InABucket(InduTechError):
    """The Iceberg view is made of hard links, which S3 does not have."""


@dataclass(frozen=True)
class Published:
    """What one call did to one table."""

    table: str
    snapshots: int
    files_added: int
    files_replaced: int
    files_let_go: int
    batch: int | None  # the newest micro-batch that can be read
    metadata: str  # the file from which any Iceberg reader can start


def folder(settings: Settings) -> Path:
    """Where catalogue, metadata and links are kept: beside the lake's own files, on the same disk."""
    return settings.lake_dir / "iceberg"


def catalog(settings: Settings) -> SqlCatalog:
    """Return the catalogue of the two tables: a SQLite file."""
    folder(settings).mkdir(parents=True, exist_ok=True)
    return SqlCatalog(
        NAMESPACE, uri=f"sqlite:///{folder(settings) / 'catalog.db'}", warehouse=str(folder(settings) / "warehouse")
    )


def publish(settings: Settings, grace: timedelta = GRACE) -> list[Published]:
    """Bring both tables up to the committed micro-batches, a snapshot for each; what is published stays as it is.

    Files that a compaction has replaced stay readable through older snapshots for `grace`, and are deleted then.

    Raises:
        SecondPublisher: another process publishes this lake.
        InABucket: the lake is on S3, where there are no hard links.
    """
    if settings.lake_bucket:
        raise InABucket(
            f"The lake {settings.lake_uri} is on S3, which has no hard links: a compaction would take files away from "
            "readers of a snapshot. Publish a lake in a folder, or read this one through indutech.lake.reader."
        )
    with _sole_publisher(settings):
        tables = catalog(settings)
        tables.create_namespace_if_not_exists(NAMESPACE)
        return [_publish_kind(settings, _table(tables, kind), kind, grace) for kind in KINDS]


def _publish_kind(settings: Settings, table: Table, kind: Kind, grace: timedelta) -> Published:
    wanted = _linked(settings, kind)
    known = {task.file.file_path: task.file for task in table.scan().plan_files()}
    gone = [file for path, file in known.items() if path not in wanted]
    new = [file for path, file in wanted.items() if path not in known]
    paths = {file.path: path for path, file in wanted.items()}
    snapshots = 0
    if gone:  # a compaction came between: its files take the place of the old ones in one step
        newest = max(file.batch for file in wanted.values())
        with (
            table.transaction() as transaction,
            transaction.update_snapshot(snapshot_properties={BATCH: str(newest)}).overwrite() as snapshot,
        ):
            for file in gone:
                snapshot.delete_data_file(file)
            added = [paths[file.path] for file in new]
            for data in parquet_files_to_data_files(table.io, transaction.table_metadata, iter(added)):
                snapshot.append_data_file(data)
        snapshots = 1
    else:
        for batch, files in groupby(sorted(new, key=lambda file: file.batch), key=lambda file: file.batch):
            table.add_files([paths[file.path] for file in files], snapshot_properties={BATCH: str(batch)})
            snapshots += 1
    let_go = _let_go(settings, table, kind, grace)
    current = table.current_snapshot()
    summary = current.summary.additional_properties if current and current.summary else {}
    return Published(
        table=f"{NAMESPACE}.{kind}",
        snapshots=snapshots,
        files_added=len(new),
        files_replaced=len(gone),
        files_let_go=len(let_go),
        batch=int(summary[BATCH]) if BATCH in summary else None,
        metadata=table.metadata_location,
    )


def _table(tables: SqlCatalog, kind: Kind) -> Table:
    """Return the table, made if it is not there, with the columns of today."""
    name = (NAMESPACE, kind)
    try:
        table = tables.load_table(name)
    except NoSuchTableError:
        return tables.create_table(name, LAKE[kind], properties=_PROPERTIES)
    with table.update_schema() as update:
        update.union_by_name(LAKE[kind])
    return table


def _linked(settings: Settings, kind: Kind) -> dict[str, DataFile]:
    """Return a link to each committed file; listed again if a compaction removes one meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return _link(settings, layout.committed_files(settings, kind))
        except FileNotFoundError:
            continue
    return _link(settings, layout.committed_files(settings, kind))


def _link(settings: Settings, files: Sequence[DataFile]) -> dict[str, DataFile]:
    found = {}
    for file in files:
        name = f"ingest_date={file.ingest_date.isoformat()}", f"batch={file.batch}", file.path.name
        link = _links(settings, file.kind).joinpath(*name)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(str(file.path), link)
        found[str(link)] = file
    return found


def _let_go(settings: Settings, table: Table, kind: Kind, grace: timedelta) -> list[Path]:
    """Expire snapshots that are older than the grace time, and delete the links that none of the others names."""
    table.maintenance.expire_snapshots().older_than(datetime.now(UTC) - grace).commit()
    table.refresh()
    named = set(table.inspect.all_files()["file_path"].to_pylist()) if table.current_snapshot() else set()
    unnamed = [path for path in _links(settings, kind).rglob("*.parquet") if str(path) not in named]
    for path in unnamed:
        path.unlink()
    return unnamed


def _links(settings: Settings, kind: Kind) -> Path:
    return folder(settings) / "files" / kind


@contextmanager
def _sole_publisher(settings: Settings) -> Iterator[None]:
    folder(settings).mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder(settings) / "publish.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondPublisher(f"Another `indutech publish` runs in {settings.lake_dir}: wait for it.") from None
    try:
        yield
    finally:
        lock.release()
