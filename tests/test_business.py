"""What stands around the AWS bill: arithmetic on literal figures, and the page for finance."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from indutech.costs import business
from indutech.costs.business import Range, same, total
from indutech.costs.inputs.usage import Assumption, Usage
from indutech.costs.model import CostModel, read_model
from indutech.costs.sensitivity import swings
from indutech.costs.views import summary
from indutech.system.settings import PROJECT
from tests.small_costs import model_of, price_list, rate

MODEL = read_model()
PAGE = PROJECT / "docs" / "00-summary.md"
CASE = {
    "usd_per_euro": ("2", "2", "2"), "vat_percent": ("20", "20", "20"), "support_percent": ("0", "10", "10"),
    "support_least_usd": ("0", "5", "30"), "project_days": ("1", "2", "3"), "day_rate_eur": ("100", "100", "200"),
    "double_running_months": ("0", "6", "12"), "staging_months": ("1", "1", "2"),
    "people_reference": ("0", "1", "2"), "person_year_eur": ("1000", "1000", "1000"),
    "plant_hardware_eur": ("500", "500", "500"), "plant_hardware_years": ("5", "5", "5"),
    "plant_licences_eur": ("100", "100", "100"), "plant_power_eur": ("300", "300", "300"),
    "plant_people": ("0", "0.5", "1"),
}  # fmt: skip


def small_case() -> CostModel:
    """The small model, in which a month costs 170, with literal figures around it."""
    case = Usage({
        name: Assumption(name, *map(Decimal, ends), unit="", origin="assumed", reason="test")
        for name, ends in CASE.items()
    })  # fmt: skip
    rates = price_list(*model_of().prices.values(), rate("s3_standard", "GB-Months", "0.01"))
    return replace(model_of(rates, growth_per_year=0, san_gb_month=0, warehouse_tib=1), case=case)


def test_ranges_add_and_multiply_end_by_end() -> None:
    """Low with low, high with high."""
    assert Range(Decimal(1), Decimal(2), Decimal(3)) * Range(Decimal(2), Decimal(2), Decimal(4)) + same(1) == Range(
        Decimal(3), Decimal(5), Decimal(13)
    )


def test_a_year_in_the_plant() -> None:
    """100 of hardware, 100, 300 and half a person of 1,000, in euro at 2 dollars."""
    assert business.plant_year(small_case()) == Range(Decimal(1000), Decimal(2000), Decimal(3000))


def test_once_is_people_double_running_staging_and_what_aws_bills() -> None:
    """200 euro of days, half a year of the plant, 1,024 GB staged for a month, and 35 on the bill."""
    found = business.one_off(small_case())

    assert [part.base for part in found.values()] == [400, 1000, Decimal("10.24"), 35]
    assert total(found.values()).low == 200 + 0 + Decimal("10.24") + 35


@pytest.mark.parametrize(("month", "base", "high"), [(20, 5, 30), (170, 17, 30), (1000, 100, 100)])
def test_support_is_a_share_and_no_less_than_its_least(month: int, base: int, high: int) -> None:
    """10 % of 20 is below the least of 5, of 170 it is 17."""
    found = business.support(small_case(), same(month))

    assert (found.low, found.base, found.high) == (0, base, high)


def test_vat_is_on_what_aws_invoices() -> None:
    """A fifth more; and a euro is two dollars."""
    assert business.with_vat(small_case(), same(100)) == same(120)
    assert business.in_euro(small_case(), Decimal(100)) == 50


def test_a_years_bill_is_its_months_with_support() -> None:
    """12 × about 170 that grow by the stored events, and a tenth of it for support."""
    found = business.aws(small_case(), 12)

    assert found.low <= found.base <= found.high
    assert found.base >= 12 * 170 * Decimal("1.1")


def test_the_bounds_hold_every_single_swing() -> None:
    """No input alone moves the month out of the bounds that all of them together give."""
    bounds = business.month(MODEL)
    ends = [end for swing in swings(MODEL) for end in (swing.total_at_low.amount, swing.total_at_high.amount)]

    assert bounds.low <= min(ends)
    assert max(ends) <= bounds.high


def test_the_locked_copy_of_the_warehouse_is_on_the_bill() -> None:
    """One copy of what the warehouse stores, every month."""
    lines = {line.price.price_id: line for line in MODEL.bill().monthly}

    assert lines["backup_redshift"].quantity == lines["redshift_managed_storage"].quantity
    assert lines["backup_redshift"].effective_cost.amount > 0


def test_the_page_answers_what_finance_asks() -> None:
    """Decision, low, base and high without and with VAT, a year and three, once, doubt, three decisions, exclusions."""
    page = PAGE.read_text(encoding="utf-8")

    for asked in ("Approve ", "Before VAT", "With VAT", "year 1", "3 years", "| Once |", "% of the month**",
                  "## Decide", "| Owner | By |", "## Verify first", "## Not included", "euro"):  # fmt: skip
        assert asked in page, asked
    assert len(re.findall(r"^\| .* \| ……… \| ……… \|$", page, re.MULTILINE)) == 3


def test_the_page_is_one_page() -> None:
    """A4 holds some 60 lines of 110 characters: tables line by line, sentences as they wrap."""
    shown = re.sub(r"<!--.*?-->", "", PAGE.read_text(encoding="utf-8"))
    lines = sum(-(-len(line) // 110) for line in shown.splitlines() if line.strip())

    assert lines <= 55


def test_every_part_of_the_page_is_computed() -> None:
    """Another euro, another page."""
    dearer = replace(MODEL, case=MODEL.case.having(usd_per_euro=2))

    assert summary.money(dearer) != summary.money(MODEL)
    assert " 2 dollars" in summary.rates_used(dearer)
