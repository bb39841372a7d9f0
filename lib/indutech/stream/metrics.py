"""How far the stream is: a small JSON file that notebook 03 reads, and what the progress display shows."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from indutech.kafka.connection import Broker
from indutech.lake import identity
from indutech.stream.batches import BatchWriter
from indutech.system.errors import InduTechError
from indutech.system.progress import Position
from indutech.system.settings import Settings
from indutech.system.state_files import write_json

_KEPT_BATCHES = 500

WriteBatch = Callable[[DataFrame, int], None]


class ProgressWriter(StreamingQueryListener):
    """Appends one entry per micro-batch.

    An entry has `batch`, `started_at`, `rows`, `stored`, `quarantined`, `seconds` and `rows_per_s`.
    """

    def __init__(self, settings: Settings, writer: BatchWriter, position: "StreamPosition") -> None:
        self._file = settings.metrics_file
        self._writer = writer
        self._position = position
        self._ended = threading.Event()
        self.batches = 0

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802
        """A further event will come."""
        self._ended.clear()

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        """Nothing to note: an idle topic makes no batch."""

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        """Note the batch that has just been committed."""
        progress = event.progress
        if not progress.numInputRows:
            return
        self.batches += 1
        seconds = progress.durationMs.get("triggerExecution", 0) / 1000
        entry = {
            "batch": progress.batchId,
            "started_at": progress.timestamp,
            "rows": progress.numInputRows,
            **self._writer.counts.pop(progress.batchId, {}),
            "seconds": seconds,
            "rows_per_s": round(progress.numInputRows / seconds) if seconds else None,
        }
        kept = read(self._file)[1 - _KEPT_BATCHES :]
        write_json(self._file, {"batches": [*kept, entry]})
        self._position.batch_done(entry)

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        """Say that no further event comes."""
        self._ended.set()

    def settle(self, deadline_s: float = 10) -> None:
        """Wait until the last event has arrived: Spark delivers them later than the query ends."""
        self._ended.wait(deadline_s)


class StreamPosition:
    """What the progress display shows of a stream: Spark starts, tickets are stored, or none are there to store."""

    def __init__(self, settings: Settings, broker: Broker, *, asks: bool) -> None:
        self._settings, self._broker, self._asks = settings, broker, asks
        self._stored_here = self._stored = 0
        self._now = Position("Starting Spark")
        self.is_running = False

    def look(self) -> Position:
        """The position after the newest event."""
        return self._now

    def started(self) -> None:
        """The query runs."""
        self.is_running = True
        self._after("Storing")

    def following(self, write: WriteBatch) -> WriteBatch:
        """Return what writes a micro-batch the same way, and says before that it begins."""

        def write_and_say(rows: DataFrame, batch: int) -> None:
            if not self._now.unit:  # it waited; how much there is to store now is asked afterwards
                self._now = Position(f"Storing {self._settings.product}: {self._stored:,} stored so far")
            write(rows, batch)

        return write_and_say

    def batch_done(self, entry: dict[str, Any]) -> None:
        """A micro-batch is committed."""
        self._stored_here += entry["rows"]
        self._after(f"Storing {entry['rows_per_s']:,}/s" if entry["rows_per_s"] else "Storing")

    def _after(self, text: str) -> None:
        if not self._asks:  # nobody watches, and each question costs the broker an answer
            return
        try:
            backlog = identity.backlog(self._settings, self._broker)
        except InduTechError:  # the broker does not answer: the stream itself will say so
            return
        self._stored = backlog.stored if backlog else 0
        if backlog and 0 < backlog.waiting == backlog.held_back:
            self._now = Position(
                f"Waiting for an open transaction to end: {backlog.held_back:,} messages cannot be read before"
            )
        elif backlog and backlog.waiting:
            self._now = Position(text, self._stored_here, self._stored_here + backlog.waiting, self._settings.product)
        else:
            self._now = Position(f"Waiting for {self._settings.product}: {self._stored:,} stored so far")


def read(file: Path) -> list[dict[str, Any]]:
    """The entries so far, oldest first; none if the stream has not run."""
    try:
        return list(json.loads(file.read_text())["batches"])
    except FileNotFoundError:
        return []
