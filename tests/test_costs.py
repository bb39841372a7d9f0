"""Bills: the sum of the lines is the total to the cent in every view, and doubt is carried along."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indutech.architecture.platform import platform
from indutech.costs import charges
from indutech.costs.bill import Bill, Charge, priced
from indutech.costs.exports import focus_csv
from indutech.costs.inputs.measurement import read_measurement
from indutech.costs.inputs.money import UnitMismatch, total
from indutech.costs.inputs.usage import UsageError, just, read_usage
from indutech.costs.model import NAMES, CostModel, read_model
from indutech.costs.scenarios import SCENARIOS, UnknownScenario
from indutech.costs.scores import OPTIONS, option_bills
from indutech.costs.views.document import PARTS
from indutech.costs.views.tables import component_table
from tests.small_costs import EXACT, NODES, OTHER, STORED, UNVERIFIED, model_of, price_list, raised, rate, usd
from tests.small_costs import with_other_prices as changed

MODEL = read_model()
# What holds for the committed prices has to hold for those of next year.
MODELS = {"committed prices": MODEL, "other prices": changed(MODEL)}
any_prices = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def test_every_billed_component_has_a_line_and_every_line_a_component() -> None:
    """The architecture and its bill name the same things; a component without a price is named here."""
    assert {line.component for line in MODEL.bill().lines} == set(platform().billed)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_new_component_is_in_every_scenario_or_missed(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to add it to the scenarios; without a charge of its own no bill is made."""
    model = platform()
    queue = model["kms"].model_copy(update={"id": "queue"})
    larger = model.model_copy(update={"component": (*model.component, queue)})
    monkeypatch.setattr(charges, "platform", lambda: larger)

    with pytest.raises(charges.MissingCharge, match=r"'queue' is billed .* add `def queue.*/costs/charges\.py"):
        MODEL.bill(scenario)

    price = Charge("queue", "kms_key", just(1), "Keys-Months", "A key")
    monkeypatch.setattr(charges, "queue", lambda _: [price], raising=False)
    assert [line.component for line in MODEL.bill(scenario).lines].count("queue") == 1


@pytest.mark.parametrize("scenario", NAMES)
def test_every_scenario_names_components_of_the_platform(scenario: str) -> None:
    """What replaces a component stands in its place."""
    assert {line.component for line in MODEL.bill(scenario).lines} <= set(platform().billed)


def test_a_bill_is_quantity_times_rate() -> None:
    """100 hours at 1, 10 GB at 2, 50 GB at 1, and 7 GB at 5 once."""
    bill = model_of().bill()

    assert [str(line.effective_cost) for line in bill.lines] == ["$100.00", "$20.00", "$50.00", "$35.00"]
    assert (bill.monthly_total, bill.one_off_total) == (usd(170), usd(35))
    assert bill.by(lambda line: line.component) == {"redshift": usd(100), "redpanda": usd(50), "s3_lake": usd(20)}
    assert bill.share(lambda line: line.component == "redpanda") == Decimal(50) / 170


@any_prices
@pytest.mark.parametrize("scenario", NAMES)
@pytest.mark.parametrize("months", [0, 12, 36])
def test_every_view_sums_the_same_cents(model: CostModel, scenario: str, months: int) -> None:
    """Lines, components, services, confidence and the export agree to the cent."""
    found = model.bill(scenario, months)
    by_hand = sum((line.effective_cost.amount for line in found.monthly), Decimal(0))

    assert found.monthly_total.amount == by_hand == by_hand.quantize(Decimal("0.01"))
    for key in (lambda line: line.component, lambda line: line.price.service, lambda line: line.confidence.value):
        assert total(list(found.by(key).values())) == found.monthly_total
    assert sum(found.confidence.values()) == pytest.approx(Decimal(1), abs=Decimal("1e-20"))
    assert total([line.effective_cost for line in found.lines]) == found.monthly_total + found.one_off_total


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(list(MODELS.values())),
    scenario=st.sampled_from(sorted(SCENARIOS)),
    factor=st.decimals(min_value="0.1", max_value=10, places=2),
    data=st.data(),
)
def test_a_bill_rises_with_usage(model: CostModel, scenario: str, factor: Decimal, data: st.DataObject) -> None:
    """More events, scans, logs, users' reads … never make a month cheaper; only what divides may."""
    saving = {"warehouse_compression", "broker_mb_s", "core_load", "tickets_per_core_second", "event_bytes",
              "trigger_s", "lake_object_mib", "cold_share", "iot_batch_kb", "sensor_compression"}  # fmt: skip
    name = data.draw(st.sampled_from(sorted(set(model.usage) - saving)))
    base = model.usage[name].base
    costs = [model.having(**{name: value}).bill(scenario) for value in sorted((base, base * factor))]

    assert Decimal(0) <= costs[0].monthly_total.amount <= costs[1].monthly_total.amount
    assert all(line.effective_cost.amount >= 0 for line in costs[1].lines)


def test_a_higher_price_moves_its_own_lines_only() -> None:
    """Ten percent on one rate moves the bill by ten percent of its lines, and no other line."""
    before = model_of().bill()
    after = model_of().with_price(raised(STORED)).bill()

    assert [str(new.list_cost - old.list_cost) for old, new in zip(before.lines, after.lines, strict=True)] == [
        "$0.00", "$2.00", "$0.00", "$0.00",
    ]  # fmt: skip


