"""What follows from the bills: commitments, months ahead, moves, layouts, archives, recommendations."""

from decimal import Decimal
from itertools import pairwise

import pytest
from indutech.costs.by_volume import break_even_gb, fixed_cost, streaming_against_volume, unit_costs
from indutech.costs.money import Money
from indutech.costs.over_time import Commitment, commitment, project
from indutech.costs.prices import Confidence

from indutech.architecture.quantities import days_to_move
from indutech.costs.charges import monthly_gib
from indutech.costs.model import read_model
from indutech.costs.recommendations import recommendations
from indutech.costs.scenarios import reference
from indutech.costs.sensitivity import doubts, swings
from indutech.costs.storage import archives, layouts
from indutech.costs.transfers import exits, migration

MODEL = read_model()
USAGE, PRICES = MODEL.usage, MODEL.prices


def usd(amount: str | int) -> Money:
    """Dollars."""
    return Money(Decimal(amount))


def test_a_commitment_pays_when_the_whole_term_costs_less() -> None:
    """70 a month for 12 months against 100 on demand: 840 are earned back in the ninth month."""
    term = Commitment(12, usd(100), usd(70), Confidence.EXACT)

    assert (term.break_even_month, term.saving_month, term.owed) == (9, usd(30), usd(840))
    assert [term.loss_if_stopped(month).amount for month in (0, 6, 8, 9, 12, 40)] == [840, 240, 40, 0, 0, 0]


@pytest.mark.parametrize(("months", "pays"), [(12, 9), (36, 16)])
def test_the_warehouse_terms_pay_from_these_months(months: int, pays: int) -> None:
    """One year pays from month 9, three years from month 16."""
    assert commitment(reference(USAGE), PRICES, months).break_even_month == pays


def test_months_ahead_add_up_and_grow() -> None:
    """The cumulative cost is the sum of the months and what is paid once; without growth a month repeats itself."""
    found = project("reference", USAGE, PRICES, 24)
    still = project("reference", USAGE.having(growth_per_year=0, warehouse_growth_gib_month=0, sensor_gb_month=0,
                                              san_gb_month=0), PRICES, 3)  # fmt: skip

    assert found[-1].cumulative.amount == sum(m.monthly.amount + m.one_off.amount for m in found)
    assert all(a.monthly < b.monthly for a, b in pairwise(found))
    assert len({month.monthly for month in still}) == 1
    assert [month.one_off.amount > 0 for month in still] == [True, False, False]


def test_what_is_stored_stays_on_the_bill() -> None:
    """Each month adds its events and files to the lake, and nothing is taken away."""
    found = project("reference", USAGE.having(growth_per_year=0), PRICES, 3)
    added = monthly_gib(USAGE).value

    assert [round(month.lake_gib - found[0].lake_gib, 6) for month in found] == [
        0,
        round(added, 6),
        round(2 * added, 6),
    ]


def test_moving_takes_bits_over_bandwidth() -> None:
    """125 GB over a whole 1 Gbit/s link take 1,000 seconds; at half of it twice that."""
    gib = Decimal(125 * 10**9) / 2**30
    seconds = [days_to_move(gib, 1000, Decimal(share)) * 86_400 for share in ("1", "0.5")]

    assert [round(value, 6) for value in seconds] == [1000, 2000]


def test_a_faster_link_never_takes_longer_and_inbound_is_free() -> None:
    """The move costs DataSync and the port; the days fall with the bandwidth."""
    moves = sorted(migration(USAGE, PRICES, MODEL.bill("reference")), key=lambda move: move.mbps)

    assert [m.days for m in moves] == sorted((m.days for m in moves), reverse=True)
    assert {m.copying.amount for m in moves} == {Decimal("512.00")}


def test_leaving_over_the_internet_is_tiered() -> None:
    """50 TiB leave at the first two tiers: 10,240 GB at 0.09 and 40,960 GB at 0.085."""
    assert exits(USAGE, PRICES)[0].traffic == usd("4403.20")


