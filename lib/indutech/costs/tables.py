"""Bills, the audit of 2025 and their doubts as tables to read: sorted, rounded, and marked where a rate is in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pandas as pd

from indutech.architecture.platform import platform
from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs.bill import Bill, Line
from indutech.costs.estimate_2025 import NAME as CLAIMED
from indutech.costs.estimate_2025 import Finding, Verdict
from indutech.costs.model import CostModel, doubt, doubtful_share
from indutech.costs.money import Money, dollars, singular, total
from indutech.costs.prices import Confidence
from indutech.costs.scenarios import NAMES
from indutech.costs.sensitivity import doubts

DAGGER = "\N{NO-BREAK SPACE}†"  # behind every total in which a rate that was not read for the region matters


def marked(bill: Bill, amount: Money | None = None) -> str:
    """A total of a bill, with the mark of doubt if it carries one."""
    return f"{amount or bill.monthly_total}{DAGGER if doubt(bill) else ''}"


def scenario_table(model: CostModel) -> pd.DataFrame:
    """Every scenario, month and once, on demand and committed."""
    rows = []
    for name in NAMES:
        free, year, three = (model.bill(name, months) for months in (0, 12, 36))
        bound = any(line.commitment_months for line in year.lines)
        if name == CLAIMED:
            rows.append(
                {
                    "Scenario": name,
                    "A month, on demand": "not claimed",
                    "1 year committed": str(free.monthly_total),
                    "3 years committed": "not claimed",
                    "Once": str(free.one_off_total),
                    "Unverified rates": "claimed, not priced",
                }
            )
            continue
        rows.append({
            "Scenario": name,
            "A month, on demand": marked(free),
            "1 year committed": marked(year) if bound else "–",
            "3 years committed": marked(three) if bound else "–",
            "Once": str(free.one_off_total),
            "Unverified rates": f"{doubtful_share(free) * 100:.0f} %",
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("Scenario")


def component_table(bill: Bill, most: int = 10) -> pd.DataFrame:
    """What each component costs a month, most expensive first; the cheapest are added up in one row."""
    costs = list(bill.by(lambda line: line.component).items())
    shown, rest = costs[: most - 1], costs[most - 1 :]
    rows = [_component_row(bill, component_name(component), cost, [component]) for component, cost in shown]
    if rest:
        rows.append(
            _component_row(bill, f"{len(rest)} others", total([c for _, c in rest]), [name for name, _ in rest])
        )
    rows.append(
        {"Component": "Total", "A month": marked(bill), "Share": "100 %", "Weakest rate": doubt(bill) or "exact"}
    )
    return pd.DataFrame(rows).set_index("Component")


def _component_row(bill: Bill, name: str, cost: Money, components: list[str]) -> dict[str, str]:
    levels = [line.confidence for line in bill.monthly if line.component in components and line.effective_cost.amount]
    weakest = max(levels, key=lambda level: level.rank, default=Confidence.EXACT)
    share = cost.amount / bill.monthly_total.amount
    flag = "" if weakest is Confidence.EXACT else DAGGER
    return {
        "Component": name,
        "A month": f"{cost}{flag}",
        "Share": f"{share * 100:.1f} %",
        "Weakest rate": weakest.value,
    }


def component_name(component: str) -> str:
    """The name that the architecture gives a component."""
    model = platform()
    return model[component].name if component in model else component


def line_table(bill: Bill, components: Iterable[str] | None = None) -> pd.DataFrame:
    """Every line of a bill: quantity × price, dated and sourced, so that a figure is two looks from its origin."""
    wanted = set(components or [line.component for line in bill.lines])
    return pd.DataFrame([_line_row(line) for line in bill.lines if line.component in wanted])


def _line_row(line: Line) -> dict[str, str]:
    return {
        "Component": component_name(line.component),
        "Item": f"{line.price.service}: {line.price.item}",
        "Quantity": f"{line.quantity:,.2f} {line.price.unit}",
        "Rate": f"${line.list_unit_price.normalize():f} ({line.price.as_of}, {line.confidence.value})",
        "Cost": f"{line.effective_cost}{'' if line.confidence is Confidence.EXACT else DAGGER}"
        + (" once" if line.charge.one_off else " a month"),
        "Assumptions": ", ".join(sorted(line.marks)) or "–",
    }


def doubt_table(model: CostModel, bill: Bill, most: int = 3) -> pd.DataFrame:
    """The rates not read for the region that carry most of a bill, and what to look up before a purchase."""
    return pd.DataFrame(
        [
            {
                "Rate": found.item,
                "On the bill": f"{found.monthly}{DAGGER}",
                "Share": f"{found.share * 100:.1f} %",
                "Used": _rate(model, found.price_id),
                "Bracket moves the bill by": dollars(found.swing),
                "Look up before buying": found.look_up,
            }
            for found in doubts(bill, model.prices)[:most]
            if found.monthly.amount
        ]
    ).set_index("Rate")


def _rate(model: CostModel, price_id: str) -> str:
    price = model.prices[price_id]
    return f"${price.tiers[0].price.normalize():f} per {singular(price.unit)} ({price.as_of})"


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
    """What the estimate has no line for, most expensive first."""
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
