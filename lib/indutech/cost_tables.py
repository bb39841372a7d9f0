"""Bills, the audit of 2025 and their doubts as tables to read: sorted, rounded, and marked where a rate is in doubt."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from indutech.cost_model import CostModel, doubt, doubtful_share
from indutech.costs import Bill, Line
from indutech.estimate import NAME as CLAIMED
from indutech.money import Money, dollars, singular, total
from indutech.platform import platform
from indutech.prices import Confidence
from indutech.scenarios import NAMES
from indutech.sensitivity import doubts

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
    """What each component costs a month, dearest first; the cheapest are added up in one row."""
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