def test_each_layout_reads_no_more_than_the_one_before() -> None:
    """JSON, Parquet, its columns, its days: the bytes read fall, inside their bracket."""
    found = layouts(MODEL.measurement, USAGE, PRICES)

    assert [x.share for x in found] == sorted((x.share for x in found), reverse=True)
    assert all(x.share_pooled <= x.share <= x.share_incompressible for x in found)
    assert found[0].athena_month == PRICES["athena_scan"].cost(55, "TB").cents()


def test_small_objects_make_archiving_a_trap() -> None:
    """Large objects pay for their move within a month; small ones never under Intelligent-Tiering, or after years."""
    large, small = ({a.kept_in.name: a for a in archives(USAGE, PRICES, Decimal(size))} for size in ("64", "0.03"))

    assert all(a.pays_after_months < 1 for a in large.values() if a.pays_after_months)
    assert small["Intelligent-Tiering"].pays_after_months is None
    assert small["Glacier Instant"].pays_after_months is None or small["Glacier Instant"].pays_after_months > 24
    assert not large["Glacier Flexible"].kept_in.spectrum_reads_it


def test_a_saving_is_the_difference_of_two_bills() -> None:
    """Savings are positive, sorted within their kind, and the stack ends at the bill of all that keep the design."""
    found = recommendations(USAGE, PRICES, MODEL.measurement)
    kept = [r for r in found if r.bill_after]
    before = MODEL.bill("reference").monthly_total

    assert all(r.saving.amount > 0 and r.first for r in found)
    assert found == kept + [r for r in found if not r.bill_after]
    assert [r.saving.amount for r in kept] == sorted((r.saving.amount for r in kept), reverse=True)
    assert kept[0].bill_after == before - kept[0].saving
    assert all(b.bill_after < a.bill_after for a, b in pairwise(kept))  # type: ignore[operator]


def test_the_widest_swing_comes_first_and_all_are_real() -> None:
    """Sorted by width, none of zero width, and an input without a bracket is not shown."""
    found = swings("reference", USAGE, PRICES)

    assert [s.width for s in found] == sorted((s.width for s in found), reverse=True)
    assert all(s.width > 0 for s in found)
    assert "brokers" not in {s.name for s in found}
    assert "redshift_spectrum" in {s.name for s in found}


def test_the_rates_that_matter_are_named_with_what_to_look_up() -> None:
    """Committed for a year, three unverified rates carry most of the bill: nodes, storage, Spectrum."""
    found = [doubt for doubt in doubts(MODEL.bill("reference", 12), PRICES) if doubt.monthly.amount]

    assert [d.price_id for d in found] == ["redshift_ra3_xlplus_1y", "redshift_managed_storage", "redshift_spectrum"]
    assert all(d.look_up for d in found)


def test_at_the_break_even_events_cost_as_much_as_everything_else() -> None:
    """Just above the break_even the bill is twice the fixed one, just below it is not."""
    fixed, break_even = fixed_cost("reference", USAGE, PRICES).amount, break_even_gb("reference", USAGE, PRICES)

    assert break_even is not None
    bills = [
        unit_costs("reference", USAGE, PRICES, break_even * f).monthly_total.amount
        for f in (Decimal("0.98"), Decimal(1))
    ]
    assert bills[0] <= 2 * fixed < bills[1]


def test_unit_costs_divide_the_bill() -> None:
    """Price per user times users is the bill, and a million events get cheaper with volume."""
    few, many = (unit_costs("reference", USAGE, PRICES, volume) for volume in (50, 5000))

    assert few.per_user.amount * USAGE["users"].base == few.monthly_total.amount
    assert many.per_million_events < few.per_million_events


def test_streaming_is_compared_for_four_services_and_never_gets_cheaper_with_volume() -> None:
    """Redpanda, MSK provisioned, MSK Serverless and Kinesis, at each volume."""
    rows = streaming_against_volume(USAGE, PRICES)

    assert {"Redpanda", "MSK provisioned", "MSK Serverless", "Kinesis on demand"} <= set(rows[0][1])
    for name in rows[0][1]:
        costs = [bills[name].monthly_total.amount for _, bills in rows]
        assert costs == sorted(costs)
