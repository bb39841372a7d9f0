"""A progress bar for the stream: how much of the topic is stored, and how fast it goes."""

import sys
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake.checkpoint import Checkpoint
from indutech.system.settings import Settings


class StreamBar:
    """Counts micro-batches against what the topic held at the start; silent where nobody watches a terminal."""

    def __init__(self, settings: Settings, broker: Broker, *, shown: bool = True) -> None:
        self._settings, self._broker = settings, broker
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("tickets"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task("Starting Spark", total=None)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        if not self._progress.disable and topics.describe_topic(self._broker, self._settings.topic):
            stored = Checkpoint(self._settings.checkpoint_dir).committed_offsets(self._settings.topic)
            end = topics.end_offsets(self._broker, self._settings.topic)
            self._progress.update(self._task, total=sum(end.values()) - sum(stored.values()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)

    def batch_done(self, entry: dict[str, Any]) -> None:
        """Move on by one micro-batch."""
        rate = f"{entry['rows_per_s']:,} tickets/s" if entry["rows_per_s"] else "Storing"
        self._progress.update(self._task, advance=entry["rows"], description=f"Batch {entry['batch']}: {rate}")
