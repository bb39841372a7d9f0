"""A Delta table as units: the files of its newest version; needs deltalake."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from indutech.proof.sources import columns as known_columns
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import BATCH_ROWS, Places, Source, TableUnreadable, Unit, UnitUnreadable, UnitVanished

INSTALL = "pip install 'deltalake>=1.6', or this project with its extra `audit`"


def open_table(where: str, wanted: Columns | None, topic: str | None, kind: str) -> Source:
    """Open the newest version of the Delta table in this folder.

    Raises:
        TableUnreadable: deltalake is not installed, it is no Delta table, it needs a feature that cannot be read here
            (deletion vectors, column mapping), or the columns are not there.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise TableUnreadable(f"Reading Delta tables needs deltalake: {INSTALL}.") from error
    try:
        table = DeltaTable(where)
        dataset = table.to_pyarrow_dataset()
    except (DeltaError, OSError) as error:
        raise TableUnreadable(f"The Delta table {where} cannot be opened: {error}") from error
    columns = known_columns.choose(wanted, known_columns.names_in(dataset.schema), where)
    actions = pa.table(table.get_add_actions(flatten=True))
    times = dict(zip(actions["path"].to_pylist(), actions["modification_time"].to_pylist(), strict=True))
    return Source(
        name=where,
        shape="Delta",
        columns=columns.described,
        version=f"version {table.version()}",
        units=[
            Unit(piece.path, partial(_read, piece, dataset.schema, columns, topic), kind, _written(times, piece.path))
            for piece in dataset.get_fragments()
        ],
    )


def _read(piece: Any, schema: pa.Schema, columns: Columns, topic: str | None) -> Iterator[Places]:
    wanted = {name: pc.field(name) if name in schema.names else pc.field(*name.split(".")) for name in columns.named}
    try:
        for batch in piece.to_batches(schema=schema, columns=wanted, batch_size=BATCH_ROWS, use_threads=False):
            yield known_columns.places(batch, columns, topic)
    except FileNotFoundError as error:
        raise UnitVanished(piece.path) from error
    except (pa.ArrowException, OSError) as error:
        raise UnitUnreadable(" ".join(str(error).split())[:300]) from error


def _written(times: dict[str, Any], path: str) -> str:
    at = times.get(path)
    if isinstance(at, int):
        at = datetime.fromtimestamp(at / 1000, UTC)
    return f"written {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
