"""Prices are facts: each has a region, a unit, a date, a source and a confidence, and its tiers are continuous."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indutech.costs.exports import CATEGORIES
from indutech.costs.inputs.money import Money, UnitMismatch, dollars
from indutech.costs.inputs.prices import COLUMNS, PRICES_FILE, REQUIRED, Confidence, PriceError, PriceList, read_prices

quantities = st.decimals(min_value=0, max_value=10**7, places=3)


@pytest.fixture(scope="module")
def prices() -> PriceList:
    """The committed price list."""
    return read_prices()


def write_rows(path: Path, *rows: str) -> Path:
    """A price file of these rows below the usual heading."""
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    return path


def row(**facts: str) -> str:
    """A price row that is complete but for what `facts` say."""
    whole = dict.fromkeys(COLUMNS, "")
    whole.update(price_id="p", service="S", item="I", region="eu-west-3", unit="GB", from_quantity="0", price="0.1",
                 currency="USD", as_of="2026-01-01", confidence="exact-region", source="list")  # fmt: skip
    return ",".join((whole | facts).values())


def test_every_price_says_where_when_and_how_sure(prices: PriceList) -> None:
    """Region, unit, date, source and confidence stand behind every rate; a date is a date."""
    for price in prices.values():
        assert all((price.region, price.unit, price.source, price.currency == "USD")), price.price_id
        assert price.as_of[:2] == "20", price.price_id
        assert len(price.as_of) in (7, 10), price.price_id


@pytest.mark.parametrize("fact", REQUIRED)
def test_a_price_without_a_fact_is_refused(tmp_path: Path, fact: str) -> None:
    """Removing one fact stops the reading and names the line and the fact."""
    with pytest.raises(PriceError, match=f"line 2: {fact} missing"):
        read_prices(write_rows(tmp_path / "p.csv", row(**{fact: ""})))


def test_what_is_in_doubt_says_what_to_look_up(prices: PriceList) -> None:
    """A rate that is not exact for the region tells a buyer what to ask."""
    silent = [p.price_id for p in prices.values() if p.confidence is not Confidence.EXACT and not p.look_up]

    assert silent == []


def test_tiers_cost_what_they_say(tmp_path: Path) -> None:
    """The first 100 at 2, all others at 1: 150 cost 250."""
    prices = read_prices(write_rows(tmp_path / "p.csv", row(price="2"), row(price="1", from_quantity="100")))

    assert prices["p"].cost(150, "GB") == Money(Decimal(250))
    assert list(prices["p"].slices(Decimal(150), "GB")) == [(100, 2), (50, 1)]


def test_tiers_out_of_order_are_refused(tmp_path: Path) -> None:
    """Tiers that do not start at zero, or do not rise, would price a quantity twice."""
    with pytest.raises(PriceError, match="p: tiers must start at 0"):
        read_prices(write_rows(tmp_path / "p.csv", row(from_quantity="100")))


def test_a_negative_rate_is_refused(tmp_path: Path) -> None:
    """Nobody is paid for using a service."""
    with pytest.raises(PriceError, match="p: a price is negative"):
        read_prices(write_rows(tmp_path / "p.csv", row(price="-1")))


@given(price_id=st.sampled_from(sorted(read_prices())), less=quantities, more=quantities)
def test_costs_are_never_negative_and_rise_with_usage(price_id: str, less: Decimal, more: Decimal) -> None:
    """More of anything never costs less."""
    price = read_prices()[price_id]
    less, more = sorted((less, more))

    assert Decimal(0) <= price.cost(less, price.unit).amount <= price.cost(more, price.unit).amount


@given(step=st.decimals(min_value="0.001", max_value=1, places=3))
def test_tiers_are_continuous(step: Decimal) -> None:
    """Crossing into a tier never jumps: the step costs at most the step at the most expensive rate."""
    for price in read_prices().values():
        most_expensive = max(tier.price for tier in price.tiers)
        for tier in price.tiers[1:]:
            before, after = (price.cost(tier.from_quantity + d, price.unit).amount for d in (-step, step))
            assert 0 <= after - before <= 2 * step * most_expensive


def test_units_and_currencies_cannot_be_mixed(prices: PriceList) -> None:
    """Hours are not gigabytes, and euros are not dollars."""
    with pytest.raises(UnitMismatch, match="priced per Hours, not per GB"):
        prices["redshift_ra3_xlplus"].cost(1, "GB")
    with pytest.raises(UnitMismatch, match="USD and EUR cannot be added"):
        Money(Decimal(1)) + Money(Decimal(1), "EUR")


def test_dollars_are_written_as_a_reader_expects() -> None:
    """Thousands are parted, the minus stands before the dollar."""
    assert (dollars(Decimal("1292.834")), dollars(-110), dollars(3551, 0)) == ("$1,292.83", "-$110.00", "$3,551")


def test_the_list_is_sorted_into_services_that_the_export_knows(prices: PriceList) -> None:
    """Each service has a FOCUS category."""
    assert {price.service for price in prices.values()} <= set(CATEGORIES), PRICES_FILE
