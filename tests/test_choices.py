"""Decisions are weighted means, and say at which weight they turn."""

import math
from decimal import Decimal

import pytest

from indutech.architecture import decisions
from indutech.architecture.decisions import Criterion, Matrix, Option
from indutech.costs import scores
from indutech.costs.alternatives import kinesis_on_demand
from indutech.costs.model import read_model
from indutech.costs.views.matrices import verdict

TWO = Matrix(
    id="two",
    question="Which?",
    chosen="solid",
    criterion=(
        Criterion(id="price", name="Price", weight=1, scale=""),
        Criterion(id="quality", name="Quality", weight=3, scale=""),
    ),
    option=(
        Option(id="solid", name="Solid", scores={"price": 1, "quality": 5}, why=""),
        Option(id="cheap", name="Cheap", scores={"price": 5, "quality": 2}, why=""),
    ),
)


def test_the_weighted_mean_ranks() -> None:
    """1 × 1/4 + 5 × 3/4 = 4.00 beats 5 × 1/4 + 2 × 3/4 = 2.75."""
    assert decisions.ranked(TWO)[["option", "score"]].to_numpy().tolist() == [["Solid", 4.0], ["Cheap", 2.75]]


def test_other_weights_another_winner() -> None:
    """Whoever cares for the price only buys the cheap one."""
    assert decisions.winner(TWO, {"price": 9, "quality": 1}).id == "cheap"


def test_the_turning_point_is_where_the_scores_meet() -> None:
    """w + 5 (1 - w) = 5 w + 2 (1 - w) at w = 3/7: 43 % for the price, so 57 % for the quality."""
    turns = decisions.crossovers(TWO).set_index("criterion")["winner changes at (%)"]
    assert turns.to_dict() == {"Price": "43", "Quality": "57"}
    assert decisions.winner(TWO, {"price": 42, "quality": 58}).id == "solid"
    assert decisions.winner(TWO, {"price": 44, "quality": 56}).id == "cheap"


@pytest.mark.parametrize("weights", [{"price": 1}, {"price": 1, "quality": 1, "luck": 1}])
def test_weights_that_do_not_fit_are_refused(weights: dict[str, float]) -> None:
    """A weight that is missing or unknown is named."""
    with pytest.raises(decisions.WeightError, match=r"quality|luck"):
        decisions.ranked(TWO, weights)


@pytest.mark.parametrize("weights", [{"price": -1, "quality": 1}, {"price": 0, "quality": 0}])
def test_weights_below_or_at_zero_are_refused(weights: dict[str, float]) -> None:
    """A negative weight, or none at all, decides nothing."""
    with pytest.raises(decisions.WeightError):
        decisions.ranked(TWO, weights)


MODEL = read_model()
SCORED = scores.matrices(MODEL)


@pytest.mark.parametrize("matrix", SCORED.values(), ids=SCORED)
def test_the_choice_defended_wins_or_was_given(matrix: Matrix) -> None:
    """Documents, drawing and bill follow the winner, or say who asked for something else and what that costs."""
    if decisions.winner(matrix).id != matrix.chosen:
        assert matrix.given
        assert "is kept because it was given" in verdict(MODEL, matrix.id)
    for option in matrix.option:
        assert set(option.scores) == {criterion.id for criterion in matrix.criterion}
        assert all(1 <= score <= 5 for score in option.scores.values())
        assert option.size


@pytest.mark.parametrize("name", sorted(decisions.matrices()))
def test_each_cost_score_is_recomputed_from_the_bill(name: str) -> None:
    """5 for the cheapest, a point less for each doubling, 1 at least or without a price; under 1 % all are equal."""
    floor = float(MODEL.bill().monthly_total.amount) / 100
    months = {
        option: max(floor, float(sum(line.effective_cost.amount for line in bill.lines)))
        for option, bill in scores.option_bills(MODEL, name).items()
        if bill
    }
    cheapest = min(months.values())

    for option in SCORED[name].option:
        expected = max(1.0, 5 - math.log(months[option.id] / cheapest, 2)) if option.id in months else 1.0
        assert option.scores["cost"] == pytest.approx(expected, abs=0.051)


def test_a_doubling_costs_a_point() -> None:
    """Twice the cheapest has 4, sixteen times and more 1, no price 1, and what is below the floor counts as it."""
    months = {"free": Decimal(0), "one": Decimal(10), "two": Decimal(20), "far": Decimal(1000), "asked": None}

    assert scores.cost_scores(months, Decimal(10)) == {"free": 5, "one": 5, "two": 4, "far": 1, "asked": 1}


def test_no_cost_score_is_typed() -> None:
    """The file of the matrices holds judgements only."""
    assert all("cost" not in o.scores for m in decisions.matrices().values() for o in m.option)


def test_what_is_kept_because_given_costs_the_difference_of_two_bills() -> None:
    """Each option's own bill, and the winner is the one of the matrix."""
    for given in scores.kept_because_given(MODEL):
        bills = scores.option_bills(MODEL, given.matrix.id)
        kept, wins = (bills[option.id].monthly_total for option in (given.kept, given.winner))
        assert given.costs_more == kept - wins
        assert given.kept.id == given.matrix.chosen != given.winner.id


def test_the_smallest_msk_brokers_are_what_is_compared() -> None:
    """Right-sized: three kafka.t3.small, with the condition that AWS states."""
    lines = scores.option_bills(MODEL, "streaming")["msk"].lines

    assert [line.price.price_id for line in lines] == ["msk_t3_small", "msk_storage"]
    assert "proof of concept" in decisions.option(SCORED["streaming"], "msk").condition


def test_kinesis_bills_whole_kilobytes() -> None:
    """An event of a quarter kilobyte is billed as one, an event of 1,025 bytes as two; reading is not rounded."""
    million = {"sensor_gb_month": Decimal("0.256"), "event_bytes": 256}
    quantities = [
        {charge.price_id: charge.quantity.value for charge in kinesis_on_demand(MODEL.having(**given).usage)}
        for given in (million, {"sensor_gb_month": Decimal("1.025"), "event_bytes": 1025})
    ]

    assert [round(q["kinesis_in"] * 1024**2) for q in quantities] == [1_000_000, 2_000_000]
    assert quantities[0]["kinesis_out"] < quantities[0]["kinesis_in"]


def test_rg_nodes_pay_no_scan_and_are_no_fewer() -> None:
    """As many nodes as RA3, the same storage, no Spectrum; and a scenario and an action of their own."""
    ra3, rg = (scores.option_bills(MODEL, "warehouse")[name] for name in ("ra3", "rg"))
    quantities = [{line.price.price_id: line.quantity for line in bill.lines} for bill in (ra3, rg)]

    assert quantities[0].pop("redshift_spectrum")
    assert list(quantities[0].values()) == list(quantities[1].values())
    assert MODEL.bill("reference").monthly_total - MODEL.bill("reference-rg").monthly_total == (
        ra3.monthly_total - rg.monthly_total
    )
