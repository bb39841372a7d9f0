"""How the data is stored: bytes that questions read in each layout and cost, and what each archive class costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from indutech.architecture.quantities import GIB, TIB_IN_GIB
from indutech.costs.charges import DAYS_PER_MONTH, events_per_month
from indutech.costs.inputs.measurement import Measurement
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.prices import PriceList
from indutech.costs.inputs.questions import GROWING
from indutech.costs.model import CostModel

MIB_IN_KIB = 1024
GIB_IN_KIB = 1024 * 1024
LEAST_WATCHED_KIB = 128
# A query of Spectrum is charged by the megabyte begun, and for ten at least: [spectrum-least] in bibliography.toml.
MEGABYTE = 10**6
LEAST_CHARGED = 10 * MEGABYTE
TICKETS_KEPT = 1_000_000  # nobody stated how many there are: what a question of tickets costs is said for a million


@dataclass(frozen=True)
class Layout:
    """The share of the JSON bytes that questions read in one layout, also if the text packed better or worse.

    `share_readings` is the same for sensor readings and the questions about them; the money is that of the tickets.
    """

    name: str
    share: Decimal
    share_pooled: Decimal
    share_incompressible: Decimal
    share_readings: Decimal
    spectrum_month_low: Money
    spectrum_month: Money
    athena_month: Money


def layouts(model: CostModel) -> list[Layout]:
    """The month's scans if they were of JSON, of whole Parquet files, of the columns asked, of the days asked.

    The measured bytes come from generated tickets and readings; how many days a question asks for is an assumption,
    because the proof of concept holds a single day.
    """
    m, usage = model.measurement, model.usage
    text, pooled, noise = m.parquet_bytes_per_ticket, m.bracket.pooled, m.bracket.incompressible
    columns = [_columns_share(m, extra) for extra in (Decimal(0), pooled - text, noise - text)]
    whole = [value / m.json_bytes_per_ticket for value in (text, pooled, noise)]
    days = usage["days_asked"].base / usage["days_kept"].base
    packed = Decimal(model.readings.parquet_bytes) / model.readings.json_bytes
    named = packed * model.questions.share_of_columns("readings")
    shares = {
        "JSON": [Decimal(1)] * 4,
        "Parquet": [*whole, packed],
        "Parquet, columns asked": [*columns, named],
        "Parquet, columns and days asked": [share * days for share in (*columns, named)],
    }
    return [_layout(name, found, model) for name, found in shares.items()]


def _columns_share(m: Measurement, extra_text_bytes: Decimal) -> Decimal:
    """Bytes read over JSON bytes, averaged over the questions; only those that read the text feel how it packs."""
    per_question = [
        Decimal(q.bytes_scanned) / m.tickets + (extra_text_bytes if "request" in q.columns else 0) for q in m.questions
    ]
    return max(sum(per_question, Decimal(0)), Decimal(0)) / len(per_question) / m.json_bytes_per_ticket


def _layout(name: str, shares: list[Decimal], model: CostModel) -> Layout:
    prices, scanned = model.prices, model.usage["spectrum_tb_month"].base * shares[0]
    low, spectrum, athena = (
        price.cost(scanned, "TB").cents()
        for price in (prices["redshift_spectrum"].at("low"), prices["redshift_spectrum"], prices["athena_scan"])
    )
    tickets, pooled, noise, readings = shares
    return Layout(name, tickets, pooled, noise, readings, low, spectrum, athena)


def spectrum_charge(read: Decimal | int, prices: PriceList) -> Money:
    """What Spectrum charges for one query that reads so many bytes."""
    begun = (Decimal(read) / MEGABYTE).to_integral_value(ROUND_CEILING) * MEGABYTE
    return prices["redshift_spectrum"].cost(max(Decimal(LEAST_CHARGED), begun) / 10**12, "TB")


@dataclass(frozen=True)
class Asked:
    """A question of notebook 07 over a year of readings and a million tickets: read in place, or from loaded tables.

    `bytes_each` has the bytes that it reads of a ticket and of a reading; `pays_from` is how often a month it must be
    asked until the storage of the loaded tables costs less than reading them in place.
    """

    name: str
    bytes_each: dict[str, Decimal]
    read_bytes: Decimal
    once: Money
    loaded_bytes: Decimal
    loaded_month: Money
    pays_from: int


def questions(model: CostModel) -> list[Asked]:
    """Each question at the platform's volume, from the bytes that it was counted to read.

    Loaded tables are taken to be as large as in Parquet; the nodes that answer from them are paid either way.
    """
    counted = model.questions
    kept = readings_kept(model)
    rows = {"tickets": Decimal(TICKETS_KEPT), "readings": kept}
    found = []
    for question in counted.questions:
        read, stored = counted.bytes_at(question, rows), counted.stored_at(question, rows)
        once = spectrum_charge(read, model.prices)
        month = model.prices["redshift_managed_storage"].cost(stored / GIB, "GB-Months")
        each = {name: Decimal(question.bytes_read.get(name, 0)) / counted.tables[name].rows for name in GROWING}
        pays_from = int((month.amount / once.amount).to_integral_value(ROUND_CEILING))
        found.append(Asked(question.name, each, read, once, stored, month, pays_from))
    return found


def readings_kept(model: CostModel) -> Decimal:
    """Readings of as many days as are kept, at the stated volume and the measured size of one."""
    return events_per_month(model.usage).value * model.usage["days_kept"].base / DAYS_PER_MONTH


@dataclass(frozen=True)
class StorageClass:
    """A storage class of S3: its rates, and the duration, size and overhead per object that it bills."""

    name: str
    storage: str
    transition: str
    retrieval: str
    least_days: int
    least_kib: int
    overhead_kib: int
    listed_kib: int  # of name and metadata, at the rate of Standard
    spectrum_reads_it: bool


CLASSES = (
    StorageClass("Standard", "s3_standard", "", "", 0, 0, 0, 0, True),
    StorageClass("Intelligent-Tiering", "s3_int_archive_instant", "s3_to_int", "", 0, 0, 0, 0, True),
    StorageClass("Glacier Instant", "s3_glacier_instant", "s3_to_glacier_instant", "s3_retrieve_instant",
                 90, 128, 0, 0, True),
    StorageClass("Glacier Flexible", "s3_glacier_flexible", "s3_to_glacier_flexible", "s3_retrieve_flexible",
                 90, 0, 32, 8, False),
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """The cold part of the lake in one class: what it costs to keep, to move there and to read once."""

    kept_in: StorageClass
    moved: bool
    month: Money
    move_once: Money
    read_once: Money
    pays_after_months: Decimal | None


def archives(model: CostModel, object_mib: Decimal | None = None) -> list[Archive]:
    """Each class for the cold part of the lake, at a mean object size; None: the assumed one.

    `pays_after_months` is the break-even of the move, None when there is none. Objects below 128 KB are not
    moved by a lifecycle rule unless it says so, and Intelligent-Tiering never moves them.
    """
    usage, prices = model.usage, model.prices
    gib = usage["lake_tib"].base * TIB_IN_GIB * usage["cold_share"].base
    object_kib = (object_mib or usage["lake_object_mib"].base) * MIB_IN_KIB
    objects = gib * GIB_IN_KIB / object_kib
    standard = prices["s3_standard"].cost(gib, "GB-Months")
    found = []
    for kind in CLASSES:
        billed = gib * (max(object_kib, Decimal(kind.least_kib)) + kind.overhead_kib) / object_kib
        month = prices[kind.storage].cost(billed, "GB-Months")
        month = month + prices["s3_standard"].cost(gib * kind.listed_kib / object_kib, "GB-Months")
        if kind.name == "Intelligent-Tiering" and object_kib < LEAST_WATCHED_KIB:
            month = standard
        elif kind.name == "Intelligent-Tiering":
            month = month + prices["s3_int_monitoring"].cost(objects / 1000, "1000 Objects-Months")
        nothing = Money(Decimal(0))
        move = prices[kind.transition].cost(objects / 1000, "1000 Requests") if kind.transition else nothing
        read = prices[kind.retrieval].cost(gib, "GB") if kind.retrieval else nothing
        saved = (standard - month).amount
        pays = move.amount / saved if saved > 0 else None
        moved = object_kib >= LEAST_WATCHED_KIB
        pays = pays if kind.transition else None
        found.append(Archive(kind, moved, month.cents(), move.cents(), read.cents(), pays))
    return found
