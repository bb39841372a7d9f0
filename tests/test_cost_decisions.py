"""What follows from the bills: commitments, months ahead, moves, layouts, archives, recommendations."""

from decimal import Decimal
from itertools import pairwise

import pytest

from indutech.architecture.quantities import days_to_move
from indutech.costs.bill import Charge
from indutech.costs.charges import monthly_gib, unread_share
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.usage import just
from indutech.costs.model import CostModel, read_model
from indutech.costs.projections import (
    VOLUMES_GB,
    Commitment,
    break_even_gb,
    commitments,
    crossing_gb,
    fixed_cost,
    project,
    streaming_against_volume,
    streaming_bills,
    unit_costs,
)
from indutech.costs.recommendations import Change, Kind, by_kind, ranked, recommendations
from indutech.costs.sensitivity import doubts, swings
from indutech.costs.storage import archives, layouts
from indutech.costs.transfers import exits, migration
from tests.small_costs import EXACT, UNVERIFIED, model_of, price_list, rate, usd, with_other_prices

MODEL = read_model()
MODELS = {"committed prices": MODEL, "other prices": with_other_prices(MODEL)}
any_prices = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def test_a_commitment_pays_when_the_whole_term_costs_less() -> None:
    """70 a month for 12 months against 100 on demand: 840 are earned back in the ninth month."""
    term = Commitment(12, usd(100), usd(70), EXACT)

    assert (term.break_even_month, term.saving_month, term.owed) == (9, usd(30), usd(840))
    assert [term.loss_if_stopped(month).amount for month in (0, 6, 8, 9, 12, 40)] == [840, 240, 40, 0, 0, 0]


def test_each_term_covers_what_has_a_committed_rate() -> None:
    """Only the nodes can be committed: 100 a month become 70 for a year and 40 for three."""
    year, three = commitments(model_of())

    assert (year, three) == (
        Commitment(12, usd(100), usd(70), UNVERIFIED),
        Commitment(36, usd(100), usd(40), UNVERIFIED),
    )
    assert (year.break_even_month, three.break_even_month) == (9, 15)


def test_months_ahead_add_up_and_grow() -> None:
    """The cumulative cost is the sum of the months and what is paid once; without growth a month repeats itself."""
    found = project(model_of(growth_per_year=1), 24)
    still = project(model_of(growth_per_year=0, sensor_gb_month=0, san_gb_month=0), 3)

    assert found[-1].cumulative.amount == sum(m.monthly.amount + m.one_off.amount for m in found)
    assert all(a.monthly < b.monthly for a, b in pairwise(found))
    assert [month.monthly for month in still] == [usd(120)] * 3
    assert [month.one_off for month in still] == [usd(35), usd(0), usd(0)]


def test_a_commitment_lowers_every_month_ahead() -> None:
    """30 less each month, from the first to the last."""
    free, bound = (project(model_of(), 3, months) for months in (0, 12))

    assert [a.monthly - b.monthly for a, b in zip(free, bound, strict=True)] == [usd(30)] * 3


def test_what_is_stored_stays_on_the_bill() -> None:
    """Each month adds its events and files to the lake, and nothing is taken away."""
    model = model_of(
        price_list(rate("stored", "GB-Months", "1")),
        lambda u: [Charge("s3_lake", "stored", u("lake_tib") * 1024, "GB-Months", "")],
        growth_per_year=0,
    )
    found = project(model, 3)

    added = (found[1].monthly - found[0].monthly).amount
    assert added == pytest.approx(monthly_gib(model.usage).value, abs=Decimal("0.01"))
    assert (found[2].monthly - found[1].monthly).amount == pytest.approx(added, abs=Decimal("0.01"))


def test_moving_takes_bits_over_bandwidth() -> None:
    """125 GB over a whole 1 Gbit/s link take 1,000 seconds; at half of it twice that."""
    gib = Decimal(125 * 10**9) / 2**30
    seconds = [days_to_move(gib, 1000, Decimal(share)) * 86_400 for share in ("1", "0.5")]

    assert [round(value, 6) for value in seconds] == [1000, 2000]


LINKS = price_list(
    rate("datasync", "GB", "0.01"), rate("internet_out", "GB", "0.09", "0.08", steps=(0, 1000)),
    rate("dx_out", "GB", "0.02"), rate("dx_hosted_500m", "Hours", "1"), rate("dx_1g", "Hours", "2"),
    rate("dx_10g", "Hours", "3"),
)  # fmt: skip


def test_a_faster_link_never_takes_longer_and_inbound_is_free() -> None:
    """The move costs DataSync and the port; the days fall with the bandwidth."""
    moves = sorted(migration(model_of(LINKS, warehouse_tib=1)), key=lambda move: move.mbps)

    assert [m.days for m in moves] == sorted((m.days for m in moves), reverse=True)
    assert {m.traffic for m in moves} == {usd("10.24")}
    assert [m.link for m in moves if m.port.amount] == [m.link for m in moves if m.link.startswith("Direct Connect")]
    assert all(m.total == m.port + m.traffic for m in moves)


