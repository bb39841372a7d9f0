"""What is measured, moved and stored as tables of text: the proof of concept, the history's way, layouts, archives."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from indutech.architecture.quantities import TIB_IN_GIB
from indutech.costs.inputs.measurement import MARK
from indutech.costs.inputs.money import dollars
from indutech.costs.model import CostModel
from indutech.costs.storage import TICKETS_KEPT, Archive, archives, layouts, questions, readings_kept
from indutech.costs.transfers import exits, meanwhile, migration
from indutech.costs.views.tables import marked
from indutech.show.tables import from_rows

SMALL_OBJECT_MIB = Decimal("0.0625")  # what a lake of uncompacted micro-batches looks like


def migration_table(model: CostModel) -> pd.DataFrame:
    """The history into AWS: days and money by link."""
    reference = model.bill()
    return from_rows(
        {
            "Link": move.link,
            "Days": f"{move.days:.1f}",
            "Port": move.port,
            "DataSync": move.traffic,
            "Inbound traffic": "free",
            "Move in all": move.total,
            "Platform's own bill meanwhile": marked(meanwhile(model, move.days), reference),
        }
        for move in migration(model)
    )


def exit_table(model: CostModel) -> pd.DataFrame:
    """Everything out of AWS: days and money by link."""
    return from_rows(
        {"Way out": way.link, "TiB": f"{way.gib / TIB_IN_GIB:,.0f}", "Days": f"{way.days:.1f}", "Traffic": way.traffic,
         "Port": way.port, "Exit in all": way.total}
        for way in exits(model)
    )  # fmt: skip


def measurement_table(model: CostModel) -> pd.DataFrame:
    """What the proof of concept measured, with its bracket and its mark."""
    m = model.measurement
    json, parquet, noise, pool = (
        m.json_bytes_per_ticket, m.parquet_bytes_per_ticket, m.bracket.incompressible, m.bracket.pooled
    )  # fmt: skip
    speed = f"{m.tickets_per_core_second:,}" if m.tickets_per_core_second else "not measured: too few tickets"
    rows = [
        ("JSON bytes a ticket", f"{json:.1f}", None),
        ("Parquet bytes a ticket", f"{parquet:.1f}", f"{pool} – {noise}"),
        ("JSON over Parquet", f"{json / parquet:.1f} ×", f"{json / noise:.1f} – {json / pool:.1f} ×"),
        ("Tickets a core and second", speed, None),
        ("Files a micro-batch", f"{Decimal(m.files) / m.batches:.1f}", None),
    ]
    headings = ["Measured", f"On {m.tickets:,} {m.mark}", "With incompressible or pooled text"]
    return from_rows(dict(zip(headings, row, strict=True)) for row in rows)


def sensor_table(model: CostModel) -> pd.DataFrame:
    """What a generated reading takes as JSON, on the broker and in the lake, and how far that goes."""
    sizes, noise = model.readings, model.questions.readings_incompressible
    json, broker, parquet = (
        Decimal(size) / sizes.readings for size in (sizes.json_bytes, sizes.broker_bytes, sizes.parquet_bytes)
    )
    rows = [
        ("JSON bytes a reading", f"{json:.1f}", None),
        ("Bytes a reading on the broker, lz4", f"{broker:.1f}", None),
        ("Parquet bytes a reading", f"{parquet:.1f}", f"{noise}"),
        ("JSON over Parquet", f"{json / parquet:.1f} ×", f"{json / noise:.1f} ×"),
    ]
    headings = ["Measured", f"On {sizes.readings:,} generated readings", "With incompressible values"]
    return from_rows(dict(zip(headings, row, strict=True)) for row in rows)


def sensors_measured(model: CostModel) -> str:
    """When and by what, and what a month of the stated volume becomes in the lake."""
    sizes, usage = model.readings, model.usage
    stated, packed = usage["sensor_gb_month"].base, usage["sensor_compression"].base
    return (
        f"Sizes: {sizes.measured_on}, `{sizes.made_by}`; questions and incompressible values: "
        f"{model.questions.measured_on}, `{model.questions.made_by}`. The stated {stated} GB a month are "
        f"{stated / packed:.2f} GB of the lake."
    )


def question_table(model: CostModel) -> pd.DataFrame:
    """What each question of notebook 07 reads and costs at the platform's volume, in place and from loaded tables."""
    return from_rows(
        {
            "Question": asked.name,
            "Bytes of a ticket": f"{asked.bytes_each['tickets']:.1f}",
            "Bytes of a reading": f"{asked.bytes_each['readings']:.2f}",
            "Read, GB": f"{asked.read_bytes / 10**9:,.3f}",
            "Spectrum, asked 1,000 times": marked(asked.once * 1000),
            "Loaded tables, a month": f"{dollars(asked.loaded_month.amount, 3)} †",
            "Loaded is cheaper from": f"{asked.pays_from:,} times a month",
        }
        for asked in questions(model)
    )


def questions_in_words(model: CostModel) -> str:
    """Over how much the questions are asked, and how many of them the stated scans are."""
    largest = max(questions(model), key=lambda asked: asked.read_bytes)
    scanned = model.usage["spectrum_tb_month"].base
    return (
        f"Over {readings_kept(model) / 10**9:.1f} billion readings ({model.usage['days_kept'].base} days of the "
        f"stated volume) and {TICKETS_KEPT:,} tickets. The stated {scanned} TB a month are "
        f"{scanned * 10**12 / largest.read_bytes:,.0f} times the largest of them."
    )


def layout_table(model: CostModel) -> pd.DataFrame:
    """What the month's scans would cost in each layout, with the bracket of the text."""
    return from_rows(
        {
            "Layout": layout.name,
            f"Read, {MARK}": f"{layout.share * 100:.2f} %",
            "Bracket": f"{layout.share_pooled * 100:.2f} – {layout.share_incompressible * 100:.2f} %",
            "Read, generated readings": f"{layout.share_readings * 100:.2f} %",
            "Spectrum, low": layout.spectrum_month_low,
            "Spectrum, base": marked(layout.spectrum_month),
            "Athena": layout.athena_month,
        }
        for layout in layouts(model)
    )


def archive_table(model: CostModel) -> pd.DataFrame:
    """The cold part of the lake in each storage class, for objects as assumed and for small ones."""
    usual = model.usage["lake_object_mib"].base
    return from_rows(
        {
            "Objects of": size,
            "Class": found.kept_in.name,
            "A month": found.month,
            "Moved once": found.move_once,
            "Pays after": _months(found),
            "Read once": found.read_once,
            "Kept at least, days": found.kept_in.least_days or None,
            "Spectrum": "reads it" if found.kept_in.spectrum_reads_it else "cannot read it",
        }
        for size, object_mib in ((f"{usual:f} MiB", usual), (f"{SMALL_OBJECT_MIB * 1024:.0f} KiB", SMALL_OBJECT_MIB))
        for found in archives(model, object_mib)
    )


def _months(found: Archive) -> str | None:
    if not found.kept_in.transition:
        return None
    if not found.moved and found.kept_in.name == "Intelligent-Tiering":
        return "never: too small to be moved"
    if found.pays_after_months is None:
        return "never"
    return "under a month" if found.pays_after_months < 1 else f"{found.pays_after_months:,.0f} months"
