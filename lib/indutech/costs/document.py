"""The generated parts of docs/03-costs.md: what its cog blocks show comes from the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import pandas as pd

from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs import tables as audit
from indutech.costs import tables as bills
from indutech.costs import tables_decisions as decisions
from indutech.costs import tables_decisions as storage
from indutech.costs.guardrails import Owner, watch_files
from indutech.costs.model import CostModel, doubt
from indutech.costs.recommendations import recommendations
from indutech.costs.sensitivity import swings
from indutech.costs.storage import archives, layouts
from indutech.show.tables import as_markdown

SMALL_OBJECT_MIB = Decimal("0.0625")  # what a lake of uncompacted micro-batches looks like


def in_short(model: CostModel) -> str:
    """The answer in sentences, each figure computed."""
    reference, claimed = model.bill("reference"), model.bill("estimate-2025")
    warehouse = reference.share(lambda line: line.component == "redshift")
    kept = [change for change in recommendations(model.usage, model.prices, model.measurement) if change.bill_after]
    fixed, break_even = decisions.break_even(model)
    return "\n".join([
        f"- The corrected platform costs **{bills.marked(reference)} a month** on demand and {reference.one_off_total} "
        f"once; the 2025 estimate claimed {claimed.monthly_total} and {claimed.one_off_total}.",
        f"- {warehouse * 100:.0f} % of the month is the warehouse. Before the first event {fixed} are paid; "
        f"events cost more than that only from {break_even or 0:,.0f} GB a month.",
        f"- {len(kept)} changes that keep the design bring the month to **{kept[-1].bill_after} †**, if what each "
        f"is conditional on proves true. A lean variant costs {bills.marked(model.bill('lean'))}.",
        f"- † {doubt(reference)}; committed for a year, {doubt(model.bill('reference', 12))}.",
    ])  # fmt: skip


def _prices(model: CostModel) -> str:
    used = {line.price.price_id for name in ("reference", "lean", "serverless") for line in model.bill(name).lines}
    used |= {price.price_id for price in model.prices.values() if price.commitment_of in used}
    rows = []
    for price in sorted((model.prices[price_id] for price_id in used), key=lambda price: (price.service, price.item)):
        tiers = " / ".join(f"${tier.price.normalize():f}" for tier in price.tiers)
        rows.append({"Rate": f"{price.service}: {price.item}", "Price": tiers, "Per": price.unit,
                     "Region": price.region, "As of": price.as_of, "Confidence": price.confidence.value,
                     "Source": price.source})  # fmt: skip
    return as_markdown(pd.DataFrame(rows))


def _assumptions(model: CostModel) -> str:
    return as_markdown(pd.DataFrame([
        {"Assumption": row.usage_id, "Low": f"{row.low:f}", "Base": f"{row.base:f}", "High": f"{row.high:f}",
         "Unit": row.unit, "Origin": row.origin, "Why": row.reason}
        for row in model.usage.values()
    ]))  # fmt: skip


def _archives(model: CostModel) -> str:
    usual = model.usage["lake_object_mib"].base
    sizes = [(f"{usual:f} MiB", archives(model.usage, model.prices)),
             (f"{SMALL_OBJECT_MIB * 1024:.0f} KiB", archives(model.usage, model.prices, SMALL_OBJECT_MIB))]  # fmt: skip
    return as_markdown(storage.archive_table(sizes))


def _table(make: Callable[[CostModel], pd.DataFrame]) -> Callable[[CostModel], str]:
    return lambda model: as_markdown(make(model))


PARTS: Mapping[str, Callable[[CostModel], str]] = {
    "in-short": in_short,
    "month": lambda model: f"A month is {HOURS_PER_MONTH} hours.",
    "measured-by": lambda model: model.measured_by,
    "measurement": _table(storage.measurement_table),
    "scenarios": _table(bills.scenario_table),
    "components": _table(lambda m: bills.component_table(m.bill("reference"), most=30)),
    "lines": _table(lambda m: bills.line_table(m.bill("reference"))),
    "audit": _table(lambda m: audit.audit_table(m.findings)),
    "missing": _table(lambda m: audit.missing_table(m.findings)),
    "verdicts": _table(lambda m: audit.verdict_table(m.findings)),
    "same-scope": _table(audit.same_scope_table),
    "units": _table(decisions.unit_table),
    "streaming": _table(decisions.streaming_table),
    "swings": _table(lambda m: decisions.swing_table(swings("reference", m.usage, m.prices), why=True)),
    "doubts": _table(lambda m: bills.doubt_table(m, m.bill("reference", 12))),
    "commitments": _table(decisions.commitment_table),
    "projection": _table(decisions.projection_table),
    "migration": _table(storage.migration_table),
    "exit": _table(storage.exit_table),
    "layouts": _table(lambda m: storage.layout_table(layouts(m.measurement, m.usage, m.prices))),
    "archives": _archives,
    "recommendations": _table(
        lambda m: decisions.recommendation_table(recommendations(m.usage, m.prices, m.measurement))
    ),
    "watch": lambda m: "```sh\n" + "\n".join(f.command for f in watch_files(m.bill("reference"), Owner())) + "\n```",
    "prices": _prices,
    "assumptions": _assumptions,
}
