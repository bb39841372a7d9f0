"""What moves the bill: one assumption or doubtful price at a time over its own bracket. No distribution is invented."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from indutech.costs.bill import Bill
from indutech.costs.money import Money, singular
from indutech.costs.prices import Confidence, PriceList
from indutech.costs.scenarios import bill
from indutech.costs.usage import Usage


@dataclass(frozen=True)
class Swing:
    """The monthly total with one input at its low and at its high, everything else at its base."""

    name: str
    kind: str
    low: Decimal
    base: Decimal
    high: Decimal
    unit: str
    total_at_low: Money
    total_at_high: Money
    reason: str

    @property
    def width(self) -> Decimal:
        """How far the total moves, in either direction."""
        return abs(self.total_at_high.amount - self.total_at_low.amount)


def swings(scenario: str, usage: Usage, prices: PriceList, months: int = 0) -> list[Swing]:
    """Every input that moves the monthly total, widest first."""
    base = bill(scenario, usage, prices, months)
    found = [*_of_usage(scenario, usage, prices, months, base), *_of_prices(scenario, usage, prices, months, base)]
    return sorted((swing for swing in found if swing.width), key=lambda swing: (-swing.width, swing.name))


def _of_usage(scenario: str, usage: Usage, prices: PriceList, months: int, base: Bill) -> list[Swing]:
    used = {name for line in base.monthly for name in line.marks}
    result = []
    for name in sorted(used):
        row = usage[name]
        low, high = (
            bill(scenario, usage.having(**{name: value}), prices, months).monthly_total for value in (row.low, row.high)
        )
        result.append(Swing(name, row.origin, row.low, row.base, row.high, row.unit, low, high, row.reason))
    return result


def _of_prices(scenario: str, usage: Usage, prices: PriceList, months: int, base: Bill) -> list[Swing]:
    result = []
    for price_id in sorted(
        {price_id for line in base.monthly for price_id in _rates(line.price.price_id, prices, months)}
    ):
        price = prices[price_id]
        if price.in_doubt:
            low, high = (
                bill(scenario, usage, prices.with_price(price.at(bound)), months).monthly_total
                for bound in ("low", "high")
            )
            tier = price.tiers[0]
            unit = f"{price.currency} per {singular(price.unit)}"
            result.append(Swing(price_id, "price", tier.low, tier.price, tier.high, unit, low, high, price.note))
    return result


def _rates(price_id: str, prices: PriceList, months: int) -> list[str]:
    committed = prices.commitment(price_id, months) if months else None
    return [price_id, committed.price_id] if committed else [price_id]


@dataclass(frozen=True)
class Doubt:
    """A rate that was not read for the region, what hangs on it, and what to look up before a purchase."""

    price_id: str
    item: str
    confidence: Confidence
    monthly: Money
    share: Decimal
    swing: Decimal
    look_up: str


def doubts(found: Bill, prices: PriceList) -> list[Doubt]:
    """Rates of a bill that are not exact for the region, the ones that carry most of it first."""
    result = []
    for price_id in {p for line in found.monthly for p in _rates(line.price.price_id, prices, line.commitment_months)}:
        price = prices[price_id]
        if price.confidence is Confidence.EXACT:
            continue
        on_it = [
            line for line in found.monthly if price_id in _rates(line.price.price_id, prices, line.commitment_months)
        ]
        monthly = sum((line.effective_cost.amount for line in on_it), Decimal(0))
        quantity = sum((line.quantity for line in on_it), Decimal(0))
        swing = price.at("high").cost(quantity, price.unit) - price.at("low").cost(quantity, price.unit)
        share = monthly / found.monthly_total.amount if found.monthly_total.amount else Decimal(0)
        result.append(Doubt(price_id, f"{price.service}: {price.item}", price.confidence, Money(monthly), share,
                            swing.amount, price.look_up))  # fmt: skip
    return sorted(result, key=lambda doubt: (-doubt.monthly.amount, doubt.price_id))
