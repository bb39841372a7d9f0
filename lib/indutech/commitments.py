"""Commitments: what a term saves, from which month it pays, and what is lost if the project stops before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from indutech.costs import Bill, Charge, priced
from indutech.money import Money
from indutech.prices import Confidence, PriceList

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