def test_leaving_over_the_internet_is_tiered() -> None:
    """2 TiB leave: 1,000 GB at 0.09 and 1,048 GB at 0.08; over Direct Connect each at 0.02."""
    internet, *direct = exits(model_of(LINKS, warehouse_tib=1, lake_tib=1, warehouse_compression=1))

    assert internet.traffic == usd("173.84")
    assert [way.traffic for way in direct] == [usd("40.96")] * 2


def test_each_layout_reads_no_more_than_the_one_before() -> None:
    """JSON, Parquet, its columns, its days: the bytes read fall, inside their bracket."""
    scans = price_list(rate("athena_scan", "TB", "7"), rate("redshift_spectrum", "TB", "6", bracket=("5", "7")))
    found = layouts(model_of(scans, spectrum_tb_month=10))

    assert [x.share for x in found] == sorted((x.share for x in found), reverse=True)
    assert all(x.share_pooled <= x.share <= x.share_incompressible for x in found)
    readings = [x.share_readings for x in found]
    assert readings == sorted(readings, reverse=True)
    assert readings[0] == 1
    assert (found[0].athena_month, found[0].spectrum_month, found[0].spectrum_month_low) == (usd(70), usd(60), usd(50))


STORAGE_CLASSES = price_list(
    rate("s3_standard", "GB-Months", "0.024"), rate("s3_int_archive_instant", "GB-Months", "0.005"),
    rate("s3_int_monitoring", "1000 Objects-Months", "0.0025"), rate("s3_to_int", "1000 Requests", "0.01"),
    rate("s3_glacier_instant", "GB-Months", "0.005"), rate("s3_to_glacier_instant", "1000 Requests", "0.02"),
    rate("s3_retrieve_instant", "GB", "0.03"), rate("s3_glacier_flexible", "GB-Months", "0.004"),
    rate("s3_to_glacier_flexible", "1000 Requests", "0.03"), rate("s3_retrieve_flexible", "GB", "0.01"),
)  # fmt: skip


def test_small_objects_cost_more_to_archive_than_they_save() -> None:
    """Large objects pay for their move within a month; small ones never under Intelligent-Tiering, or after years."""
    model = model_of(STORAGE_CLASSES)
    large, small = ({a.kept_in.name: a for a in archives(model, Decimal(size))} for size in ("64", "0.03"))

    assert all(a.pays_after_months < 1 for a in large.values() if a.pays_after_months)
    assert small["Intelligent-Tiering"].pays_after_months is None
    assert small["Glacier Instant"].pays_after_months is None or small["Glacier Instant"].pays_after_months > 24
    assert not large["Glacier Flexible"].kept_in.spectrum_reads_it


def cheaper(title: str, price_id: str, share: str, kind: Kind = Kind.ACTION) -> Change:
    """A change after which only a share of a rate's quantity is asked for."""

    def apply(charges: list[Charge]) -> list[Charge]:
        quantity = {charge.price_id: charge.quantity for charge in charges}[price_id] * Decimal(share)
        others = [charge for charge in charges if charge.price_id != price_id]
        return [*others, Charge("x", price_id, quantity, "Hours" if price_id == "nodes" else "GB", "")]

    return Change(title, "if", apply, kind=kind)


def test_a_saving_is_the_difference_of_two_bills() -> None:
    """Actions first, each kind by its saving; what is measured stacks on them, a change of service level on nothing."""
    model = model_of()
    changes = [
        cheaper("a fifth of the events", "events", "0.8"),
        cheaper("no nodes", "nodes", "0", Kind.SERVICE),
        cheaper("a tenth fewer events", "events", "0.9", Kind.MEASURE),
        Change("for a year", "if", list, months=12),
        cheaper("more events", "events", "2"),
    ]
    found = ranked(model.charges(), changes, model.prices)

    assert [(r.title, r.saving, r.bill_after, r.confidence) for r in found] == [
        ("for a year", usd(30), usd(140), UNVERIFIED),
        ("a fifth of the events", usd(10), usd(130), EXACT),
        ("a tenth fewer events", usd(5), usd(126), EXACT),
        ("no nodes", usd(100), None, EXACT),
    ]


def test_kinds_add_up_to_the_way_from_bill_to_bill() -> None:
    """Actions from 170 to 130, what is measured from there to 126; changes of service level are not added up."""
    model = model_of()
    changes = [cheaper("fewer", "events", "0.2"), cheaper("no nodes", "nodes", "0", Kind.SERVICE),
               cheaper("fewer still", "events", "0.9", Kind.MEASURE)]  # fmt: skip
    found = by_kind(usd(170), ranked(model.charges(), changes, model.prices))

    assert [(f.kind, f.changes, f.saving, f.bill_after) for f in found] == [
        (Kind.ACTION, 1, usd(40), usd(130)),
        (Kind.MEASURE, 1, usd(1), usd(129)),
        (Kind.SERVICE, 1, None, None),
    ]


