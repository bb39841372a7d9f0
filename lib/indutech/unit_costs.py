"""Unit economics: what a million events, a gigabyte, a queried terabyte and a user cost, against volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from indutech.charges import events_per_month
from indutech.money import Money
from indutech.prices import PriceList
from indutech.scenarios import bill
from indutech.usage import Usage

VOLUMES_GB = (10, 50, 200, 1_000, 5_000, 20_000, 100_000)
_FARTHEST_GB = 10**8


@dataclass(frozen=True)
class UnitCosts:
    """The monthly bill at one volume, divided by what it serves."""

    volume_gb: Decimal
    monthly_total: Money
    per_million_events: Money
    per_gb_ingested: Money
    per_tb_queried: Money
    per_user: Money


def unit_costs(scenario: str, usage: Usage, prices: PriceList, volume_gb: Decimal | int) -> UnitCosts:
    """Unit costs of a scenario at a monthly volume of events.

    A queried terabyte carries the warehouse (nodes, storage, Spectrum), the others the whole bill.
    """
    at_volume = usage.having(sensor_gb_month=volume_gb)
    found = bill(scenario, at_volume, prices)
    total, warehouse = found.monthly_total, found.by(lambda line: line.component)["redshift"]
    return UnitCosts(
        volume_gb=Decimal(volume_gb),
        monthly_total=total,
        per_million_events=Money(total.amount / (events_per_month(at_volume).value / 10**6)),
        per_gb_ingested=Money(total.amount / Decimal(volume_gb)),
        per_tb_queried=Money(warehouse.amount / usage["spectrum_tb_month"].base),
        per_user=Money(total.amount / usage["users"].base),
    )


def against_volume(
    scenario: str, usage: Usage, prices: PriceList, volumes: Sequence[int] = VOLUMES_GB
) -> list[UnitCosts]:
    """Unit costs at several volumes, smallest first."""
    return [unit_costs(scenario, usage, prices, volume) for volume in sorted(volumes)]


def fixed_cost(scenario: str, usage: Usage, prices: PriceList) -> Money:
    """What a month costs before the first event."""
    return bill(scenario, usage.having(sensor_gb_month=0), prices).monthly_total


def knee_gb(scenario: str, usage: Usage, prices: PriceList) -> Decimal | None:
    """The monthly volume from which events cost more than what is paid without any, to 1 %; None if they never do."""
    twice = fixed_cost(scenario, usage, prices) * 2

    def outweighs(volume: Decimal) -> bool:
        return twice < bill(scenario, usage.having(sensor_gb_month=volume), prices).monthly_total

    low, high = Decimal(1), Decimal(_FARTHEST_GB)
    if not outweighs(high):
        return None
    while high - low > high / 100:  # the bill only rises with the volume, so halving finds the place
        middle = ((low + high) / 2).to_integral_value()
        low, high = (low, middle) if outweighs(middle) else (middle, high)
    return high
