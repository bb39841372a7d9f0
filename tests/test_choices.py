"""Decisions are weighted means, and say at which weight they turn."""

import math

import pytest

from indutech.architecture import decisions
from indutech.architecture.decisions import Criterion, Matrix, Option
from indutech.costs.model import read_model
from indutech.costs.projections import streaming_bills

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


@pytest.mark.parametrize("matrix", decisions.matrices().values(), ids=lambda matrix: matrix.id)
def test_the_choice_defended_is_the_one_that_wins(matrix: Matrix) -> None:
    """Documents, drawing and bill follow the winner; if the weights say otherwise, one of them has to change."""
    assert decisions.winner(matrix).id == matrix.chosen
    for option in matrix.option:
        assert set(option.scores) == {criterion.id for criterion in matrix.criterion}
        assert set(option.scores.values()) <= {1, 2, 3, 4, 5}


def test_cost_scores_of_streaming_follow_the_cost_model() -> None:
    """5 for the cheapest at 50 GB a month, one point less for each doubling, never below 1; a point of room."""
    bills = streaming_bills(read_model(), 50)
    names = {
        "redpanda": "Redpanda",
        "msk": "MSK provisioned",
        "msk_serverless": "MSK Serverless",
        "kinesis": "Kinesis on demand",
    }
    month = {option: float(bills[name].monthly_total.amount) for option, name in names.items()}
    doublings = {option: math.log2(cost / min(month.values())) for option, cost in month.items()}

    for option in decisions.matrices()["streaming"].option:
        computed = max(1, 5 - doublings[option.id])
        assert abs(option.scores["cost"] - computed) <= 1, f"assets/decisions.toml: {option.id} costs {computed:.1f}"
