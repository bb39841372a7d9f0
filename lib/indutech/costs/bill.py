"""From charges to a bill: what a scenario asks for × what it uses × what it costs, in FOCUS vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs.inputs.money import Money, UnitMismatch, total
from indutech.costs.inputs.prices import Confidence, Price, PriceList
from indutech.costs.inputs.usage import Figure

ON_DEMAND = 0  # months of commitment
TERMS = {12: "1 year", 36: "3 years"}  # months that AWS sells, paid month by month, nothing upfront
MATTERS = Decimal("0.01")  # a level of confidence that carries less than 1 % of the bill does not name the total


@dataclass(frozen=True)
class Charge:
    """What a scenario asks for: so many units of a priced thing, for one component of the architecture."""

    component: str
    price_id: str
    quantity: Figure
    unit: str
    why: str
    one_off: bool = False
    grows: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a bill, in whole cents; a tiered price gives one row per tier."""

    component: str
    charge: Charge
    price: Price
    quantity: Decimal
    list_unit_price: Decimal
    list_cost: Money
    effective_cost: Money
    confidence: Confidence
    commitment_months: int

    @property
    def marks(self) -> frozenset[str]:
        """The assumptions the quantity was computed from."""
        return self.charge.quantity.names


@dataclass(frozen=True)
class Bill:
    """The lines of one scenario; every view of it sums the same cents."""

    scenario: str
    lines: tuple[Line, ...]

    @property
    def currency(self) -> str:
        """The one currency of the bill."""
        found = {line.price.currency for line in self.lines} or {"USD"}
        if len(found) > 1:
            raise UnitMismatch(f"{self.scenario}: {' and '.join(sorted(found))} in one bill. Convert the prices first.")
        return found.pop()

    @property
    def monthly(self) -> tuple[Line, ...]:
        """Lines that come back every month."""
        return tuple(line for line in self.lines if not line.charge.one_off)

    @property
    def one_off(self) -> tuple[Line, ...]:
        """Lines paid once."""
        return tuple(line for line in self.lines if line.charge.one_off)

    @property
    def monthly_total(self) -> Money:
        """What a month costs, commitments included."""
        return total([line.effective_cost for line in self.monthly], self.currency)

    @property
    def one_off_total(self) -> Money:
        """What is paid once."""
        return total([line.effective_cost for line in self.one_off], self.currency)

    def by(self, key: Callable[[Line], str]) -> dict[str, Money]:
        """Monthly cost per component, service or any other property of a line, most expensive first."""
        sums: dict[str, Money] = {}
        for line in self.monthly:
            sums[key(line)] = sums.get(key(line), Money(Decimal(0), self.currency)) + line.effective_cost
        return dict(sorted(sums.items(), key=lambda item: (-item[1].amount, item[0])))

    def share(self, keep: Callable[[Line], bool]) -> Decimal:
        """The share of the monthly bill that some lines carry, from 0 to 1."""
        kept = total([line.effective_cost for line in self.monthly if keep(line)], self.currency)
        return kept.amount / self.monthly_total.amount if self.monthly_total.amount else Decimal(0)

    @property
    def confidence(self) -> dict[Confidence, Decimal]:
        """The share of the monthly bill at each level of confidence."""
        shares = {level: Decimal(0) for level in Confidence}
        for line in self.monthly:
            if line.effective_cost.amount:
                shares[line.confidence] += line.effective_cost.amount / self.monthly_total.amount
        return shares

    @property
    def weakest(self) -> Confidence:
        """The weakest confidence that carries at least 1 % of the bill."""
        matters = [level for level, share in self.confidence.items() if share >= MATTERS]
        return weakest(matters)

    @property
    def doubtful_share(self) -> Decimal:
        """The share of the monthly bill at rates that were not read for the region."""
        return sum((part for level, part in self.confidence.items() if level is not Confidence.EXACT), Decimal(0))

    @property
    def doubt(self) -> str:
        """The doubtful share in words; empty when it is too small to matter."""
        if self.weakest is Confidence.EXACT:
            return ""
        return f"{self.doubtful_share * 100:.0f} % at {self.weakest.value} rates"


def weakest(levels: Iterable[Confidence]) -> Confidence:
    """The weakest of some levels of confidence; exact when there are none."""
    return max(levels, key=lambda level: level.rank, default=Confidence.EXACT)


def hours(count: Figure) -> Figure:
    """So many things running all month: 730 hours each."""
    return count * HOURS_PER_MONTH


def priced(scenario: str, charges: Iterable[Charge], prices: PriceList, months: int = ON_DEMAND) -> Bill:
    """The bill of some charges; `months` of commitment replace the list price wherever a committed rate is known."""
    return Bill(scenario, tuple(line for charge in charges for line in _lines(charge, prices, months)))


def _lines(charge: Charge, prices: PriceList, months: int) -> Sequence[Line]:
    price = prices[charge.price_id]
    committed = prices.commitment(charge.price_id, months) if months and not charge.one_off else None
    slices = list(price.slices(charge.quantity.value, charge.unit)) or [(Decimal(0), price.tiers[0].price)]
    return [
        Line(
            component=charge.component,
            charge=charge,
            price=price,
            quantity=quantity,
            list_unit_price=unit_price,
            list_cost=Money(quantity * unit_price, price.currency).cents(),
            effective_cost=(
                committed.cost(quantity, charge.unit) if committed else Money(quantity * unit_price, price.currency)
            ).cents(),
            confidence=weakest([price.confidence, *([committed.confidence] if committed else [])]),
            commitment_months=months if committed else ON_DEMAND,
        )
        for quantity, unit_price in slices
    ]
