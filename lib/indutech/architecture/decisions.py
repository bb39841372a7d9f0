"""Decision matrices (`assets/decisions.toml`): weighted scores, and the weights at which another option wins.

Scores of cost are not in the file: `costs.scores` computes them from the bill and puts them in.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd
from pydantic import BaseModel, ConfigDict

from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

DECISIONS_FILE = PROJECT / "assets" / "decisions.toml"


class WeightError(InduTechError):
    """A weight is unknown, missing or negative."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Criterion(_Fact):
    """A criterion: its weight, and what the scores 5 and 1 mean."""

    id: str
    name: str
    weight: float
    scale: str


class Option(_Fact):
    """An option: its score for each criterion, its size as priced, the reasons, and what has to be true first."""

    id: str
    name: str
    scores: dict[str, float]
    size: str = ""
    why: str
    condition: str = ""


class Matrix(_Fact):
    """A decision: the question, the criteria, the options and the one that was chosen.

    `given` says who asked for the choice; then it stays even if another option wins.
    """

    id: str
    question: str
    chosen: str
    given: str = ""
    claims: tuple[str, ...] = ()
    criterion: tuple[Criterion, ...]
    option: tuple[Option, ...]


@lru_cache(maxsize=1)
def matrices() -> dict[str, Matrix]:
    """The matrices of `assets/decisions.toml` by id."""
    entries = tomllib.loads(DECISIONS_FILE.read_text(encoding="utf-8"))["matrix"]
    return {matrix.id: matrix for matrix in map(Matrix.model_validate, entries)}


def with_scores(matrix: Matrix, criterion: str, scores: Mapping[str, float]) -> Matrix:
    """The matrix with the scores of one criterion put in, by option."""
    options = (o.model_copy(update={"scores": o.scores | {criterion: scores[o.id]}}) for o in matrix.option)
    return matrix.model_copy(update={"option": tuple(options)})


def option(matrix: Matrix, name: str) -> Option:
    """The option of a matrix that has this id."""
    return next(option for option in matrix.option if option.id == name)


def default_weights(matrix: Matrix) -> dict[str, float]:
    """The weights of a matrix, by criterion."""
    return {criterion.id: criterion.weight for criterion in matrix.criterion}


def ranked(matrix: Matrix, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Options with their scores and their weighted mean, best first; ties in the order of the file.

    Raises:
        WeightError: naming the criterion that is unknown, missing or below zero.
    """
    share = _shares(matrix, weights)
    rows = [
        {"option": option.name}
        | {criterion.name: option.scores[criterion.id] for criterion in matrix.criterion}
        | {"score": round(_score(option, share), 2)}
        for option in matrix.option
    ]
    return pd.DataFrame(rows).sort_values("score", ascending=False, kind="stable", ignore_index=True)


def comparison(matrix: Matrix, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Criteria with their weights, a column for each option, best first, and the weighted means as the last row."""
    share = _shares(matrix, weights)
    best_first = sorted(matrix.option, key=lambda option: -round(_score(option, share), 9))
    rows: list[dict[str, object]] = [
        {"criterion": criterion.name, "weight (%)": f"{100 * share[criterion.id]:.0f}"}
        | {option.name: _short(option.scores[criterion.id]) for option in best_first}
        for criterion in matrix.criterion
    ]
    means = {option.name: f"{_score(option, share):.2f}" for option in best_first}
    return pd.DataFrame([*rows, {"criterion": "weighted mean", "weight (%)": "100"} | means])


def winner(matrix: Matrix, weights: Mapping[str, float] | None = None) -> Option:
    """The option with the highest weighted mean; the first of the file if several have it."""
    share = _shares(matrix, weights)
    return max(matrix.option, key=lambda option: round(_score(option, share), 9))


def crossovers(matrix: Matrix, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """For each criterion the share it would need for another option to win, the others keeping their proportions.

    "–" where nothing changes between 0 and 100 %. Nearest to today's weights first.
    """
    share = _shares(matrix, weights)
    best = winner(matrix, weights)
    turns = [(c, _nearest_crossing(matrix, best, c.id, share)) for c in matrix.criterion]
    turns.sort(key=lambda turn: abs(turn[1][0] - share[turn[0].id]) if turn[1] else 2)
    return pd.DataFrame(
        {
            "criterion": criterion.name,
            "weight now (%)": f"{100 * share[criterion.id]:.0f}",
            "winner changes at (%)": f"{100 * crossing[0]:.0f}" if crossing else "–",
            "then wins": crossing[1] if crossing else "nobody else",
        }
        for criterion, crossing in turns
    )


def scores_by_weight(matrix: Matrix, criterion: str, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Every option's score while the share of one criterion goes from 0 to 100 %, the others in proportion."""
    share = _shares(matrix, weights)
    if criterion not in share:
        raise WeightError(f"Matrix {matrix.id!r} does not weigh {criterion!r}; it weighs {', '.join(share)}.")
    others = sum(part for name, part in share.items() if name != criterion)
    rows = []
    for percent in range(0, 101, 2):
        left = (1 - percent / 100) / others if others else 0.0
        now = {name: percent / 100 if name == criterion else part * left for name, part in share.items()}
        rows.append({"share": percent} | {option.name: round(_score(option, now), 3) for option in matrix.option})
    return pd.DataFrame(rows)


def _shares(matrix: Matrix, weights: Mapping[str, float] | None) -> dict[str, float]:
    given = dict(default_weights(matrix) if weights is None else weights)
    known = [criterion.id for criterion in matrix.criterion]
    for name in (*given, *known):
        if name not in known or name not in given:
            raise WeightError(f"Matrix {matrix.id!r} weighs {', '.join(known)}; {name!r} is not one of both.")
        if given[name] < 0:
            raise WeightError(f"The weight of {name!r} is {given[name]}: a weight is 0 or more.")
    total = sum(given.values())
    if not total:
        raise WeightError(f"All weights of {matrix.id!r} are 0: give at least one.")
    return {name: given[name] / total for name in known}


def _short(score: float) -> object:
    return f"{score:g}"


def _score(option: Option, share: Mapping[str, float]) -> float:
    return sum(option.scores[name] * part for name, part in share.items())


def _nearest_crossing(matrix: Matrix, best: Option, name: str, share: dict[str, float]) -> tuple[float, str] | None:
    """The share of `name` closest to today's at which another option draws level, and that option."""
    others = 1 - share[name]
    found = []
    for rival in matrix.option:
        # Along the share w of this criterion both scores are straight lines: w * own + (1 - w) * rest.
        own = best.scores[name] - rival.scores[name]
        rest = (_score(best, share) - _score(rival, share) - own * share[name]) / others if others else 0.0
        if rival.id != best.id and rest != own:
            at = rest / (rest - own)
            if 0 <= at <= 1 and min(own, rest) < -1e-9:  # it really falls behind there
                found.append((abs(at - share[name]), at, rival.name))
    return min(found)[1:] if found else None
