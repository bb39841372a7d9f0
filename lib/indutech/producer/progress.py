"""A progress bar for the producer: what is acknowledged, and how fast it goes."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from indutech.producer.counts import Tally

MOVES_EVERY_S = 0.1


class ProduceBar:
    """Follows a tally; silent where nobody watches a terminal."""

    def __init__(self, tally: Tally, total: int | None, *, shown: bool = True) -> None:
        self._tally, self._due, self._began = tally, 0.0, time.monotonic()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("acknowledged"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task("Sending", total=total)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._due = 0.0
        self.move()
        self._progress.__exit__(kind, error, trace)

    def move(self) -> None:
        """Show where the tally is, a few times a second."""
        now = time.monotonic()
        if self._progress.disable or now < self._due:
            return
        self._due = now + MOVES_EVERY_S
        acknowledged = sum(self._tally.acknowledged)
        rate = acknowledged / max(0.001, now - self._began)
        failed = f", {self._tally.failed:,} failed" if self._tally.failed else ""
        self._progress.update(self._task, completed=acknowledged, description=f"Sending: {rate:,.0f} tickets/s{failed}")