def test_a_line_remembers_its_assumptions() -> None:
    """Changing an assumption moves exactly the lines that carry its name."""
    before = MODEL.bill()
    for name in ("sensor_gb_month", "spectrum_tb_month", "backup_tib", "trigger_s"):
        after = MODEL.having(**{name: MODEL.usage[name].base * 7}).bill()
        moved = {(new.component, new.price.price_id) for old, new in zip(before.lines, after.lines, strict=True)
                 if old.quantity != new.quantity}  # fmt: skip
        named = {(line.component, line.price.price_id) for line in before.lines if name in line.marks}
        assert moved, name
        assert moved <= named, name


def test_a_bill_in_two_currencies_is_refused() -> None:
    """Converting is a decision with a date, not a sum."""
    euros = replace(rate("euros", "Hours", "1"), currency="EUR")
    charges = [Charge("kms", name, just(1), "Hours", "") for name in ("euros", "nodes")]

    with pytest.raises(UnitMismatch, match="EUR and USD in one bill"):
        _ = priced("mixed", charges, price_list(euros, NODES)).monthly_total


def bill_of(**shares: int) -> Bill:
    """A bill of so many dollars at each confidence."""
    levels = {"exact": EXACT, "other": OTHER, "unverified": UNVERIFIED}
    charges = [Charge("kms", name, just(amount), "GB", "") for name, amount in shares.items()]
    return priced("test", charges, price_list(*(rate(n, "GB", "1", confidence=levels[n]) for n in shares)))


def test_a_total_carries_the_weakest_confidence_of_what_matters() -> None:
    """One percent matters, half a percent does not, and the share is said."""
    assert bill_of(exact=99, unverified=1).weakest is UNVERIFIED
    assert bill_of(exact=995, unverified=5).weakest is EXACT
    assert bill_of(exact=60, unverified=30, other=10).doubt == "40 % at unverified rates"
    assert bill_of(exact=1).doubt == ""


def test_a_commitment_lowers_the_effective_cost_only() -> None:
    """The list cost stays, the confidence falls to that of the committed rate, the total follows."""
    free, bound = model_of().bill(), model_of().bill(months=12)
    nodes = [bill.lines[0] for bill in (free, bound)]

    assert nodes[0].list_cost == nodes[1].list_cost == usd(100)
    assert (nodes[0].effective_cost, nodes[1].effective_cost) == (usd(100), usd(70))
    assert (nodes[0].confidence, nodes[1].confidence) == (EXACT, UNVERIFIED)
    assert free.monthly_total - bound.monthly_total == usd(30)


def test_what_is_paid_once_is_not_committed() -> None:
    """A term covers what runs every month."""
    once = [Charge("redshift", "nodes", just(100), "Hours", "", one_off=True)]

    assert priced("once", once, model_of().prices, months=12).one_off_total == usd(100)


def test_an_unknown_scenario_names_those_there_are() -> None:
    """A typing error is answered with the choices."""
    with pytest.raises(
        UnknownScenario, match="Choose one of: estimate-2025, reference, reference-rg, lean, serverless"
    ):
        MODEL.bill("refrence")


def test_every_assumption_is_bracketed_and_has_a_reason() -> None:
    """Low, base and high in order, an origin, a unit and a reason; unknown names say where to add them."""
    usage = read_usage()

    assert all(row.low <= row.base <= row.high and row.reason and row.unit for row in usage.values())
    with pytest.raises(UsageError, match="No assumption 'nonsense'"):
        usage("nonsense")


def test_what_was_measured_stands_in_the_file() -> None:
    """The committed assumptions and the committed measurement are the same figures: the measurement wins."""
    usage, (measurement, _) = read_usage(), read_measurement()
    for usage_id, measured in measurement.figures(usage).items():
        assert usage[usage_id].base == measured.base
        assert usage[usage_id].low < measured.base < usage[usage_id].high


def test_every_assumption_is_used() -> None:
    """Nothing stands in the file that moves no figure."""
    used = {name for s in SCENARIOS for line in MODEL.bill(s).lines for name in line.marks}
    used |= {name for m in OPTIONS for bill in option_bills(MODEL, m).values() if bill for line in bill.lines
             for name in line.marks}  # fmt: skip
    elsewhere = {"users", "growth_per_year", "warehouse_growth_gib_month", "link_mbps", "link_utilisation",
                 "days_asked", "days_kept", "cold_share"}  # fmt: skip

    assert set(MODEL.usage) - used - elsewhere == set()


def test_a_price_change_reaches_table_document_and_export_alike() -> None:
    """Ten percent on the managed storage shows as the same new amount everywhere."""
    higher = MODEL.with_price(raised(MODEL.prices["redshift_managed_storage"]))
    bill = higher.bill()
    [line] = [line for line in bill.lines if line.price.price_id == "redshift_managed_storage"]

    assert bill.monthly_total != MODEL.bill().monthly_total
    assert str(bill.monthly_total) in component_table(bill).to_string()
    assert str(bill.monthly_total) in PARTS["components"](higher).replace("\\", "")
    assert str(bill.monthly_total) in PARTS["in-short"](higher)
    assert f",{line.effective_cost.amount}," in focus_csv(bill, date(2026, 11, 1))
