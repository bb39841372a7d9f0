"""The table at the end: what was measured, beside what the project promises."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bench.drain import OURS, USUAL, Drain

MOST_MEMORY_MIB = 3.5 * 1024


@dataclass(frozen=True)
class Figure:
    """One measured number; a promise is a bound, or None where nothing is promised."""

    section: str
    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def promise(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f"at least {shown(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"at most {shown(self.at_most, self.unit)}"

    @property
    def verdict(self) -> str:
        """Whether the bound holds; nothing where there is none."""
        if not self.promise:
            return ""
        low, high = self.at_least, self.at_most
        kept = (low is None or self.value >= low) and (high is None or self.value <= high)
        return "[green]kept[/]" if kept else "[red]missed[/]"


def of_drains(drains: Sequence[Drain]) -> list[Figure]:
    """Return our rate and memory on each number of partitions, and how much faster than the usual job that is."""
    found = []
    by = {(drain.job, drain.partitions): drain for drain in drains}
    for partitions, ratio in ((1, 1.5), (4, 1.0)):
        ours, usual = by[OURS, partitions], by[USUAL, partitions]
        where = f"on {partitions} partition{'s' * (partitions > 1)}"
        found += [
            Figure("stream", f"ours {where}", ours.tickets_per_s, "tickets/s"),
            Figure("stream", f"ours / usual {where}", ours.tickets_per_s / usual.tickets_per_s, "x", at_least=ratio),
            Figure("stream", f"memory, ours {where}", ours.peak_mib, "MiB", at_most=MOST_MEMORY_MIB),
        ]
    return found


def as_table(figures: Sequence[Figure]) -> Table:
    """Return the figures of all sections, one row each."""
    table = Table(title="Measured in one run on this machine", title_justify="left", box=SIMPLE_HEAD)
    for name in ("section", "what", "measured", "promised", ""):
        table.add_column(name, justify="right" if name in ("measured", "promised") else "left")
    for figure in figures:
        table.add_row(figure.section, figure.what, shown(figure.value, figure.unit), figure.promise, figure.verdict)
    return table


def shown(value: float, unit: str) -> str:
    """Return a number as one reads it: ratios and seconds with decimals, everything else in whole units."""
    decimals = {"x": 2, "s": 1, "percent": 2}.get(unit, 0)
    return f"{value:,.{decimals}f} {unit}"
