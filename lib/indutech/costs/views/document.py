"""The generated parts of docs/03-costs.md: what its cog blocks show comes from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs.business import one_off, total
from indutech.costs.calculator import estimate
from indutech.costs.guardrails import ACCOUNT, Owner, watch_files
from indutech.costs.inputs.usage import Usage
from indutech.costs.model import CostModel
from indutech.costs.projections import break_even_gb, crossing_gb, fixed_cost
from indutech.costs.recommendations import by_kind, recommendations
from indutech.costs.sensitivity import swings
from indutech.costs.views import audit_tables, business_tables, data_tables, matrices, scaling, summary, tables
from indutech.costs.views.business_tables import spread
from indutech.costs.views.tables import marked
from indutech.show.tables import as_markdown, from_rows


def in_short(model: CostModel) -> str:
    """The answer in sentences, each figure computed."""
    reference, lean, claimed = model.bill(), model.bill("lean"), model.bill("estimate-2025")
    warehouse = reference.share(lambda line: line.component == "redshift")
    actions, measured, _ = by_kind(reference.monthly_total, recommendations(model))
    return "\n".join([
        f"- The corrected platform costs **{marked(reference.monthly_total, reference)} a month** on demand and "
        f"{reference.one_off_total} once; the 2025 estimate claimed {claimed.monthly_total} and "
        f"{claimed.one_off_total}.",
        f"- {warehouse * 100:.0f} % of the month is the warehouse. Before the first event "
        f"{marked(fixed_cost(model), reference)} are paid; events cost more than that only from "
        f"{break_even_gb(model) or 0:,.0f} GB a month.",
        f"- {actions.changes} actions bring the month to **{marked(actions.bill_after)}**. "
        f"{measured.changes} assumptions, if a measurement confirms them, would bring it to "
        f"{marked(measured.bill_after)}. A lean variant costs {marked(lean.monthly_total, lean)}.",
        f"- Once, with people and the plant's warehouse running on, it is {spread(total(one_off(model).values()))}, "
        f"of which AWS bills the {reference.one_off_total} above and the staging of the history in S3.",
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


def assumption_table(usage: Usage) -> pd.DataFrame:
    """Every assumption with its bracket, origin and reason."""
    return from_rows(
        {"Assumption": row.usage_id, "Low": f"{row.low:f}", "Base": f"{row.base:f}", "High": f"{row.high:f}",
         "Unit": row.unit, "Origin": row.origin, "Why": row.reason}
        for row in usage.values()
    )  # fmt: skip


def crossing(model: CostModel) -> str:
    """From which volume on brokers of one's own cost less than a stream paid by the gigabyte."""
    volume = crossing_gb(model, "Kinesis on demand", "Redpanda")
    if volume is None:
        return "Kinesis on demand stays cheaper than Redpanda at every volume looked at."
    return f"Kinesis on demand costs more than Redpanda from about **{volume:,.0f} GB** a month on."


def calculator_part(model: CostModel) -> str:
    """What AWS's calculator is asked to price, and by what its total differs."""
    found = estimate(model.bill(), ACCOUNT)
    names = dict.fromkeys(
        f"{line.price.service}: {line.price.item}" for line in found.left_out if line.list_cost.amount
    )
    return (
        f"{len(found.asked)} of {len(model.bill().monthly)} lines are asked for: {found.total} of "
        f"{model.bill().monthly_total}. The difference, {found.difference}, is named: {'; '.join(names)}."
    )


def _table(make: Callable[[CostModel], pd.DataFrame]) -> Callable[[CostModel], str]:
    return lambda model: as_markdown(make(model))


PARTS: Mapping[str, Callable[[CostModel], str]] = {
    **matrices.PARTS,
    **summary.PARTS,
    "in-short": in_short,
    "month": lambda model: f"A month is {HOURS_PER_MONTH} hours.",
    "measured-by": lambda model: model.measured_by,
    "measurement": _table(data_tables.measurement_table),
    "sensors": _table(data_tables.sensor_table),
    "sensors-measured": data_tables.sensors_measured,
    "questions": _table(data_tables.question_table),
    "questions-in-words": data_tables.questions_in_words,
    "scenarios": _table(tables.scenario_table),
    "components": _table(lambda m: tables.component_table(m.bill(), most=30)),
    "lines": _table(lambda m: tables.line_table(m.bill())),
    "audit": _table(lambda m: audit_tables.audit_table(m.findings)),
    "missing": _table(lambda m: audit_tables.missing_table(m.findings)),
    "verdicts": _table(lambda m: audit_tables.verdict_table(m.findings)),
    "same-scope": _table(audit_tables.same_scope_table),
    "units": _table(tables.unit_table),
    "streaming": _table(tables.streaming_table),
    "swings": _table(lambda m: tables.swing_table(swings(m), why=True)),
    "doubts": _table(lambda m: tables.doubt_table(m, m.bill(months=12))),
    "commitments": _table(tables.commitment_table),
    "projection": _table(tables.projection_table),
    "migration": _table(data_tables.migration_table),
    "exit": _table(data_tables.exit_table),
    "layouts": _table(data_tables.layout_table),
    "archives": _table(data_tables.archive_table),
    "recommendations": _table(tables.recommendation_table),
    "kinds": _table(business_tables.kind_table),
    "one-off": _table(business_tables.one_off_table),
    "years": _table(business_tables.years_table),
    "case": _table(lambda m: assumption_table(m.case)),
    "scaling-sizes": _table(scaling.size_table),
    "scaling-speed": scaling.speed,
    "crossing": crossing,
    "calculator": calculator_part,
    "watch": lambda m: "```sh\n" + "\n".join(file.command for file in watch_files(m.bill(), Owner())) + "\n```",
    "prices": _table(price_table),
    "assumptions": _table(lambda m: assumption_table(m.usage)),
}