def test_nothing_is_unread_while_the_scans_cover_the_lake() -> None:
    """Scanned 5.5 times, all of it is read; scanned by half, the old part of the other half is not."""
    gib, tb_of_a_gib = Decimal(10_000), Decimal(2**30) / 10**12
    shares = [
        unread_share(
            just(gib), MODEL.having(spectrum_tb_month=gib * tb_of_a_gib * scans, cold_share=Decimal("0.7")).usage
        ).value
        for scans in (Decimal("5.5"), Decimal("0.5"), Decimal(0))
    ]

    assert [round(share, 6) for share in shares] == [0, Decimal("0.35"), Decimal("0.7")]


def test_spark_by_the_hour_says_what_it_gives_up() -> None:
    """A saving that takes something away is no action."""
    [found] = [r for r in recommendations(MODEL) if r.title == "Spark by the hour"]

    assert (found.kind, found.bill_after) == (Kind.SERVICE, None)
    assert "gives up real time" in found.first


def test_glacier_bills_eight_of_forty_kilobytes_at_standard() -> None:
    """Objects of 64 KiB: half as much again at Glacier's rate and an eighth at that of Standard."""
    gib = Decimal(1024)
    [found] = [a for a in archives(model_of(STORAGE_CLASSES, lake_tib=1, cold_share=1), Decimal("0.0625"))
               if a.kept_in.name == "Glacier Flexible"]  # fmt: skip

    assert found.month == Money(gib * Decimal("1.5") * Decimal("0.004") + gib / 8 * Decimal("0.024")).cents()


def test_a_crossing_is_where_two_services_cost_the_same() -> None:
    """Below it the stream paid by the gigabyte is cheaper, above it the brokers are."""
    volume = crossing_gb(MODEL, "Kinesis on demand", "Redpanda")
    below, above = (streaming_bills(MODEL, volume + step) for step in (-20, 20))

    assert below["Kinesis on demand"].monthly_total < below["Redpanda"].monthly_total
    assert above["Redpanda"].monthly_total < above["Kinesis on demand"].monthly_total


@any_prices
def test_every_recommendation_saves_and_says_what_must_be_true_first(model: CostModel) -> None:
    """Whatever the prices are, what costs more than it saves is not recommended."""
    found = recommendations(model)

    assert found
    assert all(r.saving.amount > 0 and r.first for r in found)
    assert found[0].bill_after == model.bill().monthly_total - found[0].saving


def test_the_widest_swing_comes_first_and_all_are_real() -> None:
    """Sorted by width, none of zero width; an input without a bracket or outside the scenario is not shown."""
    found = swings(model_of())

    assert [(s.name, s.kind) for s in found] == [
        ("sensor_gb_month", "given"),
        ("stored", "price"),
        ("lake_tib", "given"),
    ]
    assert [(s.total_at_low, s.total_at_high) for s in found][1] == (usd(160), usd(190))
    assert "nodes_1y" in {s.name for s in swings(model_of(), months=12)}


def test_the_rates_that_matter_are_named_with_what_to_look_up() -> None:
    """Committed for a year, the node's and the storage's rates are in doubt; the one that carries more comes first."""
    found = doubts(model_of().bill(months=12), model_of().prices)

    assert [(d.price_id, d.monthly, d.swing) for d in found] == [
        ("nodes_1y", usd(70), Decimal(20)),
        ("stored", usd(20), Decimal(30)),
    ]
    assert all(d.look_up for d in found)


def test_at_the_break_even_events_cost_as_much_as_everything_else() -> None:
    """120 are fixed and a GB costs 1: the break-even is at 120 GB, found to 1 %."""
    model = model_of()

    assert fixed_cost(model) == usd(120)
    assert break_even_gb(model) == pytest.approx(Decimal(120), rel=Decimal("0.011"))


def test_without_a_price_of_events_there_is_no_break_even() -> None:
    """What never costs more is said to have none."""
    model = model_of(price_list(*(model_of().prices.values()), rate("events", "GB", "0")))

    assert break_even_gb(model) is None


def test_unit_costs_divide_the_bill() -> None:
    """170 a month for 50 GB, 10 users and 5 TB queried; the warehouse's 100 are what a queried terabyte carries."""
    found = unit_costs(model_of(users=10, spectrum_tb_month=5, event_bytes=1000), 50)

    assert found.monthly_total == usd(170)
    assert (found.per_user, found.per_tb_queried, found.per_gb_ingested) == (usd(17), usd(20), usd("3.4"))
    assert found.per_million_events == usd("3.4")


@any_prices
def test_streaming_is_compared_for_each_service_and_never_gets_cheaper_with_volume(model: CostModel) -> None:
    """Redpanda, MSK provisioned, MSK Serverless and Kinesis, at each volume."""
    rows = streaming_against_volume(model)

    assert [volume for volume, _ in rows] == list(VOLUMES_GB)
    assert {"Redpanda", "MSK t3.small", "MSK Serverless", "Kinesis on demand"} <= set(rows[0][1])
    for name in rows[0][1]:
        costs = [bills[name].monthly_total.amount for _, bills in rows]
        assert costs == sorted(costs)
