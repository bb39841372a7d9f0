"""The proof for the ERP: what the lake holds of a table is compared with the source, row by row, column by column.

The source is read in one transaction; of the change log only the transactions that it saw are taken. So the two can be
compared at any moment, also while the source is being changed.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow as pa

from indutech.kafka.connection import Broker
from indutech.plant.erp import change_log, connect, embedded, event, history, postgres
from indutech.plant.erp.database import SLOT
from indutech.plant.erp.history import SourceSnapshot
from indutech.plant.erp.tables import Table
from indutech.system.settings import Settings

MOST_NAMED = 20


@dataclass(frozen=True)
class Difference:
    """A row that the two sides have differently: its key, the column, and what each has; None where a side lacks it."""

    key: str
    column: str
    source: str | None
    lake: str | None

    @property
    def sentence(self) -> str:
        """The difference in one line."""
        if self.column == "":
            return f"{self.key}: only in the {'source' if self.lake is None else 'lake'}"
        return f"{self.key}.{self.column}: {self.source!r} in the source, {self.lake!r} in the lake"


@dataclass(frozen=True)
class Comparison:
    """The result: rows of both sides, how many differ, and how many changes were on their way when one looked.

    `uncaptured` tells that Kafka Connect had not sent all that the source had committed, `unstored` how many events of
    the topic were not in the lake; `repeated` ones were sent more than once, which changes nothing. `stale_files` are
    files of state or history that are not what the change log gives.
    """

    table: str
    source_rows: int
    lake_rows: int
    different: int
    events: int
    repeated: int
    unreadable: int
    uncaptured: bool
    unstored: int
    stale_files: list[str]
    differences: list[Difference]  # the first of them

    @property
    def equal(self) -> bool:
        """Whether the lake has what the source had."""
        return self.different == 0

    @property
    def exit_code(self) -> int:
        """0: equal. 1: different, or a file or a message is not what it should be. 2: changes are on their way."""
        if self.unreadable or (self.stale_files and not self.unstored):
            return 1
        if self.equal:
            return 0
        return 2 if self.uncaptured or self.unstored else 1

    @property
    def sentence(self) -> str:
        """The result in one line."""
        told = (
            f"{self.source_rows:,} rows of {self.table} in the source, {self.lake_rows:,} in the lake, "
            f"{self.different:,} different; {self.events:,} events, {self.repeated:,} of them sent again"
        )
        notes = [f"{self.unstored:,} waiting in the topic"] if self.unstored else []
        notes += ["Kafka Connect is behind"] if self.uncaptured else []
        notes += [f"{self.unreadable:,} unreadable"] if self.unreadable else []
        notes += [f"stale: {', '.join(self.stale_files)}"] if self.stale_files else []
        return "; ".join([told, *notes])

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        return {**asdict(self), "equal": self.equal}


def compare(
    settings: Settings, broker: Broker, table: Table, wait: Callable[[SourceSnapshot], object] | None = None
) -> Comparison:
    """Compare the lake with the source as it is now.

    Args:
        settings: of the lake and the ERP.
        broker: with the table's topic.
        table: a captured one.
        wait: called once the source is read, so that what it had can be captured and stored before the lake is read.
    """
    seen, source = read_source(settings, table)
    if wait:
        wait(seen)
    uncaptured = not is_captured(settings, seen)
    unstored = change_log.position(settings, broker, table).waiting
    with history.connect(settings, table, seen) as lake:
        lake.register("source", source)
        [[events, repeated, unreadable]] = lake.execute(_COUNTS).fetchall()
        lake_rows = len(lake.sql("SELECT 1 FROM state").fetchall())
        differences = _differences(lake, table, source)
    return Comparison(
        table=table.name,
        source_rows=source.num_rows,
        lake_rows=lake_rows,
        different=len({one.key for one in differences}),
        events=events,
        repeated=repeated,
        unreadable=unreadable,
        uncaptured=uncaptured,
        unstored=unstored,
        stale_files=stale_files(settings, table),
        differences=differences[:MOST_NAMED],
    )


def read_source(settings: Settings, table: Table) -> tuple[SourceSnapshot, pa.Table]:
    """Return all rows of a table, and which transactions they show."""
    folder = embedded.database_dir(settings)
    with postgres.connection(folder, autocommit=False) as connected, connected.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(_SNAPSHOT)
        [[xmax, running, lsn]] = cursor.fetchall()
        cursor.execute(_SOURCE_COLUMNS, (table.name,))
        # Exact numbers come as text, because their type in Arrow would have no scale.
        chosen = [f"{name}::text" if kind == "numeric" else name for name, kind in cursor.fetchall()]
        cursor.execute(f"SELECT {', '.join(chosen)} FROM {table.name}")
        rows = cursor.fetch_arrow_table()
    return SourceSnapshot(int(xmax), tuple(map(int, running)), int(lsn)), rows


def is_captured(settings: Settings, seen: SourceSnapshot) -> bool:
    """Tell whether the broker has acknowledged every change up to this place of the source's log."""
    if not connect.snapshot_is_whole(embedded.capture_dir(settings)):
        return False
    with postgres.connection(embedded.database_dir(settings)) as connected, connected.cursor() as cursor:
        cursor.execute(_ACKNOWLEDGED, (SLOT,))
        return any(int(lsn) >= seen.lsn for (lsn,) in cursor.fetchall() if lsn is not None)


