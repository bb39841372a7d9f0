"""An Iceberg table as units: its data files, each with the snapshot that added it; needs pyiceberg."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from indutech.proof.sources import columns as known_columns
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import Places, Source, TableUnreadable, Unit, UnitUnreadable, UnitVanished

INSTALL = "pip install 'pyiceberg[sql-sqlite]>=0.12', or this project with its extra `audit`"


def open_table(where: str, wanted: Columns | None, topic: str | None, kind: str) -> Source:
    """Open the current snapshot: a folder, a metadata file, or `CATALOG#namespace.table`.

    CATALOG is an address (`sqlite:///file.db`, `https://…`) or a name in pyiceberg's own settings.

    Raises:
        TableUnreadable: pyiceberg is not installed, the table is not there, or the columns are not.
    """
    try:
        from pyiceberg.exceptions import NoSuchTableError
        from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow
    except ImportError as error:
        raise TableUnreadable(f"Reading Iceberg tables needs pyiceberg: {INSTALL}.") from error
    try:
        table = _table(where)
    except (NoSuchTableError, OSError, ValueError) as error:
        raise TableUnreadable(f"No Iceberg table at {where}: {error}") from error
    columns = known_columns.choose(wanted, known_columns.names_in(schema_to_pyarrow(table.schema())), where)
    current = table.current_snapshot()
    units = []
    if current:
        scan = table.scan(selected_fields=tuple(columns.named))
        reader = ArrowScan(table.metadata, table.io, scan.projection(), scan.row_filter)
        added = _added(table)
        root = f"{table.location().rstrip('/')}/"
        for task in _tasks(scan, where):
            path = task.file.file_path
            by = added[path].pop(0) if added[path] else ""  # a file that was added twice is there twice
            units.append(
                Unit(
                    path.removeprefix(root).removeprefix("file://"),
                    partial(_read, reader, task, columns, topic),
                    kind,
                    by,
                )
            )
    return Source(
        name=where,
        shape="Iceberg",
        columns=columns.described,
        version=f"snapshot {current.snapshot_id} of {_time(current.timestamp_ms)}" if current else "no snapshot",
        units=units,
    )


def _tasks(scan: Any, where: str) -> list[Any]:
    try:
        return list(scan.plan_files())
    except (OSError, ValueError, NotImplementedError) as error:  # equality deletes, or a manifest that is gone
        raise TableUnreadable(f"The files of the Iceberg table {where} cannot be listed: {error}") from error


def _table(where: str) -> Any:
    from pyiceberg.catalog import load_catalog
    from pyiceberg.table import StaticTable

    address, _, name = where.rpartition("#")
    if not address:
        return StaticTable.from_metadata(str(_newest_metadata(Path(where))))
    if address.startswith("http"):
        return load_catalog("audited", type="rest", uri=address).load_table(name)
    if "://" in address:
        return _table_of_database(address, name)
    return load_catalog(address).load_table(name)


def _table_of_database(address: str, name: str) -> Any:
    """Load a table from a catalog in a database, whatever name its writer gave to the catalog; nothing is created."""
    from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    file = re.match(r"sqlite:///(.+)", address)
    if file and not Path(file[1]).is_file():
        raise ValueError(f"there is no file {file[1]}")
    namespace, _, table = name.rpartition(".")
    with closing(SqlCatalog("audited", uri=address, init_catalog_tables="false")) as catalog:
        asked = select(IcebergTables.catalog_name).where(
            IcebergTables.table_namespace == namespace, IcebergTables.table_name == table
        )
        try:
            with Session(catalog.engine) as session:
                names = sorted(session.scalars(asked))
        except SQLAlchemyError as error:
            raise ValueError(f"it is no catalog that can be read: {error}") from error
    if len(names) != 1:
        raise ValueError(
            f"the catalogs {', '.join(names)} each have one: name the catalog, which ~/.pyiceberg.yaml then describes"
            if names
            else f"the database has no table {name}"
        )
    with closing(SqlCatalog(names[0], uri=address, init_catalog_tables="false")) as catalog:
        return catalog.load_table(name)


def _newest_metadata(where: Path) -> Path:
    if where.is_file():
        return where
    found = list((where / "metadata").glob("*.metadata.json"))
    if not found:
        raise ValueError(f"{where / 'metadata'} has no *.metadata.json")
    return max(found, key=lambda path: (int((re.search(r"\d+", path.name) or ["0"])[0]), path.stat().st_mtime))


def _added(table: Any) -> dict[str, list[str]]:
    """By file, the snapshots that added it, as far as the table still knows them."""
    times = {snapshot.snapshot_id: _time(snapshot.timestamp_ms) for snapshot in table.metadata.snapshots}
    entries = table.inspect.entries()
    found: dict[str, list[str]] = defaultdict(list)
    for snapshot, file in zip(entries["snapshot_id"].to_pylist(), entries["data_file"].to_pylist(), strict=True):
        when = f" of {times[snapshot]}" if snapshot in times else ""
        found[file["file_path"]].append(f"snapshot {snapshot}{when}")
    return found


def _read(reader: Any, task: Any, columns: Columns, topic: str | None) -> Iterator[Places]:
    try:
        for batch in reader.to_record_batches([task]):
            yield known_columns.places(batch, columns, topic)
    except FileNotFoundError as error:
        raise UnitVanished(task.file.file_path) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnitUnreadable(" ".join(str(error).split())[:300]) from error


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
