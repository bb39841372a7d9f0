"""Cost scores of the decision matrices: each option is priced at its right size, and its bill makes its score.

The cheapest option has 5 and each doubling costs a point, down to 1. The scale is logarithmic because a choice is
felt as a ratio, and anchored at the cheapest so that a dear option more or less changes no other score. Costs below
one percent of the platform's month count as equal. An option without a public price has 1 until there is a quote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log2

from indutech.architecture import decisions
from indutech.architecture.decisions import Matrix, Option
from indutech.costs import alternatives as a
from indutech.costs import charges as c
from indutech.costs.bill import MATTERS, Bill, Charge, priced
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.usage import Usage
from indutech.costs.model import CostModel
from indutech.costs.sinks import SINKS

BEST, WORST = 5.0, 1.0
OPTIONS: Mapping[str, Mapping[str, Callable[[Usage], list[Charge]] | None]] = {
    "streaming": {"redpanda": c.redpanda, "msk": a.small_brokers, "msk_serverless": a.msk_serverless,
                  "kinesis": a.kinesis_on_demand},
    "sink": SINKS,
    "warehouse": {"ra3": c.redshift, "rg": a.redshift_rg, "serverless": a.redshift_serverless, "athena": a.athena},
    "identity": {"managed_ad": c.managed_ad, "ad_connector": a.ad_connector, "own_dc": a.own_controllers,
                 "entra": a.entra},
    "link": {"vpn": c.vpn, "direct_connect": a.direct_connect, "both": a.direct_connect_and_vpn},
}  # fmt: skip


def option_bills(model: CostModel, matrix: str) -> dict[str, Bill | None]:
    """The bill of each option of a matrix; None where there is no public price."""
    return {
        option: priced(option, charges(model.usage), model.prices) if charges else None
        for option, charges in OPTIONS[matrix].items()
    }


def cost_scores(months: Mapping[str, Decimal | None], equal_below: Decimal) -> dict[str, float]:
    """The score of each monthly cost, by the scale above."""
    felt = {option: max(month, equal_below) for option, month in months.items() if month is not None}
    cheapest = min(felt.values())
    return {
        option: round(max(WORST, BEST - log2(felt[option] / cheapest)), 1) if option in felt else WORST
        for option in months
    }


def matrices(model: CostModel) -> dict[str, Matrix]:
    """The decision matrices with their cost scores computed from this model."""
    equal_below = model.bill().monthly_total.amount * MATTERS
    return {
        name: decisions.with_scores(matrix, "cost", cost_scores(
            {option: bill.monthly_total.amount if bill else None for option, bill in option_bills(model, name).items()},
            equal_below,
        ))
        for name, matrix in decisions.matrices().items()
    }  # fmt: skip


@dataclass(frozen=True)
class Given:
    """A choice that was given and does not win: what wins in its place, and what keeping it costs a month."""

    matrix: Matrix
    kept: Option
    winner: Option
    costs_more: Money
    doubtful: bool


def kept_because_given(model: CostModel) -> list[Given]:
    """The choices that stay although the sums say otherwise."""
    found = []
    for name, matrix in matrices(model).items():
        wins, kept = decisions.winner(matrix), decisions.option(matrix, matrix.chosen)
        if wins.id != kept.id:
            ours, theirs = (option_bills(model, name)[option.id] for option in (kept, wins))
            if ours and theirs:
                more = ours.monthly_total - theirs.monthly_total
                found.append(Given(matrix, kept, wins, more, bool(ours.doubt or theirs.doubt)))
    return found
