"""How the bill changes with the volume of events, and month by month with growth and commitments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from indutech.architecture.quantities import TIB_IN_GIB
from indutech.costs.alternatives import STREAMING
from indutech.costs.bill import ON_DEMAND, TERMS, Bill, priced
from indutech.costs.charges import events_per_month, monthly_gib
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.prices import Confidence
from indutech.costs.model import CostModel

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


def unit_costs(model: CostModel, volume_gb: Decimal | int, scenario: str = "reference") -> UnitCosts:
    """Unit costs of a scenario at a monthly volume of events.

    A queried terabyte carries the warehouse (nodes, storage, Spectrum), the others the whole bill.
    """
    at_volume = model.having(sensor_gb_month=volume_gb)
    found = at_volume.bill(scenario)
    total, warehouse = found.monthly_total, found.by(lambda line: line.component)["redshift"]
    return UnitCosts(
        volume_gb=Decimal(volume_gb),
        monthly_total=total,
        per_million_events=Money(total.amount / (events_per_month(at_volume.usage).value / 10**6)),
        per_gb_ingested=Money(total.amount / Decimal(volume_gb)),
        per_tb_queried=Money(warehouse.amount / model.usage["spectrum_tb_month"].base),
        per_user=Money(total.amount / model.usage["users"].base),
    )


def fixed_cost(model: CostModel, scenario: str = "reference") -> Money:
    """What a month costs before the first event."""
    return model.having(sensor_gb_month=0).bill(scenario).monthly_total


def break_even_gb(model: CostModel, scenario: str = "reference") -> Decimal | None:
    """The monthly volume from which events cost more than what is paid without any, to 1 %; None if they never do."""
    doubled = fixed_cost(model, scenario) * 2

    def outweighs(volume: Decimal) -> bool:
        return doubled < model.having(sensor_gb_month=volume).bill(scenario).monthly_total

    low, high = Decimal(1), Decimal(_FARTHEST_GB)
    if not outweighs(high):
        return None
    while high - low > high / 100:  # the bill only rises with the volume, so halving finds the place
        middle = ((low + high) / 2).to_integral_value()
        low, high = (low, middle) if outweighs(middle) else (middle, high)
    return high


def streaming_bills(model: CostModel, volume_gb: Decimal | int) -> dict[str, Bill]:
    """The bill of the streaming line with each service at a monthly volume."""
    usage = model.usage.having(sensor_gb_month=volume_gb)
    return {name: priced(name, charges(usage), model.prices) for name, charges in STREAMING.items()}


def streaming_against_volume(
    model: CostModel, volumes: Sequence[int] = VOLUMES_GB
) -> list[tuple[int, dict[str, Bill]]]:
    """The same at several volumes, smallest first."""
    return [(volume, streaming_bills(model, volume)) for volume in sorted(volumes)]


def crossing_gb(model: CostModel, cheap_at_first: str, other: str) -> Decimal | None:
    """The first volume, to 10 GB, at which a streaming service costs more than another; None if it never does."""

    def costs_more(volume: Decimal) -> bool:
        bills = streaming_bills(model, volume)
        return bills[cheap_at_first].monthly_total.amount > bills[other].monthly_total.amount

    low, high = Decimal(0), Decimal(VOLUMES_GB[-1])
    if not costs_more(high):
        return None
    while high - low > 10:  # both rise with the volume, and the services paid by the gigabyte rise faster
        middle = (low + high) / 2
        low, high = (low, middle) if costs_more(middle) else (middle, high)
    return high.quantize(Decimal("1E1"), rounding=ROUND_CEILING) + 0


@dataclass(frozen=True)
class Month:
    """One month of a scenario: prices stay as they are today, volumes grow."""

    number: int
    monthly: Money
    one_off: Money
    cumulative: Money


def project(
    model: CostModel, months: int = 36, commitment: int = ON_DEMAND, scenario: str = "reference"
) -> list[Month]:
    """Month by month, one-off costs in the first; a term that ends is taken again at the same rate."""
    usage = model.usage
    yearly, grown = 1 + usage["growth_per_year"].base, Decimal(0)
    total, result = Money(Decimal(0)), []
    for number in range(1, months + 1):
        then = model.having(
            sensor_gb_month=usage["sensor_gb_month"].base * yearly ** (Decimal(number - 1) / 12),
            lake_tib=usage["lake_tib"].base + grown / TIB_IN_GIB,
            warehouse_tib=usage["warehouse_tib"].base
            + usage["warehouse_growth_gib_month"].base * (number - 1) / TIB_IN_GIB,
        )
        found = then.bill(scenario, commitment)
        # The history is copied once, in the first month, when nothing has grown yet.
        one_off = found.one_off_total if number == 1 else Money(Decimal(0), found.currency)
        total = total + found.monthly_total + one_off
        grown += monthly_gib(then.usage).value
        result.append(Month(number, found.monthly_total, one_off, total))
    return result


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
        loss = self.owed - self.on_demand_month * min(after, self.months)
        return Money(max(loss.amount, Decimal(0)), loss.currency)


def commitments(model: CostModel, scenario: str = "reference") -> list[Commitment]:
    """What each term would mean for the charges of a scenario that can be committed."""
    found = []
    for months in TERMS:
        covered = [
            charge
            for charge in model.charges(scenario)
            if not charge.one_off and model.prices.commitment(charge.price_id, months)
        ]
        free, bound = (priced(scenario, covered, model.prices, term) for term in (ON_DEMAND, months))
        found.append(Commitment(months, free.monthly_total, bound.monthly_total, bound.weakest))
    return found
