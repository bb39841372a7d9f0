"""Moving, storing and archiving as tables to read, and what the proof of concept measured for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from indutech.cost_model import CostModel
from indutech.cost_tables import DAGGER
from indutech.decision_tables import flag
from indutech.measurement import MARK
from indutech.moving import exits, migration
from indutech.storage_worth import Archive, Layout


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
