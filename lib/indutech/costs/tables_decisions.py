"""What moves the bill and what to do about it, as tables to read: sorted, rounded, with the doubt shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from indutech.costs import by_volume
from indutech.costs.measurement import MARK
from indutech.costs.model import CostModel, doubt
from indutech.costs.money import dollars
from indutech.costs.over_time import TERM_NAMES, TERMS, Commitment, commitment, project
from indutech.costs.prices import Confidence
from indutech.costs.recommendations import Recommendation
from indutech.costs.scenarios import SCENARIOS
from indutech.costs.sensitivity import Swing
from indutech.costs.storage import Archive, Layout
from indutech.costs.tables import DAGGER
from indutech.costs.transfers import exits, migration


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
            for found in by_volume.against_volume(scenario, model.usage, model.prices)
        ]
    ).set_index("Events, GB")


def streaming_table(model: CostModel) -> pd.DataFrame:
    """The streaming line with each service against volume."""
    rows = by_volume.streaming_against_volume(model.usage, model.prices)
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


def break_even(model: CostModel, scenario: str = "reference") -> tuple[str, Decimal | None]:
    """What is paid before the first event, and the volume from which events cost more than that."""
    fixed = by_volume.fixed_cost(scenario, model.usage, model.prices)
    return dollars(fixed.amount), by_volume.break_even_gb(scenario, model.usage, model.prices)


def migration_table(model: CostModel) -> pd.DataFrame:
    """The history into AWS: days and money by link."""
    moves = migration(model.usage, model.prices, model.bill("reference"))
    mark = flag(model)
    return pd.DataFrame(
        [
            {
                "Link": move.link,
                "Days": f"{move.days:.1f}",
                "Port": str(move.port),
                "DataSync": str(move.copying),
                "Inbound traffic": "free",
                "Move in all": str(move.total),
                "Platform's own bill meanwhile": f"{move.platform_meanwhile}{mark}",
            }
            for move in moves
        ]
    ).set_index("Link")


def exit_table(model: CostModel) -> pd.DataFrame:
    """Everything out of AWS: days and money by link."""
    return pd.DataFrame(
        [
            {"Way out": way.way, "TiB": f"{way.gib / 1024:,.0f}", "Days": f"{way.days:.1f}",
             "Traffic": str(way.traffic), "Port": str(way.port), "Exit in all": str(way.total)}
            for way in exits(model.usage, model.prices)
        ]
    ).set_index("Way out")  # fmt: skip


def layout_table(layouts: Sequence[Layout]) -> pd.DataFrame:
    """What the month's scans would cost in each layout, with the bracket of the text."""
    return pd.DataFrame(
        [
            {
                "Layout": layout.name,
                f"Read, {MARK}": f"{layout.share * 100:.2f} %",
                "Bracket": (f"{layout.share_pooled * 100:.2f} – {layout.share_incompressible * 100:.2f} %"),
                "Spectrum, low": str(layout.spectrum_month_low),
                "Spectrum, base": f"{layout.spectrum_month}{DAGGER}",
                "Athena": str(layout.athena_month),
            }
            for layout in layouts
        ]
    ).set_index("Layout")


def archive_table(by_size: Sequence[tuple[str, Sequence[Archive]]]) -> pd.DataFrame:
    """The cold part of the lake in each class, at two sizes of object."""
    return pd.DataFrame(
        [
            {
                "Objects of": size,
                "Class": found.kept_in.name,
                "A month": str(found.month),
                "Moved once": str(found.move_once),
                "Pays after": _months(found),
                "Read once": str(found.read_once),
                "Least days": str(found.kept_in.least_days or "–"),
                "Spectrum": "reads it" if found.kept_in.spectrum_reads_it else "cannot read it",
            }
            for size, archives in by_size
            for found in archives
        ]
    ).set_index(["Objects of", "Class"])


def _months(found: Archive) -> str:
    if not found.kept_in.transition:
        return "–"
    if not found.moved and found.kept_in.name == "Intelligent-Tiering":
        return "never: too small to be moved"
    if found.pays_after_months is None:
        return "never"
    return "under a month" if found.pays_after_months < 1 else f"{found.pays_after_months:,.0f} months"


def measurement_table(model: CostModel) -> pd.DataFrame:
    """What the proof of concept measured, with its bracket and its mark."""
    m = model.measurement
    json, parquet, noise, pool = (
        m.json_bytes_per_ticket, m.parquet_bytes_per_ticket, m.bracket.incompressible, m.bracket.pooled
    )  # fmt: skip
    speed = f"{m.tickets_per_core_second:,}" if m.tickets_per_core_second else "not measured: too few tickets"
    rows = [
        ("JSON bytes a ticket", f"{json:.1f}", "–"),
        ("Parquet bytes a ticket", f"{parquet:.1f}", f"{pool} – {noise}"),
        ("JSON over Parquet", f"{json / parquet:.1f} ×", f"{json / noise:.1f} – {json / pool:.1f} ×"),
        ("Tickets a core and second", speed, "–"),
        ("Files a micro-batch", f"{Decimal(m.files) / m.batches:.1f}", "–"),
    ]  # fmt: skip
    columns = ["Measured", f"On {m.tickets:,} {m.mark}", "With incompressible or pooled text"]
    return pd.DataFrame(rows, columns=columns).set_index("Measured")
