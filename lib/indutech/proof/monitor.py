"""The state of the pipeline at one moment: sent, acknowledged, stored and waiting, rate, latency, the last minute."""

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
from rich.console import Group
from rich.table import Table

from indutech.kafka.broker import Broker
from indutech.lake import identity, layout, replay_log
from indutech.lake.layout import DataFile
from indutech.lake.store import files as lake_files
from indutech.lake.store.files import LakePath
from indutech.producer import audit
from indutech.proof import last_minute
from indutech.proof.last_minute import LastMinute
from indutech.system.settings import Settings
from indutech.tickets import product as products

_RATE_OVER_S = 10
_LATENCY_OVER_BATCHES = 5
_COUNT_DUPLICATES_EVERY_S = 10
_MOST_TICKETS_COMPARED = 5_000_000


@dataclass(frozen=True)
class Reading:
    """The figures of one moment. Latency is `processed_at` - `kafka_timestamp` of the newest micro-batches, in seconds.

    A figure is None while it is unknown: no audit, no topic, nothing stored, or too many rows to compare ids.
    """

    sent: int | None
    acknowledged: int | None
    stored: int
    quarantined: int
    duplicate_tickets: int | None
    lag: int | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    latency_p99_s: float | None
    stored_per_s: float
    replayed: int  # of the quarantine, sent again
    held_back: int | None  # of the lag, behind the begin of an open transaction
    last_minute: LastMinute | None  # of tickets only
    product: str

    def as_dict(self) -> dict[str, Any]:
        """The reading as JSON prints it."""
        return asdict(self)


@dataclass
class Monitor:
    """Reads the figures again and again; it keeps the row counts of files, so that only new files are opened."""

    settings: Settings
    broker: Broker
    _rows: dict[LakePath, int] = field(default_factory=dict)
    _history: deque[tuple[float, int]] = field(default_factory=deque)
    _duplicates: tuple[float, int | None] = (float("-inf"), None)
    _replayed: tuple[int, int] = (0, 0)  # size of the log, and how many messages it names

    def read(self) -> Reading:
        """The figures now."""
        files = {kind: layout.committed_files(self.settings, kind) for kind in layout.kinds(self.settings)}
        stored, quarantined = (sum(self._rows_of(file) for file in files[kind]) for kind in files)
        sent = audit.read_audit(self.settings)
        waiting = identity.backlog(self.settings, self.broker)
        p50, p95, p99 = _latency(files[self.settings.product])
        return Reading(
            sent=sent.sent if sent else None,
            acknowledged=sent.acknowledged if sent else None,
            stored=stored,
            quarantined=quarantined,
            duplicate_tickets=self._duplicate_tickets(files[self.settings.product], stored),
            lag=waiting.waiting if waiting else None,
            latency_p50_s=p50,
            latency_p95_s=p95,
            latency_p99_s=p99,
            stored_per_s=self._rate(stored),
            replayed=self._replayed_messages(),
            held_back=waiting.held_back if waiting else None,
            last_minute=last_minute.read(files["tickets"], datetime.now(UTC)) if "tickets" in files else None,
            product=self.settings.product,
        )

    def _rows_of(self, file: DataFile) -> int:
        if file.path not in self._rows:
            try:
                self._rows[file.path] = lake_files.metadata(file.path).num_rows
            except FileNotFoundError:  # compacted since it was listed; the next reading counts its successor
                return 0
        return self._rows[file.path]

    def _replayed_messages(self) -> int:
        log = replay_log.log_file(self.settings)
        size = log.stat().st_size if log.exists() else 0
        if size != self._replayed[0]:
            self._replayed = size, len(replay_log.read(self.settings).places)
        return self._replayed[1]

    def _rate(self, stored: int) -> float:
        now = time.monotonic()
        self._history.append((now, stored))
        while now - self._history[0][0] > _RATE_OVER_S:
            self._history.popleft()
        since, before = self._history[0]
        return (stored - before) / (now - since) if now > since else 0.0

    def _duplicate_tickets(self, files: list[DataFile], stored: int) -> int | None:
        counted_at, count = self._duplicates
        if time.monotonic() - counted_at < _COUNT_DUPLICATES_EVERY_S:
            return count
        if not files or stored > _MOST_TICKETS_COMPARED:
            count = None if files else 0
        else:
            answer = _ask(f"SELECT {products.of(self.settings).duplicates} FROM read_parquet(?)", files)
            count = int(answer[0]) if answer else count
        self._duplicates = (time.monotonic(), count)
        return count


