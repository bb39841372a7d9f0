"""Twelve to thirty-six months: what has been stored stays on the bill, volumes grow, commitments run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from indutech.charges import monthly_gib
from indutech.money import TIB_IN_GIB, Money
from indutech.prices import PriceList
from indutech.scenarios import bill
from indutech.usage import Usage


@dataclass(frozen=True)
class Month:
    """One month of a scenario: prices stay as they are today, volumes do not."""

    number: int
    monthly: Money
    one_off: Money
    cumulative: Money
    events_gb: Decimal
    lake_gib: Decimal
    warehouse_gib: Decimal


def project(scenario: str, usage: Usage, prices: PriceList, months: int = 36, commitment: int = 0) -> list[Month]:
    """Month by month, one-off costs in the first; a term that ends is taken again at the same rate."""
    yearly, grown = 1 + usage["growth_per_year"].base, Decimal(0)
    total, result = Money(Decimal(0)), []
    for number in range(1, months + 1):
        events = usage["sensor_gb_month"].base * yearly ** (Decimal(number - 1) / 12)
        warehouse = usage["warehouse_tib"].base + usage["warehouse_growth_gib_month"].base * (number - 1) / TIB_IN_GIB
        lake = usage["lake_tib"].base + grown / TIB_IN_GIB
        then = usage.having(sensor_gb_month=events, lake_tib=lake, warehouse_tib=warehouse)
        found = bill(scenario, then, prices, commitment)
        # The history is copied once, in the first month, when nothing has grown yet.
        one_off = found.one_off_total if number == 1 else Money(Decimal(0), found.currency)
        total = total + found.monthly_total + one_off
        grown += monthly_gib(then).value
        result.append(
            Month(number, found.monthly_total, one_off, total, events, lake * TIB_IN_GIB, warehouse * TIB_IN_GIB)
        )
    return result
