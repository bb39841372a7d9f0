"""The audit of the 2025 estimate as tables: what was claimed, what holds, what has no line."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pandas as pd

from indutech.cost_model import CostModel
from indutech.cost_tables import DAGGER, component_name
from indutech.estimate import Finding, Verdict
from indutech.money import HOURS_PER_MONTH, total


def audit_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Claimed, recomputed, difference and verdict of each claimed line."""
    return pd.DataFrame(
        [
            {
                "Line": finding.item,
                "Claimed": str(finding.claimed),
                "Recomputed": str(finding.recomputed) if finding.recomputed else "not derivable",
                "Difference": str(finding.difference),
                "Verdict": finding.verdict.value,
                "Why": finding.reason,
            }
            for finding in findings
            if finding.verdict is not Verdict.MISSING
        ]
    ).set_index("Line")


def missing_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """What the estimate has no line for, dearest first."""
    return pd.DataFrame(
        [
            {"No line in the estimate": _missing_name(finding), "A month": str(finding.recomputed)}
            for finding in findings
            if finding.verdict is Verdict.MISSING
        ]
    ).set_index("No line in the estimate")


def _missing_name(finding: Finding) -> str:
    part = finding.item.partition(": ")[2]
    return f"{component_name(finding.component)}: {part}" if part else component_name(finding.component)


def verdict_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """How many monthly lines got each verdict, what they claim, and the difference."""
    kept = [finding for finding in findings if finding.frequency == "monthly"]
    verdicts = dict.fromkeys(finding.verdict for finding in kept)
    return pd.DataFrame(
        [
            {
                "Verdict": verdict.value,
                "Lines": len(group),
                "Claimed a month": str(total([finding.claimed for finding in group])),
                "Claimed less recomputed": str(total([finding.difference for finding in group])),
            }
            for verdict in verdicts
            for group in [[finding for finding in kept if finding.verdict is verdict]]
        ]
    ).set_index("Verdict")


def same_scope_table(model: CostModel) -> pd.DataFrame:
    """The estimate's own scope at today's dated prices: committed or not, Spectrum at its low or its base."""
    claimed = [
        finding for finding in model.findings if finding.verdict.value != "missing" and finding.frequency == "monthly"
    ]
    spectrum = model.prices["redshift_spectrum"]
    quantity = Decimal(55)
    cheaper = spectrum.cost(quantity, "TB") - spectrum.at("low").cost(quantity, "TB")
    committed = total([finding.recomputed or finding.claimed for finding in claimed])
    nodes = [("redshift_ra3_xlplus", 2), ("ec2_c5_large", 3)]
    dearer = [
        (model.prices[price_id].cost(HOURS_PER_MONTH * count, "Hours") - year.cost(HOURS_PER_MONTH * count, "Hours"))
        for price_id, count in nodes
        if (year := model.prices.commitment(price_id, 12))
    ]
    rows = {
        "Committed for 1 year, Spectrum at its low": committed - cheaper,
        "Committed for 1 year, Spectrum at its base": committed,
        "On demand, Spectrum at its base": committed + total(dearer),
    }
    return pd.DataFrame(
        [{"Same scope": name, "A month": f"{cost.cents()}{DAGGER}"} for name, cost in rows.items()]
    ).set_index("Same scope")
