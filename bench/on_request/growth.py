"""What a full lake changes: the same micro-batches, commands and questions at 1, 10 and 100 million tickets stored.

The three lakes take turns, because a shared machine is not as fast in an hour as it is now. Micro-batches are small:
what one costs besides its rows is what could grow. Each drain is a process of its own, whose first micro-batches
are not counted; the small lake is new in each round, so that it stays small.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure, of_rounds
from bench.month import topic as topics_on_disk
from bench.month.growth import COUNT, SIZES
from bench.month.programs import done
from bench.own_broker import own_broker
from bench.start import ran
from indutech.kafka.broker import Broker
from indutech.lake import reader
from indutech.stream import metrics
from indutech.system.settings import Settings

ROUNDS = 4
BATCH, BATCHES, FIRST = 250_000, 8, 4  # of so many, the first ones warm up
FILLED_AT_ONCE, BACKLOG = 5_000_000, 4 * 2**30
SECTION, GROWS_BY = "growth", 1.10
BATCH_S, PEAK, RECONCILES, LOOKS, OPENS = (
    f"micro-batch of {BATCH:,}",
    "memory, stream",
    "`reconcile --json`",
    "`monitor --json`",
    "open and count",
)
UNITS = {BATCH_S: "s", PEAK: "MiB", RECONCILES: "s", LOOKS: "s", OPENS: "s"}


@dataclass
class Lake:
    """A topic and what was stored of it."""

    settings: Settings
    broker: Broker
    stored: int = 0
    _left: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        topics_on_disk.make(self.settings, self.broker, BACKLOG)

    def grow(self, tickets: int, *arguments: str) -> float:
        """Produce so many and store them, then free the topic's disk; return the peak of the stream's memory in MiB."""
        seed = str(self.stored)
        done("producer", self.settings, "produce", "--load", "--count", str(tickets), "--seed", seed, *arguments)
        stream = done("stream", self.settings, "stream", "--once", "--json")
        self._left = topics_on_disk.delete_committed(self.settings, self.broker, self._left)
        self.stored += tickets
        return stream.peak_mib

    def fill(self, tickets: int) -> Iterator[int]:
        """Store the tickets of four weeks, in several goes; yield how many are stored."""
        while self.stored < tickets:
            self.grow(min(FILLED_AT_ONCE, tickets - self.stored), "--period", "28")
            yield self.stored

    def measured(self) -> dict[str, float]:
        """Store some more, of today, and time micro-batches, commands and a question."""
        peak = self.grow(BATCHES * BATCH)
        batches = metrics.read(self.settings.metrics_file)[-BATCHES:][FIRST:]
        found = {BATCH_S: sum(batch["seconds"] for batch in batches) / len(batches), PEAK: peak}
        for what, command in ((RECONCILES, "reconcile"), (LOOKS, "monitor")):
            found[what] = ran(self.settings, command, "--json")
        began = time.monotonic()
        reader.query(self.settings, COUNT)
        return {**found, OPENS: time.monotonic() - began}


def run(console: Console) -> list[Figure]:
    """Fill the lakes, measure each in turn, print the table, return the medians."""
    found: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    topics_on_disk.quick_deletion()
    with own_broker() as (own, broker):

        def lake(name: str) -> Lake:
            settings = Settings(
                _env_file=None,
                data_dir=own.data_dir / name,
                bootstrap_servers=broker.bootstrap_servers,
                topic=f"tickets-{name}",
                max_batch_tickets=BATCH,
            )
            return Lake(settings, broker)

        lakes = {size: lake(str(size)) for size in SIZES[1:]}
        with console.status("") as status:
            for size, filling in lakes.items():
                for stored in filling.fill(size):
                    status.update(f"filling a lake: {stored:,} of {size:,} tickets stored")
            for number in range(ROUNDS):
                small = lake(f"{SIZES[0]}-{number}")
                list(small.fill(SIZES[0]))
                for size, measured in {SIZES[0]: small, **lakes}.items():
                    status.update(f"{size:,} tickets stored, round {number + 1} of {ROUNDS}")
                    found[size].append(measured.measured())
    console.print(_table(found))
    return list(_figures(found))


def _figures(found: dict[int, list[dict[str, float]]]) -> Iterator[Figure]:
    medians: dict[int, float] = {}
    for what, unit in UNITS.items():
        for size, rounds in found.items():
            yield (figure := of_rounds(SECTION, f"{what}, {size:,} stored", [one[what] for one in rounds], unit))
            if what == BATCH_S:
                medians[size] = figure.value
    for size in SIZES[1:]:
        ratio = medians[size] / medians[SIZES[0]]
        yield Figure(SECTION, f"micro-batch, {size:,} / {SIZES[0]:,} stored", ratio, "x", at_most=GROWS_BY)


def _table(found: dict[int, list[dict[str, float]]]) -> Table:
    table = Table(title=f"Median of {ROUNDS} rounds, the lakes in turn", title_justify="left", box=SIMPLE_HEAD)
    for name in ("tickets stored", *(f"{what}, {unit}" for what, unit in UNITS.items())):
        table.add_column(name, justify="right")
    for size, rounds in found.items():
        values = [of_rounds(SECTION, what, [one[what] for one in rounds], unit).value for what, unit in UNITS.items()]
        table.add_row(f"{size:,}", *(f"{value:,.0f}" if value > 100 else f"{value:.2f}" for value in values))
    return table
