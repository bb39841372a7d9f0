"""Bills: the sum of the lines is the total to the cent in every view, and doubt is carried along."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indutech.architecture.platform import platform
from indutech.costs import charges
from indutech.costs.bill import Bill, Charge, priced
from indutech.costs.model import CostModel, doubt, read_model
from indutech.costs.money import Money, UnitMismatch, total
from indutech.costs.prices import Confidence
from indutech.costs.scenarios import NAMES, SCENARIOS, UnknownScenario, bill
from indutech.costs.usage import UsageError, just, read_usage

MODEL = read_model()
scenario_names = st.sampled_from(sorted(SCENARIOS))


def test_every_billed_component_has_a_line_and_every_line_a_component() -> None:
    """The architecture and its bill name the same things; a component without a price is named here."""
    lines = MODEL.bill("reference").lines

    assert {line.component for line in lines} == set(platform().billed)


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


@pytest.mark.parametrize("component", platform().billed)
def test_removing_a_component_from_the_bill_is_noticed(component: str) -> None:
    """The comparison above fails for each component whose lines are taken away."""
    left = [line for line in MODEL.bill("reference").lines if line.component != component]

    assert {line.component for line in left} != set(platform().billed)


@pytest.mark.parametrize("scenario", NAMES)
@pytest.mark.parametrize("months", [0, 12, 36])
def test_every_view_sums_the_same_cents(scenario: str, months: int) -> None:
    """Lines, components, services, confidence and the export agree to the cent."""
    found = MODEL.bill(scenario, months)
    by_hand = sum((line.effective_cost.amount for line in found.monthly), Decimal(0))

    assert found.monthly_total.amount == by_hand == by_hand.quantize(Decimal("0.01"))
    for key in (lambda line: line.component, lambda line: line.price.service, lambda line: line.confidence.value):
        assert total(list(found.by(key).values())) == found.monthly_total
    assert sum(found.confidence.values()) == pytest.approx(Decimal(1), abs=Decimal("1e-20"))
    assert total([line.effective_cost for line in found.lines]) == found.monthly_total + found.one_off_total


@settings(max_examples=40, deadline=None)
@given(scenario=scenario_names, factor=st.decimals(min_value="0.1", max_value=10, places=2), data=st.data())
def test_a_bill_rises_with_usage(scenario: str, factor: Decimal, data: st.DataObject) -> None:
    """More events, scans, logs, users' reads … never make a month cheaper; only what divides may."""
    saving = {"warehouse_compression", "broker_mb_s", "core_load", "tickets_per_core_second", "event_bytes",
              "trigger_s", "lake_object_mib", "cold_share", "iot_batch_kb"}  # fmt: skip
    name = data.draw(st.sampled_from(sorted(set(MODEL.usage) - saving)))
    base = MODEL.usage[name].base
    less, more = sorted((base, base * factor))
    costs = [bill(scenario, MODEL.usage.having(**{name: v}), MODEL.prices) for v in (less, more)]

    assert Decimal(0) <= costs[0].monthly_total.amount <= costs[1].monthly_total.amount
    assert all(line.effective_cost.amount >= 0 for line in costs[1].lines)


@settings(max_examples=40, deadline=None)
@given(scenario=scenario_names, price_id=st.sampled_from(sorted(MODEL.prices)))
def test_a_dearer_price_never_makes_a_cheaper_bill(scenario: str, price_id: str) -> None:
    """Ten percent on one rate moves the bill by ten percent of its lines, and no other line."""
    before = MODEL.bill(scenario)
    prices = MODEL.prices.with_price(MODEL.prices[price_id].scaled(Decimal("1.1")))
    after = bill(scenario, MODEL.usage, prices)

    for old, new in zip(before.lines, after.lines, strict=True):
        if old.price.price_id == price_id:
            assert abs(new.list_cost.amount - old.list_cost.amount * Decimal("1.1")) <= Decimal("0.011")
        else:
            assert new.list_cost == old.list_cost


def test_a_line_remembers_its_assumptions() -> None:
    """Changing an assumption moves exactly the lines that carry its name."""
    before = MODEL.bill("reference")
    for name in ("sensor_gb_month", "spectrum_tb_month", "backup_tib", "trigger_s"):
        after = bill("reference", MODEL.usage.having(**{name: MODEL.usage[name].base * 7}), MODEL.prices)
        moved = {(new.component, new.price.price_id) for old, new in zip(before.lines, after.lines, strict=True)
                 if old.quantity != new.quantity}  # fmt: skip
        named = {(line.component, line.price.price_id) for line in before.lines if name in line.marks}
        assert moved, name
        assert moved <= named, name


