"""The generated parts of docs/03-costs.md: what its cog blocks show comes from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs import tables
from indutech.costs.guardrails import Owner, watch_files
from indutech.costs.model import CostModel
from indutech.costs.projections import break_even_gb, fixed_cost
from indutech.costs.recommendations import recommendations
from indutech.costs.sensitivity import swings
from indutech.costs.tables import marked
from indutech.show.tables import as_markdown, from_rows


def in_short(model: CostModel) -> str:
    """The answer in sentences, each figure computed."""
    reference, lean, claimed = model.bill(), model.bill("lean"), model.bill("estimate-2025")
    warehouse = reference.share(lambda line: line.component == "redshift")
    kept = [change for change in recommendations(model) if change.bill_after]
    return "\n".join([
        f"- The corrected platform costs **{marked(reference.monthly_total, reference)} a month** on demand and "
        f"{reference.one_off_total} once; the 2025 estimate claimed {claimed.monthly_total} and "
        f"{claimed.one_off_total}.",
        f"- {warehouse * 100:.0f} % of the month is the warehouse. Before the first event {fixed_cost(model)} "
        f"are paid; events cost more than that only from {break_even_gb(model) or 0:,.0f} GB a month.",
        f"- {len(kept)} changes that keep the design bring the month to **{kept[-1].bill_after} †**, if what each "
        f"is conditional on proves true. A lean variant costs {marked(lean.monthly_total, lean)}.",
        f"- † {reference.doubt}; committed for a year, {model.bill(months=12).doubt}.",
    ])  # fmt: skip


def price_table(model: CostModel) -> pd.DataFrame:
    """Every rate that a scenario uses, with its date, confidence and source."""
    used = {line.price.price_id for name in model.scenarios for line in model.bill(name).lines}
    used |= {price.price_id for price in model.prices.values() if price.commitment_of in used}
    return from_rows(
        {
            "Rate": f"{price.service}: {price.item}",
            "Price": " / ".join(f"${tier.price.normalize():f}" for tier in price.tiers),
            "Per": price.unit,
            "Region": price.region,
            "As of": price.as_of,
            "Confidence": price.confidence.value,
            "Source": price.source,
        }
        for price in sorted(
            (model.prices[price_id] for price_id in used), key=lambda price: (price.service, price.item)
        )
    )


def assumption_table(model: CostModel) -> pd.DataFrame:
    """Every assumption with its bracket, origin and reason."""
    return from_rows(
        {"Assumption": row.usage_id, "Low": f"{row.low:f}", "Base": f"{row.base:f}", "High": f"{row.high:f}",
         "Unit": row.unit, "Origin": row.origin, "Why": row.reason}
        for row in model.usage.values()
    )  # fmt: skip


def _table(make: Callable[[CostModel], pd.DataFrame]) -> Callable[[CostModel], str]:
    return lambda model: as_markdown(make(model))


PARTS: Mapping[str, Callable[[CostModel], str]] = {
    "in-short": in_short,
    "month": lambda model: f"A month is {HOURS_PER_MONTH} hours.",
    "measured-by": lambda model: model.measured_by,
    "measurement": _table(tables.measurement_table),
    "scenarios": _table(tables.scenario_table),
    "components": _table(lambda m: tables.component_table(m.bill(), most=30)),
    "lines": _table(lambda m: tables.line_table(m.bill())),
    "audit": _table(lambda m: tables.audit_table(m.findings)),
    "missing": _table(lambda m: tables.missing_table(m.findings)),
    "verdicts": _table(lambda m: tables.verdict_table(m.findings)),
    "same-scope": _table(tables.same_scope_table),
    "units": _table(tables.unit_table),
    "streaming": _table(tables.streaming_table),
    "swings": _table(lambda m: tables.swing_table(swings(m), why=True)),
    "doubts": _table(lambda m: tables.doubt_table(m, m.bill(months=12))),
    "commitments": _table(tables.commitment_table),
    "projection": _table(tables.projection_table),
    "migration": _table(tables.migration_table),
    "exit": _table(tables.exit_table),
    "layouts": _table(tables.layout_table),
    "archives": _table(tables.archive_table),
    "recommendations": _table(tables.recommendation_table),
    "watch": lambda m: "```sh\n" + "\n".join(file.command for file in watch_files(m.bill(), Owner())) + "\n```",
    "prices": _table(price_table),
    "assumptions": _table(assumption_table),
}