def _latency(files: list[DataFile]) -> tuple[float | None, float | None, float | None]:
    newest = sorted({file.batch for file in files})[-_LATENCY_OVER_BATCHES:]
    recent = [file for file in files if file.batch in newest]
    answer = recent and _ask(
        "SELECT quantile_cont(date_diff('millisecond', kafka_timestamp, processed_at) / 1000, [0.5, 0.95, 0.99]) "
        "FROM read_parquet(?)",
        recent,
    )
    return tuple(answer[0]) if answer and answer[0] else (None, None, None)


def _ask(sql: str, files: list[DataFile]) -> tuple[Any, ...] | None:
    try:
        with lake_files.duckdb_for([file.path for file in files]) as connection:
            return connection.execute(sql, [[str(file.path) for file in files]]).fetchone()
    except duckdb.IOException:  # compacted since it was listed: the next reading sees its successor
        return None


def as_line(reading: Reading) -> str:
    """The reading for a log: one line."""
    waiting = "no topic yet" if reading.lag is None else f"{reading.lag:,} waiting"
    rate = f"{reading.stored_per_s:,.0f} {reading.product}/s"
    replayed = f", {reading.replayed:,} of them replayed" if reading.replayed else ""
    if reading.held_back:
        waiting += f" ({reading.held_back:,} behind an open transaction)"
    return (
        f"{reading.acknowledged or 0:,} acknowledged, {reading.stored:,} stored ({rate}), "
        f"{reading.quarantined:,} set aside{replayed}, {waiting}{_minute(reading.last_minute)}"
    )


def _minute(minute: LastMinute | None) -> str:
    return f"; last minute {minute.tickets:,}, {minute.urgent:,} urgent" if minute else ""


def as_table(reading: Reading, topic: str) -> Group:
    """The reading for the terminal: how the pipeline is, and what the clients write."""
    table = Table(title=f"Topic {topic}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right", min_width=14)
    table.add_column(style="dim")
    for name, value, meaning in _lines(reading):
        table.add_row(name, value, meaning)
    return Group(table, last_minute.as_table(reading.last_minute)) if reading.last_minute else Group(table)


def _lines(reading: Reading) -> list[tuple[str, str, str]]:
    def count(number: int | None) -> str:
        return "-" if number is None else f"{number:,}"

    def seconds(number: float | None) -> str:
        return "-" if number is None else f"{number:,.2f} s"

    unique = " and ".join(products.named(reading.product).unique)
    return [
        ("sent", count(reading.sent), "by the producer, over all its runs"),
        ("acknowledged", count(reading.acknowledged), "by the broker"),
        ("stored", count(reading.stored), f"{reading.product} in the lake"),
        ("set aside", count(reading.quarantined), "messages in quarantine"),
        ("replayed", count(reading.replayed), "of them, sent again"),
        ("duplicates", count(reading.duplicate_tickets), f"rows with a {unique} that is stored already"),
        ("lag", count(reading.lag), "in the topic, not stored yet"),
        *([("held back", count(reading.held_back), "of them, by an open transaction")] if reading.held_back else []),
        ("rate", f"{reading.stored_per_s:,.0f}/s", f"stored, over the last {_RATE_OVER_S} s"),
        ("latency p50", seconds(reading.latency_p50_s), "from the broker's stamp to the micro-batch"),
        ("latency p95", seconds(reading.latency_p95_s), f"newest {_LATENCY_OVER_BATCHES} micro-batches"),
        ("latency p99", seconds(reading.latency_p99_s), ""),
    ]
