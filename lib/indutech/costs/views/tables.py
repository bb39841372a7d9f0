"""Bills and what follows from them as tables of text: sorted, rounded, † where a rate is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from indutech.architecture.platform import platform
from indutech.costs.bill import ON_DEMAND, TERMS, Bill, Line, weakest
from indutech.costs.estimate_2025 import NAME as CLAIMED
from indutech.costs.inputs.money import dollars, singular, total
from indutech.costs.inputs.prices import Confidence
from indutech.costs.model import NAMES, CostModel
from indutech.costs.projections import VOLUMES_GB, commitments, project, streaming_against_volume, unit_costs
from indutech.costs.recommendations import recommendations
from indutech.costs.sensitivity import Swing, doubts
from indutech.show.tables import from_rows

DAGGER = "\N{NO-BREAK SPACE}†"  # behind every total in which a rate that was not read for the region matters
TERM_NAMES = {ON_DEMAND: "on demand"} | TERMS


def marked(amount: object, by: Bill | Confidence | bool = True) -> str:
    """An amount with the mark of doubt, if the bill or the rate that it comes from carries one."""
    doubtful = bool(by.doubt) if isinstance(by, Bill) else by not in (False, Confidence.EXACT)
    return f"{amount}{DAGGER if doubtful else ''}"


def component_name(component: str) -> str:
    """The name that the architecture gives a component."""
    model = platform()
    return model[component].name if component in model else component


def scenario_table(model: CostModel) -> pd.DataFrame:
    """Every scenario, month and once, on demand and committed."""
    return from_rows(_scenario_row(model, name) for name in NAMES)


def _scenario_row(model: CostModel, name: str) -> dict[str, object]:
    bills = [model.bill(name, months) for months in TERM_NAMES]
    free = bills[0]
    if name == CLAIMED:
        cells: list[object] = ["not claimed", free.monthly_total, "not claimed"]
    else:
        cells = [
            marked(bill.monthly_total, bill)
            if bill is free or any(line.commitment_months == months for line in bill.lines)
            else None
            for months, bill in zip(TERM_NAMES, bills, strict=True)
        ]
    headings = ["A month, on demand", *(f"{term} committed" for term in TERMS.values())]
    return {"Scenario": name} | dict(zip(headings, cells, strict=True)) | {
        "Once": free.one_off_total,
        "Unverified rates": "claimed, not priced" if name == CLAIMED else f"{free.doubtful_share * 100:.0f} %",
    }  # fmt: skip


def component_table(bill: Bill, most: int = 10) -> pd.DataFrame:
    """What each component costs a month, most expensive first; the cheapest are added up in one row."""
    names = list(bill.by(lambda line: line.component))
    groups = [(component_name(name), [name]) for name in names[: most - 1]]
    if rest := names[most - 1 :]:
        groups.append((f"{len(rest)} others", rest))
    whole = {"Component": "Total", "A month": marked(bill.monthly_total, bill), "Share": "100 %",
             "Weakest rate": bill.doubt or "exact"}  # fmt: skip
    return from_rows([*(_component_row(bill, name, parts) for name, parts in groups), whole])


def _component_row(bill: Bill, name: str, components: Sequence[str]) -> dict[str, object]:
    lines = [line for line in bill.monthly if line.component in components]
    level = weakest(line.confidence for line in lines if line.effective_cost.amount)
    cost = total([line.effective_cost for line in lines])
    share = bill.share(lambda line: line.component in components)
    return {"Component": name, "A month": marked(cost, level), "Share": f"{share * 100:.1f} %",
            "Weakest rate": level.value if cost.amount else "–"}  # fmt: skip


def line_table(bill: Bill, components: Iterable[str] | None = None) -> pd.DataFrame:
    """Every line of a bill, or those of some components: quantity × dated rate, and its assumptions."""
    wanted = set(components or [line.component for line in bill.lines])
    return from_rows(_line_row(line) for line in bill.lines if line.component in wanted)


def _line_row(line: Line) -> dict[str, object]:
    return {
        "Component": component_name(line.component),
        "Item": f"{line.price.service}: {line.price.item}",
        "Quantity": _quantity(line),
        "Rate": f"${line.list_unit_price.normalize():f} ({line.price.as_of}, {line.confidence.value})",
        "Cost": f"{marked(line.effective_cost, line.confidence)} {'once' if line.charge.one_off else 'a month'}",
        "Assumptions": ", ".join(sorted(line.marks)) or None,
    }


def _quantity(line: Line) -> str:
    """The quantity with its unit; one that begins with a number is multiplied."""
    number, _, what = line.price.unit.partition(" ")
    unit = f"× {int(number):,} {what}" if number.isdigit() else line.price.unit
    return f"{line.quantity:,.2f} {unit}"


def doubt_table(model: CostModel, bill: Bill, most: int = 3) -> pd.DataFrame:
    """The rates not read for the region that carry most of a bill, and what to look up before a purchase."""
    return from_rows(
        {
            "Rate": found.item,
            "On the bill": marked(found.monthly),
            "Share": f"{found.share * 100:.1f} %",
            "Used": f"${price.tiers[0].price.normalize():f} per {singular(price.unit)} ({price.as_of})",
            "Bracket moves the bill by": dollars(found.swing),
            "Look up before buying": found.look_up,
        }
        for found in doubts(bill, model.prices)[:most]
        for price in [model.prices[found.price_id]]
        if found.monthly.amount
    )


def unit_table(model: CostModel) -> pd.DataFrame:
    """Unit costs against the volume of events."""
    reference = model.bill()
    headings = {"Bill a month": "monthly_total", "A million events": "per_million_events",
                "A GB ingested": "per_gb_ingested", "A TB queried": "per_tb_queried", "A user": "per_user"}  # fmt: skip
    return from_rows(
        {"Events, GB": f"{found.volume_gb:,}"}
        | {heading: marked(getattr(found, field), reference) for heading, field in headings.items()}
        for found in (unit_costs(model, volume) for volume in VOLUMES_GB)
    )


def streaming_table(model: CostModel) -> pd.DataFrame:
    """The streaming line with each service against volume."""
    return from_rows(
        {"Events, GB": f"{volume:,}"} | {name: bill.monthly_total for name, bill in bills.items()}
        for volume, bills in streaming_against_volume(model)
    )


def swing_table(swings: Sequence[Swing], most: int = 10, why: bool = False) -> pd.DataFrame:
    """The inputs that move the bill most, and if asked why their bracket is what it is."""
    return from_rows(
        {
            "Input": swing.name,
            "Low – base – high": f"{swing.low:f} – {swing.base:f} – {swing.high:f} {swing.unit}",
            "Bill at low": marked(swing.total_at_low),
            "Bill at high": marked(swing.total_at_high),
            "Origin": swing.kind,
        }
        | ({"Why": swing.reason} if why else {})
        for swing in swings[:most]
    )


def commitment_table(model: CostModel, stops: Sequence[int] = (3, 6, 12, 24)) -> pd.DataFrame:
    """What each term saves, its break-even, and what stopping early loses."""
    terms = commitments(model)
    rows: dict[str, list[object]] = {
        "On demand, a month": [term.on_demand_month for term in terms],
        "Committed, a month": [marked(term.committed_month, term.confidence) for term in terms],
        "Saved a month": [marked(term.saving_month, term.confidence) for term in terms],
        "Pays from month": [term.break_even_month for term in terms],
    }
    for stop in stops:
        rows[f"Lost if stopped after {stop} months"] = [
            marked(term.loss_if_stopped(stop), term.confidence) for term in terms
        ]
    names = [f"{term.months} months" for term in terms]
    return from_rows(
        {"Commitment of what has a committed rate": row} | dict(zip(names, cells, strict=True))
        for row, cells in rows.items()
    )


def projection_table(model: CostModel, months: Sequence[int] = (1, 12, 24, 36)) -> pd.DataFrame:
    """The month's bill and all that was paid until then, by commitment."""
    rows: dict[int, dict[str, object]] = {month: {"Month (Σ: paid so far)": month} for month in months}
    for term, label in TERM_NAMES.items():
        bill = model.bill(months=term)
        for found in project(model, max(months), term):
            if found.number in rows:
                rows[found.number][label] = marked(found.monthly, bill)
                rows[found.number][f"Σ {label}"] = marked(dollars(found.cumulative.amount, 0), bill)
    return from_rows(rows.values())


def recommendation_table(model: CostModel) -> pd.DataFrame:
    """What to do, what it saves a month, and what has to be true first."""
    return from_rows(
        {
            "Action": change.title,
            "Kind": change.kind.value,
            "Saves a month, alone": marked(change.saving, change.confidence),
            "Bill with all above": marked(change.bill_after) if change.bill_after else "a decision of its own",
            "Provided that": change.first,
        }
        for change in recommendations(model)
    )