def test_a_bill_in_two_currencies_is_refused() -> None:
    """Converting is a decision with a date, not a sum."""
    euros = replace(MODEL.prices["kms_key"], currency="EUR")
    charges = [Charge("kms", "kms_key", just(1), "Keys-Months", ""), Charge("nlb", "nlb_hour", just(1), "Hours", "")]
    mixed = priced("mixed", charges, MODEL.prices.with_price(euros))

    with pytest.raises(UnitMismatch, match="EUR and USD in one bill"):
        _ = mixed.monthly_total


def bill_of(*shares: tuple[str, int]) -> Bill:
    """A bill of so many dollars at each confidence."""
    charges = [Charge("kms", f"p{i}", just(amount), "Keys-Months", "") for i, (_, amount) in enumerate(shares)]
    one = replace(MODEL.prices["kms_key"], price_id="")
    prices = MODEL.prices
    for i, (level, _) in enumerate(shares):
        prices = prices.with_price(replace(one, price_id=f"p{i}", confidence=Confidence(level)))
    return priced("test", charges, prices)


def test_a_total_carries_the_weakest_confidence_of_what_matters() -> None:
    """One percent matters, half a percent does not, and the share is said."""
    assert bill_of(("exact-region", 99), ("unverified", 1)).weakest is Confidence.UNVERIFIED
    assert bill_of(("exact-region", 995), ("unverified", 5)).weakest is Confidence.EXACT
    assert doubt(bill_of(("exact-region", 60), ("unverified", 30), ("other-region", 10))) == "40 % at unverified rates"
    assert doubt(bill_of(("exact-region", 1))) == ""


def test_a_commitment_lowers_the_effective_cost_only() -> None:
    """The list cost stays, the confidence falls to that of the committed rate, the total follows."""
    free, bound = MODEL.bill("reference"), MODEL.bill("reference", 12)
    nodes = [next(x for x in b.lines if x.price.price_id == "redshift_ra3_xlplus") for b in (free, bound)]

    assert nodes[0].list_cost == nodes[1].list_cost == Money(Decimal("1846.90"))
    assert nodes[1].effective_cost == Money(Decimal("1292.83"))
    assert (nodes[0].confidence, nodes[1].confidence) == (Confidence.EXACT, Confidence.UNVERIFIED)
    assert free.monthly_total - bound.monthly_total == Money(Decimal("554.07"))


def test_an_unknown_scenario_names_those_there_are() -> None:
    """A typing error is answered with the choices."""
    with pytest.raises(UnknownScenario, match="Choose one of: estimate-2025, reference, lean, serverless"):
        MODEL.bill("refrence")


def test_every_assumption_is_bracketed_and_has_a_reason() -> None:
    """Low, base and high in order, an origin, a unit and a reason; unknown names say where to add them."""
    usage = read_usage()

    assert all(row.low <= row.base <= row.high and row.reason and row.unit for row in usage.values())
    with pytest.raises(UsageError, match="No assumption 'nonsense'"):
        usage("nonsense")


def test_every_assumption_is_used() -> None:
    """Nothing stands in the file that moves no figure."""
    used = {name for s in SCENARIOS for line in MODEL.bill(s).lines for name in line.marks}
    elsewhere = {"users", "growth_per_year", "warehouse_growth_gib_month", "link_mbps", "link_utilisation",
                 "days_asked", "days_kept"}  # fmt: skip

    assert set(MODEL.usage) - used - elsewhere == set()


def model_with(prices_scaled: str) -> CostModel:
    """The committed model with one rate ten percent dearer."""
    return replace(MODEL, prices=MODEL.prices.with_price(MODEL.prices[prices_scaled].scaled(Decimal("1.1"))))


def test_a_price_change_reaches_table_document_and_export_alike() -> None:
    """Ten percent on the managed storage shows as the same new amount everywhere."""
    from datetime import date

    from indutech.costs.document import PARTS
    from indutech.costs.focus import focus_csv
    from indutech.costs.tables import component_table

    dearer = model_with("redshift_managed_storage")
    total_now = str(dearer.bill("reference").monthly_total)

    assert total_now != str(MODEL.bill("reference").monthly_total)
    assert total_now in component_table(dearer.bill("reference")).to_string()
    assert total_now in PARTS["components"](dearer).replace("\\", "")
    assert total_now in PARTS["in-short"](dearer)
    assert ",1126.40," in focus_csv(dearer.bill("reference"), date(2026, 11, 1))
