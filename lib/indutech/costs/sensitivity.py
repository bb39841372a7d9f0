"""What moves the bill: one assumption or doubtful price at a time over its own bracket, the others at their base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from indutech.costs.bill import ON_DEMAND, Bill
from indutech.costs.inputs.money import Money, singular
from indutech.costs.inputs.prices import Confidence, PriceList
from indutech.costs.model import CostModel


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


def swings(model: CostModel, scenario: str = "reference", months: int = ON_DEMAND) -> list[Swing]:
    """Every input that moves the monthly total, widest first."""
    base = model.bill(scenario, months)
    found = [*_of_usage(model, base, months), *_of_prices(model, base, months)]
    return sorted((swing for swing in found if swing.width), key=lambda swing: (-swing.width, swing.name))


def _of_usage(model: CostModel, base: Bill, months: int) -> Iterator[Swing]:
    for name in sorted({name for line in base.monthly for name in line.marks}):
        row = model.usage[name]
        low, high = (
            model.having(**{name: value}).bill(base.scenario, months).monthly_total for value in (row.low, row.high)
        )
        yield Swing(name, row.origin, row.low, row.base, row.high, row.unit, low, high, row.reason)


def _of_prices(model: CostModel, base: Bill, months: int) -> Iterator[Swing]:
    used = {price_id for line in base.monthly for price_id in _rates(line.price.price_id, model.prices, months)}
    for price in (model.prices[price_id] for price_id in sorted(used)):
        if price.in_doubt:
            low, high = (
                model.with_price(price.at(bound)).bill(base.scenario, months).monthly_total for bound in ("low", "high")
            )
            tier, unit = price.tiers[0], f"{price.currency} per {singular(price.unit)}"
            yield Swing(price.price_id, "price", tier.low, tier.price, tier.high, unit, low, high, price.note)


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
