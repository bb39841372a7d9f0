"""Cores, executors and partitions of docs/scaling.md follow from the measured speed."""

from decimal import Decimal

import pytest

from indutech.costs.model import read_model
from indutech.costs.views import document
from indutech.costs.views.scaling import Size, size


@pytest.mark.parametrize(
    ("peak", "expected"),
    [
        (1, Size(cores=1, executors=1, partitions=4)),
        (50, Size(cores=1, executors=1, partitions=4)),
        (51, Size(cores=2, executors=1, partitions=4)),
        (150, Size(cores=3, executors=1, partitions=6)),
        (250, Size(cores=5, executors=2, partitions=10)),
    ],
)
def test_a_load_has_its_size(peak: int, expected: Size) -> None:
    """One core of 100 tickets a second, half of it used: whole cores, whole executors, two partitions for each core."""
    assert size(Decimal(peak), Decimal(100), Decimal("0.5")) == expected


def test_half_the_speed_needs_twice_the_cores() -> None:
    """The table changes with the measurement: nothing in it is typed."""
    model = read_model()
    measured = model.usage["tickets_per_core_second"].base

    table = document.PARTS["scaling-sizes"](model)

    assert f"{measured:,}" in document.PARTS["scaling-speed"](model)
    largest = size(Decimal(1_000_000), measured, model.usage["core_load"].base)
    assert f"| {largest.cores:,} | {largest.executors:,} | {largest.partitions:,} |" in table
    assert size(Decimal(1_000_000), measured / 2, model.usage["core_load"].base).cores >= 2 * largest.cores - 1
