"""The audit of the 2025 estimate as tables of text."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from indutech.costs.estimate_2025 import Finding, Verdict, same_scope
from indutech.costs.inputs.money import total
from indutech.costs.model import CostModel
from indutech.costs.views.tables import component_name, marked
from indutech.show.tables import from_rows


def audit_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Claimed, recomputed, difference and verdict of each claimed line."""
    return from_rows(
        {
            "Line": found.item if found.frequency == "monthly" else f"{found.item} ({found.frequency})",
            "Claimed": found.claimed,
            "Recomputed": found.recomputed or "not derivable",
            "Difference": found.difference,
            "Verdict": found.verdict.value,
            "Why": found.reason,
        }
        for found in findings
        if found.verdict is not Verdict.MISSING
    )


def missing_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """What the estimate has no line for, most expensive first."""
    return from_rows(
        {
            "No line in the estimate": component_name(found.component) + found.item.removeprefix(found.component),
            "A month": marked(found.recomputed, found.in_doubt),
        }
        for found in findings
        if found.verdict is Verdict.MISSING
    )


def verdict_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """How many monthly lines got each verdict, what they claim, and the difference."""
    groups: dict[Verdict, list[Finding]] = {}
    for found in findings:
        if found.frequency == "monthly":
            groups.setdefault(found.verdict, []).append(found)
    return from_rows(
        {
            "Verdict": verdict.value,
            "Lines": len(group),
            "Claimed a month": total([found.claimed for found in group]),
            "Claimed less recomputed": total([found.difference for found in group]),
        }
        for verdict, group in groups.items()
    )


def same_scope_table(model: CostModel) -> pd.DataFrame:
    """The estimate's own scope at the dated rates of the list."""
    months = same_scope(model.findings, model.prices)
    return from_rows({"Same scope": name, "A month": marked(cost)} for name, cost in months.items())
