"""What one sees of the month: two lines that move on a terminal, elsewhere a line a minute; a table at the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from indutech.system import progress as one_line
from indutech.system import signals

PLAIN_LINE_EVERY_S = 60


class Display:
    """Told what happens, as often as anybody looks; shows it as fits the place."""

    def __init__(self, tickets: int) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        self._bar = Progress(*columns, TimeElapsedColumn())
        self._task = self._bar.add_task("Starting", total=tickets)
        self._tickets, self._details, self._step, self._due = tickets, "", "", 0.0

    def says(self, step: str, stored: int | None = None, details: str = "") -> None:
        """Take in the step that is under way, how many tickets are stored, and whatever else is worth a line."""
        self._bar.update(self._task, description=step, completed=stored)
        self._details = details
        if not one_line.on_terminal() and (step != self._step or time.monotonic() >= self._due):
            count = "" if stored is None else f"{stored:,} of {self._tickets:,} tickets stored; "
            print(f"{step}: {count}{details}".rstrip("; :"), file=sys.stderr, flush=True)
            self._due = time.monotonic() + PLAIN_LINE_EVERY_S
        self._step = step

    def lines(self) -> RenderableType:
        """Return what a terminal shows now."""
        return Group(
            self._bar, Text(one_line.STOPPING if signals.is_stopping() else f"  {self._details}", style="cyan")
        )


@contextmanager
def display(tickets: int) -> Iterator[Display]:
    """Show the month while the block runs."""
    shown = Display(tickets)
    if not one_line.on_terminal():
        yield shown
        return
    with Live(console=Console(stderr=True), get_renderable=shown.lines, refresh_per_second=4, transient=True):
        yield shown


def details(rate: float, sent: int, backlog: int, free: int, left_s: float | None, waits: bool) -> str:
    """Return how fast it goes, what waits where, and how long it will take."""
    waiting = f"{sent:,} sent{' (the producer waits)' if waits else ''}"
    left = "" if left_s is None else f"; {timedelta(seconds=round(left_s))} left"
    return f"{rate:,.0f}/s; {waiting}; {gb(backlog)} in the topic; {gb(free)} free{left}"


def gb(size: float) -> str:
    """Return bytes as one reads them."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def as_table(found: dict[str, Any]) -> Table:
    """Return the run as a table."""
    said = f"{found['days']:g} days of InduTech: {found['tickets']:,} tickets, seed {found['seed']}"
    table = Table(
        title=f"{said}, on {found['cores']} cores and {found['memory_gib']:g} GiB",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("")
    for row in _rows(found):
        table.add_row(*row)
    return table


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    seconds, size, peak, cpu = found["seconds"], found["bytes"], found["peak_mib"], found["processor_seconds"]
    yield "in all", f"{seconds['total']:,.0f} s", f"{found['tickets_per_core_second']:,} per core-second"
    yield "produced and drained", f"{seconds['produced_and_drained']:,.0f} s", "all three at once"
    yield (
        "  producing",
        f"{seconds['producing']:,.0f} s",
        f"waited {seconds['producer_waited']:,.0f} s for room",
    )
    yield "  draining", f"{seconds['draining']:,.0f} s", f"{found['micro_batches']:,} micro-batches"
    alone = found["drained_alone"]
    if alone["tickets"]:
        rate = f"{alone['tickets_per_s']:,}/s"
        yield "  draining alone", rate, f"{alone['tickets']:,} while nothing was sent"
    for one in found["growth"]:
        took, pace = one["seconds"], one["tickets_per_s"]
        commands = f"reconcile {took['reconcile']:.1f} s, monitor {took['monitor']:.1f} s"
        yield f"  with {one['stored']:,}", f"{pace:,}/s" if pace else "", f"{commands}, {one['stream_mib']:,} MiB"
    yield (
        "compaction",
        f"{seconds['compaction']:,.1f} s",
        f"{found['files']['before']:,} files, then {found['files']['after']:,}",
    )
    yield "reconciliation", f"{seconds['reconciliation']:,.1f} s", f"{found['lost']:,} lost, {found['twice']:,} twice"
    yield "audit", f"{seconds['audit']:,.1f} s", found["audit"]
    for name, used in cpu.items():
        yield f"processors, {name}", f"{used:,.0f} s", f"{peak[name]:,} MiB at most" if name in peak else ""
    yield "raw JSON", gb(size["raw"]), f"{found['bytes_per_ticket']:.1f} bytes a ticket"
    yield "in the broker", gb(size["broker"]), f"{gb(size['broker_at_most'])} at once"
    yield "Parquet", gb(size["parquet_before"]), f"{gb(size['parquet_after'])} compacted"
    question = found["question"]
    yield (
        "notebook 04 reads",
        gb(question["bytes_after"]),
        f"{question['asked']} ({question['seconds']:.1f} s)",
    )