def until_captured(settings: Settings, seconds: float) -> Callable[[SourceSnapshot], bool]:
    """Return what waits so long until the broker has acknowledged all that a reader saw; False if it has not."""

    def wait(seen: SourceSnapshot) -> bool:
        deadline = time.monotonic() + seconds
        while not (captured := is_captured(settings, seen)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return captured

    return wait


def stale_files(settings: Settings, table: Table) -> list[str]:
    """Return which of the files of state and history are not what the change log gives; none if nothing is stored."""
    if not change_log.log_files(settings, table):
        return []
    stale = []
    with history.connect(settings, table) as lake:
        for name in history.FILES:
            try:
                lake.register("written", history.read(settings, table, name))
                same = lake.execute(
                    f"SELECT (SELECT count(*) FROM (SELECT * FROM {name} EXCEPT ALL SELECT * FROM written)) "
                    f"+ (SELECT count(*) FROM (SELECT * FROM written EXCEPT ALL SELECT * FROM {name}))"
                ).fetchall() == [(0,)]
            except (FileNotFoundError, duckdb.BinderException):  # it is not there, or has other columns
                same = False
            if not same:
                stale.append(name)
    return stale


_SNAPSHOT = """
    SELECT pg_snapshot_xmax(now)::text, ARRAY(SELECT pg_snapshot_xip(now)::text),
        (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint
    FROM pg_current_snapshot() AS now
"""
_SOURCE_COLUMNS = """
    SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position
"""
_ACKNOWLEDGED = """
    SELECT (confirmed_flush_lsn - '0/0'::pg_lsn)::bigint FROM pg_replication_slots WHERE slot_name = $1
"""
_COUNTS = f"""
    SELECT count(*), count(*) - count(DISTINCT (op, key, source_lsn)), count(*) FILTER (op = '{event.UNREADABLE}')
    FROM changes
"""


def _differences(lake: duckdb.DuckDBPyConnection, table: Table, source: pa.Table) -> list[Difference]:
    """Compare each column as text of the source's type; one that only one side has differs in rows where it is set."""
    kinds = {name: kind for name, kind, *_ in lake.execute("DESCRIBE source").fetchall()}
    kinds |= {name: kind.duckdb for name, kind in table.columns.items()}
    state = {name for name, *_ in lake.execute("DESCRIBE state").fetchall()}
    columns = {"source": set(source.column_names), "state": state}

    def side(of: str, name: str) -> str:
        if name not in columns[of]:
            return "NULL::VARCHAR"
        text = f'{of}."{name}"'  # what is no value of the type stays as it is, and differs
        return f"coalesce(TRY_CAST({text} AS {kinds.get(name, 'VARCHAR')})::VARCHAR, {text}::VARCHAR)"

    key, both = table.key, f"source FULL JOIN state USING ({table.key})"
    only_source, only_lake = f"state.{key} IS NULL", f"source.{key} IS NULL"
    asked = [
        f"SELECT {key}::VARCHAR AS key, '', CASE WHEN {only_source} THEN '' END, CASE WHEN {only_lake} THEN '' END "
        f"FROM {both} WHERE {only_source} OR {only_lake}"
    ]
    for name in sorted(columns["source"].union(columns["state"]) - {key}):
        ours, theirs = side("source", name), side("state", name)
        asked.append(
            f"SELECT {key}::VARCHAR, '{name}', {ours}, {theirs} FROM source JOIN state USING ({key}) "
            f"WHERE {ours} IS DISTINCT FROM {theirs}"
        )
    return [Difference(*row) for row in lake.execute(" UNION ALL ".join(asked) + " ORDER BY 1, 2").fetchall()]
