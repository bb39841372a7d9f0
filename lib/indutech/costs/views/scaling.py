"""The parts of docs/scaling.md: cores, executors and partitions for a load, from the measured speed of one core."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import pandas as pd

from indutech.costs.charges import SECONDS_PER_MONTH, events_per_month
from indutech.costs.inputs.usage import Usage
from indutech.costs.model import CostModel
from indutech.show.tables import from_rows

EXECUTOR_CORES = 4
LEAST_PARTITIONS = 4  # what the topic is made with
# Partitions can be added later, but then the tickets of a client no longer keep their order: so there is room.
PARTITIONS_PER_CORE = 2
LOADS = (10_000, 100_000, 1_000_000)  # messages a second at peak, beside that of the platform


@dataclass(frozen=True)
class Size:
    """What a load needs."""

    cores: int
    executors: int
    partitions: int


def size(peak_per_second: Decimal, per_core_second: Decimal, core_load: Decimal) -> Size:
    """Cores that work off this peak at this share of their speed, in whole executors, and the partitions they read."""
    cores = _whole(peak_per_second / (per_core_second * core_load))
    executors = _whole(Decimal(cores) / EXECUTOR_CORES)
    return Size(cores, executors, max(LEAST_PARTITIONS, PARTITIONS_PER_CORE * cores))


def size_table(model: CostModel) -> pd.DataFrame:
    """A row for the platform's own peak and for each of the larger loads."""
    usage = model.usage
    own = _peak(usage)
    return from_rows(
        _row("the platform's own" if load == own else "", load, usage) for load in (own, *map(Decimal, LOADS))
    )


def speed(model: CostModel) -> str:
    """The measured speed that the table stands on, and the assumptions beside it."""
    usage = model.usage
    return (
        f"One core stores up to {usage['tickets_per_core_second'].base:,} tickets a second. {model.measured_by} "
        f"A core is planned to be busy for {usage['core_load'].base * 100:.0f} % at peak, and the platform's peak is "
        f"{usage['peak_factor'].base} times the mean of its {usage['sensor_gb_month'].base} GB a month."
    )


def _row(name: str, load: Decimal, usage: Usage) -> dict[str, str]:
    needed = size(load, usage["tickets_per_core_second"].base, usage["core_load"].base)
    in_megabytes = load * usage["event_bytes"].base / 1_000_000
    return {
        "Load": name or "larger",
        "Messages a second at peak": f"{load:,.0f}",
        "MB a second": f"{in_megabytes:,.1f}",
        "Cores": f"{needed.cores:,}",
        f"Executors of {EXECUTOR_CORES} cores": f"{needed.executors:,}",
        "Partitions": f"{needed.partitions:,}",
    }


def _peak(usage: Usage) -> Decimal:
    return (events_per_month(usage) / SECONDS_PER_MONTH * usage("peak_factor")).value


def _whole(figure: Decimal) -> int:
    return int(figure.to_integral_value(ROUND_CEILING))
