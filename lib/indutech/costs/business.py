"""What stands around the AWS bill: the one-off, people, support plan, VAT, euro, years, and staying on-premise.

Its assumptions are in `assets/business_case.csv`, apart from prices and usage. Amounts are dollars before VAT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from indutech.costs.bill import ON_DEMAND, Bill
from indutech.costs.charges import history_gib
from indutech.costs.inputs.money import Money
from indutech.costs.model import CostModel
from indutech.costs.projections import project
from indutech.costs.sensitivity import swings

YEAR, THREE_YEARS = 12, 36
ON_PREMISE = "staying on-premise"


@dataclass(frozen=True)
class Range:
    """An amount in dollars with its low and its high."""

    low: Decimal
    base: Decimal
    high: Decimal

    def __add__(self, other: Range) -> Range:
        return Range(*(mine + theirs for mine, theirs in zip(self.ends, other.ends, strict=True)))

    def __mul__(self, other: Range | Decimal | int) -> Range:
        factors = other.ends if isinstance(other, Range) else (Decimal(other),) * 3
        return Range(*(mine * factor for mine, factor in zip(self.ends, factors, strict=True)))

    @property
    def ends(self) -> tuple[Decimal, Decimal, Decimal]:
        """Low, base and high."""
        return self.low, self.base, self.high


def same(amount: Decimal | int) -> Range:
    """An amount without a bracket."""
    return Range(*(Decimal(amount),) * 3)


def total(ranges: Iterable[Range]) -> Range:
    """The sum, end by end."""
    result = same(0)
    for one in ranges:
        result = result + one
    return result


def assumed(model: CostModel, name: str) -> Range:
    """An assumption of the business case."""
    row = model.case[name]
    return Range(row.low, row.base, row.high)


def in_dollars(model: CostModel, euro: Range) -> Range:
    """Euro at the dated rate."""
    return euro * model.case["usd_per_euro"].base


def in_euro(model: CostModel, dollars: Decimal) -> Decimal:
    """Dollars at the dated rate."""
    return dollars / model.case["usd_per_euro"].base


def with_vat(model: CostModel, before: Range) -> Range:
    """What AWS invoices, VAT included."""
    return before * (1 + model.case["vat_percent"].base / 100)


def month(model: CostModel, scenario: str = "reference") -> Range:
    """A month's AWS bill: every input of the sensitivity at its favourable end at once, at its base, at its other end.

    An outer bound and no forecast: nobody expects all of them together.
    """
    base = model.bill(scenario).monthly_total.amount
    down = up = nothing = Decimal(0)
    for swing in swings(model, scenario):
        moves = swing.total_at_low.amount - base, swing.total_at_high.amount - base
        down, up = down + min(nothing, *moves), up + max(nothing, *moves)
    return Range(max(base + down, nothing), base, base + up)


def support(model: CostModel, aws_month: Range) -> Range:
    """A month's support plan: a share of the bill, and no less than its least."""
    share, least = assumed(model, "support_percent") * (Decimal(1) / 100), assumed(model, "support_least_usd")
    asked = zip((aws_month * share).ends, least.ends, strict=True)
    return Range(*(max(part, at_least) for part, at_least in asked))


def one_off(model: CostModel) -> dict[str, Range]:
    """What is paid once: people, the plant's warehouse that runs on, staging, and AWS's own lines."""
    stored = model.prices["s3_standard"].cost(history_gib(model.usage).value, "GB-Months").amount
    return {
        "People of the project": in_dollars(model, assumed(model, "project_days") * assumed(model, "day_rate_eur")),
        "The plant's warehouse goes on meanwhile": (
            plant_year(model) * (Decimal(1) / 12) * assumed(model, "double_running_months")
        ),
        "The history staged in S3": assumed(model, "staging_months") * stored,
        "DataSync and requests": same(model.bill().one_off_total.amount),
    }


def people_year(model: CostModel, scenario: str = "reference") -> Range:
    """Who runs the platform, a year."""
    return in_dollars(model, assumed(model, f"people_{scenario}") * assumed(model, "person_year_eur"))


def plant_year(model: CostModel) -> Range:
    """A year of staying on-premise with the warehouse, as far as it can be assumed."""
    hardware = assumed(model, "plant_hardware_eur") * (1 / model.case["plant_hardware_years"].base)
    people = assumed(model, "plant_people") * assumed(model, "person_year_eur")
    return in_dollars(
        model, hardware + assumed(model, "plant_licences_eur") + assumed(model, "plant_power_eur") + people
    )


def aws(model: CostModel, months: int, scenario: str = "reference", commitment: int = ON_DEMAND) -> Range:
    """What AWS bills in so many months, growth and support plan included; what is paid once is not in it."""
    found = project(model, months, scenario=scenario, commitment=commitment)
    base = sum((one.monthly.amount for one in found), Decimal(0))
    each = month(model, scenario)
    bills = each * (base / each.base)
    return bills + support(model, bills * (Decimal(1) / months)) * months


@dataclass(frozen=True)
class Years:
    """Three years of one way: what AWS bills with support, the people who run it, and what is paid once."""

    name: str
    aws: Range
    people: Range
    once: Range

    @property
    def total(self) -> Range:
        """All of it, before VAT."""
        return self.aws + self.people + self.once


def three_years(model: CostModel) -> list[Years]:
    """Three years of each scenario on demand, and of staying on-premise."""
    once = total(one_off(model).values())
    clouds = [
        Years(name, aws(model, THREE_YEARS, name), people_year(model, name) * 3, once) for name in model.scenarios
    ]
    return [*clouds, Years(ON_PREMISE, same(0), plant_year(model) * 3, same(0))]


def approved_month(bill: Bill, headroom: Decimal) -> Money:
    """A round figure to approve for a month: the bill and headroom, up to the next hundred."""
    hundreds = (bill.monthly_total.amount * (1 + headroom) / 100).to_integral_value(rounding="ROUND_CEILING")
    return Money(hundreds * 100, bill.currency)
