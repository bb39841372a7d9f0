"""The Iceberg view of the lake: two tables over the files that are there, for readers that know nothing of it.

A snapshot has whole micro-batches only. The tables name hard links to the lake's files, so that nothing is copied, and
a reader that holds on to a snapshot finds its files also after a compaction has replaced them, until they are let go.
Metadata stay small: a call makes one snapshot at most, and snapshots that are too old go in lots, with their manifests.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.table import Table
from sqlalchemy.exc import SQLAlchemyError

from indutech.lake import layout
from indutech.lake.layout import DataFile, Kind
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets import schema as schemas

NAMESPACE = "indutech"
BATCH = "indutech.batch"  # in the summary of a snapshot: its newest micro-batch
GRACE = timedelta(hours=24)
_TRIES = 5
_LOT = 10  # old snapshots go once they are a tenth of all: looking at what the others still need reads their manifests
_PROPERTIES = {
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "10",  # each call reads all manifests of the newest snapshot
    # Each commit writes the metadata anew, with all snapshots: without these two lines a day of them fills the disk.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}


class SecondPublisher(InduTechError):
    """Another process publishes this lake."""


class InABucket(InduTechError):
    """The Iceberg view is made of hard links, which S3 does not have."""


class CannotPublish(InduTechError):
    """Catalogue or metadata of the Iceberg view cannot be read or written."""


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
    """Bring both tables up to the committed micro-batches, in one snapshot; what is published stays as it is.

    Files that a compaction has replaced stay readable through older snapshots for `grace`, and are deleted later.

    Raises:
        SecondPublisher: another process publishes this lake.
        InABucket: the lake is on S3, where there are no hard links.
        CannotPublish: the catalogue or a file of the metadata is damaged, or there is no room for it.
    """
    if settings.lake_bucket:
        raise InABucket(
            f"The lake {settings.lake_uri} is on S3, which has no hard links: a compaction would take files away from "
            "readers of a snapshot. Publish a lake in a folder, or read this one through indutech.lake.reader."
        )
    with _sole_publisher(settings):
        try:
            with closing(catalog(settings)) as tables:
                tables.create_namespace_if_not_exists(NAMESPACE)
                known = schemas.of(products.of(settings)).lake
                return [
                    _publish_kind(settings, _table(tables, kind, known[kind]), kind, grace)
                    for kind in layout.kinds(settings)
                ]
        except (SQLAlchemyError, OSError, ValueError) as error:
            raise CannotPublish(
                f"The Iceberg tables in {folder(settings)} cannot be brought up to date ({_first_line(error)}). "
                "The lake itself is untouched: make room, or delete that folder, which has only links and metadata, "
                "and publish again."
            ) from error


def _publish_kind(settings: Settings, table: Table, kind: Kind, grace: timedelta) -> Published:
    wanted = _linked(settings, kind)
    known = {task.file.file_path: task.file for task in table.scan().plan_files()}
    gone = [file for path, file in known.items() if path not in wanted]
    new = [path for path in wanted if path not in known]
    if gone:  # a compaction came between: its files take the place of the old ones in one step
        with (
            table.transaction() as transaction,
            transaction.update_snapshot(snapshot_properties=_summary(wanted.values())).overwrite() as snapshot,
        ):
            for file in gone:
                snapshot.delete_data_file(file)
            for data in parquet_files_to_data_files(table.io, transaction.table_metadata, iter(new)):
                snapshot.append_data_file(data)
    elif new:
        # Which of them are there already was just looked up, and nobody else publishes.
        table.add_files(new, snapshot_properties=_summary(wanted.values()), check_duplicate_files=False)
    let_go = _let_go(settings, table, kind, grace)
    current = table.current_snapshot()
    summary = current.summary.additional_properties if current and current.summary else {}
    return Published(
        table=f"{NAMESPACE}.{kind}",
        snapshots=int(bool(gone or new)),
        files_added=len(new),
        files_replaced=len(gone),
        files_let_go=len(let_go),
        batch=int(summary[BATCH]) if BATCH in summary else None,
        metadata=table.metadata_location,
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _summary(files: Iterable[DataFile]) -> dict[str, str]:
    return {BATCH: str(max(file.batch for file in files))}


def _table(tables: SqlCatalog, kind: Kind, columns: pa.Schema) -> Table:
    """Return the table, made if it is not there, with the columns of today."""
    name = (NAMESPACE, kind)
    try:
        table = tables.load_table(name)
    except NoSuchTableError:
        return tables.create_table(name, columns, properties={"format-version": "2", **_PROPERTIES})
    if any(table.properties.get(name) != value for name, value in _PROPERTIES.items()):
        with table.transaction() as transaction:
            transaction.set_properties(_PROPERTIES)
    with table.update_schema() as update:
        update.union_by_name(columns)
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
    """Expire snapshots that are older than the grace time; delete the links and manifests that no other one names."""
    before = datetime.now(UTC) - grace
    snapshots = table.snapshots()
    old = [one for one in snapshots[:-1] if one.timestamp_ms < before.timestamp() * 1000]
    if not old or len(old) * _LOT < len(snapshots):
        return []
    table.maintenance.expire_snapshots().older_than(before).commit()
    table.refresh()
    _delete_manifests(table)
    named = set(table.inspect.all_files()["file_path"].to_pylist())
    unnamed = [path for path in _links(settings, kind).rglob("*.parquet") if str(path) not in named]
    for path in unnamed:
        path.unlink()
    return unnamed


def _delete_manifests(table: Table) -> None:
    """Delete the lists of files that no snapshot names any more; pyiceberg leaves them."""
    named = {_name(one.manifest_list) for one in table.snapshots()}
    named |= {_name(manifest.manifest_path) for one in table.snapshots() for manifest in one.manifests(table.io)}
    for path in Path(table.location().removeprefix("file://")).glob("metadata/*.avro"):
        if path.name not in named:
            path.unlink()


def _name(address: str) -> str:
    return address.rpartition("/")[2]


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
