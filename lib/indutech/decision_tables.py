"""What moves the bill and what to do about it, as tables to read: sorted, rounded, with the doubt shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from indutech import streaming_costs, unit_costs
from indutech.commitments import TERM_NAMES, TERMS, Commitment, commitment
from indutech.cost_model import CostModel, doubt
from indutech.cost_tables import DAGGER
from indutech.money import dollars
from indutech.prices import Confidence
from indutech.projection import project
from indutech.recommendations import Recommendation
from indutech.scenarios import SCENARIOS
from indutech.sensitivity import Swing


def flag(model: CostModel, scenario: str = "reference", months: int = 0) -> str:
    """The mark behind totals of a scenario in which a rate is in doubt."""
    return DAGGER if doubt(model.bill(scenario, months)) else ""


def unit_table(model: CostModel, scenario: str = "reference") -> pd.DataFrame:
    """Unit costs against the volume of events."""
    mark = flag(model, scenario)
    return pd.DataFrame(
        [
            {
                "Events, GB": f"{found.volume_gb:,}",
                "Bill a month": f"{found.monthly_total}{mark}",
                "A million events": f"{found.per_million_events}{mark}",
                "A GB ingested": f"{found.per_gb_ingested}{mark}",
                "A TB queried": f"{found.per_tb_queried}{mark}",
                "A user": f"{found.per_user}{mark}",
            }
            for found in unit_costs.against_volume(scenario, model.usage, model.prices)
        ]
    ).set_index("Events, GB")


def streaming_table(model: CostModel) -> pd.DataFrame:
    """The streaming line with each service against volume."""
    rows = streaming_costs.against_volume(model.usage, model.prices)
    return pd.DataFrame(
        [
            {"Events, GB": f"{volume:,}"} | {name: str(bill.monthly_total) for name, bill in bills.items()}
            for volume, bills in rows
        ]
    ).set_index("Events, GB")


def commitments(model: CostModel) -> list[Commitment]:
    """The terms of 12 and 36 months for the reference."""
    return [commitment(SCENARIOS["reference"](model.usage), model.prices, months) for months in TERMS]


def commitment_table(model: CostModel, stops: Sequence[int] = (3, 6, 12, 24)) -> pd.DataFrame:
    """What a term saves, when it pays, and what stopping early loses."""
    rows = []
    for found in commitments(model):
        mark = "" if found.confidence is Confidence.EXACT else DAGGER
        rows.append({
            "Term": f"{found.months} months",
            "On demand, a month": str(found.on_demand_month),
            "Committed, a month": f"{found.committed_month}{mark}",
            "Saved a month": f"{found.saving_month}{mark}",
            "Pays from month": str(found.break_even_month),
        } | {f"Lost if stopped after {stop}": f"{found.loss_if_stopped(stop)}{mark}" for stop in stops})  # fmt: skip
    return pd.DataFrame(rows).set_index("Term").T.rename_axis("Commitment of the warehouse").rename_axis(None, axis=1)


def swing_table(swings: Sequence[Swing], mark: str = DAGGER, most: int = 10, why: bool = False) -> pd.DataFrame:
    """The inputs that move the bill most, and if asked why their bracket is what it is."""
    return pd.DataFrame(
        [
            {
                "Input": swing.name,
                "Low – base – high": f"{swing.low:f} – {swing.base:f} – {swing.high:f} {swing.unit}",
                "Bill at low": f"{swing.total_at_low}{mark}",
                "Bill at high": f"{swing.total_at_high}{mark}",
                "Origin": swing.kind,
            }
            | ({"Why": swing.reason} if why else {})
            for swing in swings[:most]
        ]
    ).set_index("Input")


def projection_table(model: CostModel, months: Sequence[int] = (1, 12, 24, 36)) -> pd.DataFrame:
    """The month's bill and all that was paid until then, by commitment."""
    rows: dict[int, dict[str, str]] = {month: {"Month (Σ: paid so far)": str(month)} for month in months}
    for term, label in TERM_NAMES.items():
        mark = flag(model, months=term)
        for found in project("reference", model.usage, model.prices, max(months), term):
            if found.number in rows:
                rows[found.number][label] = f"{found.monthly}{mark}"
                rows[found.number][f"Σ {label}"] = f"{dollars(found.cumulative.amount, 0)}{mark}"
    return pd.DataFrame(list(rows.values())).set_index("Month (Σ: paid so far)")


def recommendation_table(found: Sequence[Recommendation]) -> pd.DataFrame:
    """What to do, what it saves a month, and what has to be true first."""
    rows = []
    for change in found:
        mark = "" if change.confidence is Confidence.EXACT else DAGGER
        after = f"{change.bill_after}{DAGGER}" if change.bill_after else "a decision of its own"
        rows.append({"Do": change.title, "Saves a month": f"{change.saving}{mark}",
                     "Bill with all above": after, "Provided that": change.first})  # fmt: skip
    return pd.DataFrame(rows).set_index("Do")


def knee(model: CostModel, scenario: str = "reference") -> tuple[str, Decimal | None]:
    """What is paid before the first event, and the volume from which events cost more than that."""
    fixed = unit_costs.fixed_cost(scenario, model.usage, model.prices)
    return dollars(fixed.amount), unit_costs.knee_gb(scenario, model.usage, model.prices)
