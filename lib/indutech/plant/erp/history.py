"""State and history of a table of the ERP, computed from the change log: a pure function of the events in it.

The order of a row's changes is that of the source, never that of arrival: Kafka Connect may send again what it has
sent, in another batch and later. Versions are of type 2: `valid_from` is when the source committed the change,
`valid_to` when the next one did, and null in the version of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.plant.erp import change_log, event
from indutech.plant.erp.tables import DAY, ColumnType, Table
from indutech.system.settings import Settings

FILES = ("history", "state")
VERSION = ("valid_from", "valid_to", "source_lsn")


@dataclass(frozen=True)
class SourceSnapshot:
    """Which transactions a reader of the source saw, in PostgreSQL's own terms, and how far its log was then."""

    xmax: int
    running: tuple[int, ...]
    lsn: int

    @property
    def sees(self) -> str:
        """The condition on an event of the change log that this reader saw it."""
        running = f" AND source_tx NOT IN ({', '.join(map(str, self.running))})" if self.running else ""
        return f"CASE op WHEN 'r' THEN source_lsn <= {self.lsn} ELSE source_tx < {self.xmax}{running} END"


def connect(settings: Settings, table: Table, seen_by: SourceSnapshot | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with `changes`, `history` and `state` of a table, as they are now or as `seen_by` a reader.

    Columns that `tables` does not declare are there as text.
    """
    listed = change_log.log_files(settings, table)
    connection = files.duckdb_for(listed)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE TEMP VIEW changes AS {_changes(listed)}")
    more = [name for (name,) in connection.execute(_UNDECLARED, [list(table.columns)]).fetchall()]
    # Computed once: questions ask it many times.
    connection.execute(f"CREATE TEMP TABLE history AS {_history(table, more, seen_by.sees if seen_by else 'true')}")
    connection.execute(
        f"CREATE TEMP VIEW state AS SELECT * EXCLUDE ({', '.join(VERSION)}) FROM history WHERE valid_to IS NULL"
    )
    return connection


def write(settings: Settings, table: Table) -> dict[str, int]:
    """Write state and history as one Parquet file each, for readers of their own; return how many rows each has."""
    counts = {}
    with connect(settings, table) as connection:
        for name in FILES:
            rows = connection.sql(f"SELECT * FROM {name} ORDER BY ALL").to_arrow_table()
            change_log.put(settings, rows, file(settings, table, name))
            counts[name] = rows.num_rows
    return counts


def file(settings: Settings, table: Table, name: str) -> LakePath:
    """The one file that readers find the `state` or the `history` in."""
    return change_log.root(settings, table) / name / f"{table.name}.parquet"


def read(settings: Settings, table: Table, name: str = "history") -> pa.Table:
    """The `state` or the `history` as it was written last."""
    with files.parquet(file(settings, table, name)) as opened:
        return opened.read()


def _changes(listed: Sequence[LakePath]) -> str:
    if not listed:
        nulls = ", ".join(f"NULL::{_DUCKDB[field.type]} AS {field.name}" for field in event.COLUMNS)
        return f"SELECT {nulls} WHERE false"
    names = ", ".join("'" + str(path).replace("'", "''") + "'" for path in listed)
    return f"SELECT * FROM read_parquet([{names}], hive_partitioning = false)"


_DUCKDB = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
}

_UNDECLARED = f"""
    SELECT DISTINCT name FROM (SELECT unnest(json_keys(after)) AS name FROM changes WHERE op <> '{event.UNREADABLE}')
    WHERE name NOT IN (SELECT unnest(?)) ORDER BY name
"""

# A snapshot that could not be finished is followed by one that begins anew, at another place of the source's log. What
# stood in an earlier one and is not in the later one was deleted in between, unseen.
_EVENTS = """
    seen AS (
        SELECT * FROM changes WHERE op <> '{unreadable}' AND ({sees})
    ),
    snapshots AS (
        SELECT source_lsn AS lsn, min(kafka_offset) AS began, min(source_time) AS read_at
        FROM seen WHERE op = 'r' GROUP BY ALL
    ),
    placed AS (
        SELECT seen.*, coalesce(snapshots.began, -1) AS generation
        FROM seen ASOF LEFT JOIN snapshots ON seen.kafka_offset >= snapshots.began
    ),
    closers AS (
        SELECT generation, true AS streamed, source_lsn, source_time FROM placed WHERE op = 't'
        UNION ALL
        SELECT began, false, lsn, read_at FROM snapshots
        WHERE began > (SELECT min(began) FROM snapshots) AND EXISTS (
            SELECT 1 FROM placed
            WHERE generation = began AND (op <> 'r' OR snapshot IN ('last', 'last_in_data_collection'))
        )
    ),
    events AS (
        SELECT key, op, after, generation, op <> 'r' AS streamed, source_lsn, source_time FROM placed WHERE op <> 't'
        UNION ALL
        SELECT keys.key, 'd', NULL, closers.* FROM closers, (SELECT DISTINCT key FROM placed WHERE op <> 't') AS keys
        WHERE closers.streamed OR NOT EXISTS (
            SELECT 1 FROM placed WHERE placed.generation = closers.generation AND op = 'r' AND placed.key = keys.key
        )
    )
"""


def _history(table: Table, more: Sequence[str], sees: str) -> str:
    columns = [f"{_value(name, kind)} AS {name}" for name, kind in table.columns.items()]
    columns += [f'after ->> \'$."{name}"\' AS "{name}"' for name in more]
    return f"""
        WITH {_EVENTS.format(unreadable=event.UNREADABLE, sees=sees)},
        ordered AS (
            SELECT *,
                -- The source's clock may have been set back; intervals must not overlap.
                max(source_time) OVER (of_row ROWS UNBOUNDED PRECEDING) AS since,
                lag(after) OVER of_row AS before_it
            FROM events WINDOW of_row AS (PARTITION BY key ORDER BY generation, streamed, source_lsn)
        ),
        versions AS (
            SELECT *, lead(since) OVER (PARTITION BY key ORDER BY generation, streamed, source_lsn) AS until
            FROM ordered WHERE after IS DISTINCT FROM before_it
        )
        SELECT {", ".join(columns)}, since AS valid_from, until AS valid_to, source_lsn
        FROM versions WHERE after IS NOT NULL
    """


def _value(name: str, kind: ColumnType) -> str:
    text = f"after ->> '$.{name}'"
    if kind is DAY:  # with the zone that XML Schema gives to a day
        text = f"rtrim({text}, 'Z')"
    return f"CAST({text} AS {kind.duckdb})"
