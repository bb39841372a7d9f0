"""The decision matrices as parts of docs/01: scores, right-sized costs, reasons, turning points, what was given."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from indutech.architecture import decisions
from indutech.architecture.decisions import Matrix
from indutech.costs.model import CostModel
from indutech.costs.scores import kept_because_given, matrices, option_bills
from indutech.costs.sinks import ICEBERG_MIB_S, licence_break_even
from indutech.costs.views.tables import marked
from indutech.show.tables import as_markdown, from_rows


def matrix_part(name: str) -> Callable[[CostModel], str]:
    """A decision matrix with its ranking, its scales, its costs, its reasons and where it turns."""

    def part(model: CostModel) -> str:
        asked = matrices(model)[name]
        criteria = pd.DataFrame({"criterion": c.name, "what the scores mean": c.scale} for c in asked.criterion)
        reasons = "\n".join(f"- **{option.name}.** {option.why}" for option in asked.option)
        sources = " ".join(f"[^{claim}]" for claim in asked.claims)
        return "\n\n".join([
            verdict(model, name),
            _plain(decisions.comparison(asked)),
            _plain(criteria),
            "Priced at the size that this volume needs:",
            _plain(sizes(model, asked)),
            f"{reasons}\n\nSources: {sources}",
            f"The weight of one criterion at which another option wins:\n\n{_plain(decisions.crossovers(asked))}",
        ])  # fmt: skip

    return part


def verdict(model: CostModel, name: str) -> str:
    """Who wins, and what it costs to keep a choice that was given and does not."""
    asked = matrices(model)[name]
    for given in kept_because_given(model):
        if given.matrix.id == name:
            if not asked.given:
                return f"**{given.winner.name}** wins; {given.kept.name} is in the model: decide again."
            return (
                f"**{given.winner.name}** wins. **{given.kept.name} is kept because it was given**: "
                f"{asked.given} Keeping it costs {marked(given.costs_more, given.doubtful)} a month more."
            )
    return f"**{decisions.winner(asked).name}** wins, and is chosen."


def sizes(model: CostModel, asked: Matrix) -> pd.DataFrame:
    """What each option costs a month at its right size, and what has to be true first."""
    bills = option_bills(model, asked.id)
    return from_rows(
        {
            "option": option.name,
            "size": option.size,
            "a month": marked(bill.monthly_total, bill) if (bill := bills[option.id]) else "price on request",
            "provided that": option.condition or None,
        }
        for option in asked.option
    )


def licence(model: CostModel) -> str:
    """What a licence may cost before Spark is cheaper, and what Redpanda's own translation would carry."""
    return (
        f"Spark's own lines cost {licence_break_even(model)} a year: a licence that replaces them pays below that, "
        f"and no price of one is public. Redpanda's translation carries about {ICEBERG_MIB_S} MiB/s a core; "
        "throughput does not decide at this volume."
    )


def given_part(model: CostModel) -> str:
    """Every choice that stays because it was given, one a line."""
    return "\n".join(
        f"- **{given.matrix.question}** {given.kept.name}, because it was given. {given.winner.name} wins the "
        f"comparison; keeping {given.kept.name} costs {marked(given.costs_more, given.doubtful)} a month more."
        for given in kept_because_given(model)
    )


def _plain(table: pd.DataFrame) -> str:
    return as_markdown(table.set_index(table.columns[0]))


PARTS = {
    "given": given_part,
    "licence": licence,
    **{f"matrix:{name}": matrix_part(name) for name in ("streaming", "sink", "warehouse", "identity", "link")},
}
