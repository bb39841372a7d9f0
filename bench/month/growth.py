"""What grows with what is stored: at some sizes the producer waits, and once all is stored the commands are timed."""

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.drain import resident
from bench.month.programs import Program, done
from indutech.lake import reader
from indutech.system.settings import Settings

SIZES = (1_000_000, 10_000_000, 100_000_000)  # tickets stored
COUNT = "SELECT count(*) FROM tickets"
FULL = 0.9  # of the bound of a micro-batch: what is smaller pays the fixed costs for less


@dataclass
class Growth:
    """What was found at each size."""

    settings: Settings
    left: list[int] = field(default_factory=lambda: list(SIZES))
    found: list[dict[str, Any]] = field(default_factory=list)

    def is_due(self, stored: int) -> bool:
        """Whether a size has been reached that was not looked at."""
        return bool(self.left) and stored >= self.left[0]

    def look(self, stored: int, last_batch: int, stream: Program) -> None:
        """Time the commands while nothing arrives, and note the memory of the stream."""
        self.left = [size for size in self.left if size > stored]
        seconds = {
            name: done(f"{name}-{stored}", self.settings, name, "--json", exits=(0, 1, 2)).seconds
            for name in ("reconcile", "monitor")
        }
        began = time.monotonic()
        reader.query(self.settings, COUNT)
        seconds["open_and_count"] = time.monotonic() - began
        self.found.append({
            "stored": stored,
            "last_batch": last_batch,
            "seconds": {name: round(took, 2) for name, took in seconds.items()},
            "stream_mib": round(resident(stream.process.pid) / 2**20),
        })  # fmt: skip

    def with_pace(self, alone: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what was found, with the median pace of the full micro-batches since the size before.

        `alone` are those during which nobody sent; `tickets_per_s` is None where none of them was full.
        """
        batches, first, paced = list(alone), 0, []
        for one in self.found:
            least = FULL * self.settings.max_batch_tickets
            full = [b for b in batches if first <= b["batch"] <= one["last_batch"] and b["rows"] >= least]
            rates = [batch["rows"] / batch["seconds"] for batch in full]
            paced.append({**one, "tickets_per_s": round(statistics.median(rates)) if rates else None})
            first = one["last_batch"] + 1
        return paced
