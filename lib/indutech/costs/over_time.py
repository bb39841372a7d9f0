"""Twelve to thirty-six months: what has been stored stays on the bill, volumes grow, commitments run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from indutech.architecture.quantities import TIB_IN_GIB
from indutech.costs.bill import Bill, Charge, priced
from indutech.costs.charges import monthly_gib
from indutech.costs.money import Money
from indutech.costs.prices import Confidence, PriceList
from indutech.costs.scenarios import bill
from indutech.costs.usage import Usage


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


TERMS = (12, 36)  # months that AWS sells, paid month by month, nothing upfront
TERM_NAMES = {0: "on demand", 12: "1 year", 36: "3 years"}


@dataclass(frozen=True)
class Commitment:
    """One term against paying on demand, over everything that a committed rate is known for."""

    months: int
    on_demand_month: Money
    committed_month: Money
    confidence: Confidence

    @property
    def saving_month(self) -> Money:
        """What each month is cheaper by, while the project lives."""
        return self.on_demand_month - self.committed_month

    @property
    def owed(self) -> Money:
        """The whole term: due even if nothing runs any more."""
        return self.committed_month * self.months

    @property
    def break_even_month(self) -> int:
        """The first month at whose end the term has cost no more than on demand would have."""
        if not self.on_demand_month.amount:
            return 0
        return int((self.owed.amount / self.on_demand_month.amount).to_integral_value(ROUND_CEILING))

    def loss_if_stopped(self, after: int) -> Money:
        """What the term costs beyond on demand if the project stops after some months; never negative."""
        used = min(after, self.months)
        loss = self.owed - self.on_demand_month * used
        return Money(max(loss.amount, Decimal(0)), loss.currency)


def commitment(charges: Iterable[Charge], prices: PriceList, months: int) -> Commitment:
    """What a term would mean for the charges that can be committed."""
    covered = [charge for charge in charges if not charge.one_off and prices.commitment(charge.price_id, months)]
    free: Bill = priced("on demand", covered, prices)
    bound = priced("committed", covered, prices, months)
    return Commitment(months, free.monthly_total, bound.monthly_total, bound.weakest)
