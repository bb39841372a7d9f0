"""What InduTech can change: each change is priced as the difference of two bills, with and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from indutech.architecture.quantities import TIB_IN_GIB
from indutech.costs import charges as c
from indutech.costs.alternatives import small_brokers, spark_by_the_hour, tiered
from indutech.costs.bill import ON_DEMAND, Bill, Charge, priced, weakest
from indutech.costs.inputs.measurement import MARK
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.prices import Confidence, PriceList
from indutech.costs.inputs.usage import Figure, Usage
from indutech.costs.model import CostModel
from indutech.costs.storage import layouts

Charges = list[Charge]


@dataclass(frozen=True)
class Change:
    """One thing to do: how it changes the charges, what has to be true first, and whether the design stays."""

    title: str
    first: str
    apply: Callable[[Charges], Charges]
    months: int = ON_DEMAND
    keeps_design: bool = True


@dataclass(frozen=True)
class Recommendation:
    """A change with the saving it brings alone, and the bill once it and all before it are done."""

    title: str
    first: str
    saving: Money
    bill_after: Money | None
    confidence: Confidence


def recommendations(model: CostModel) -> list[Recommendation]:
    """What to do about the reference, ranked."""
    return ranked(model.charges(), _changes(model), model.prices)


def ranked(base: Charges, changes: Iterable[Change], prices: PriceList) -> list[Recommendation]:
    """Changes that save, largest first, those that keep the design before those that replace a part of it.

    `bill_after` stacks the changes that keep the design; one that replaces a part is a decision of its own.
    """
    before = priced("before", base, prices)
    alone = [(change, priced(change.title, change.apply(base), prices, change.months)) for change in changes]
    alone = [(change, after) for change, after in alone if after.monthly_total < before.monthly_total]
    alone.sort(key=lambda pair: (not pair[0].keeps_design, pair[1].monthly_total.amount))
    stacked, months, result = base, ON_DEMAND, []
    for change, after in alone:
        bill_after = None
        if change.keeps_design:
            stacked, months = change.apply(stacked), max(months, change.months)
            bill_after = priced("stacked", stacked, prices, months).monthly_total
        saving = before.monthly_total - after.monthly_total
        result.append(Recommendation(change.title, change.first, saving, bill_after, _confidence(before, after)))
    return result


def _confidence(before: Bill, after: Bill) -> Confidence:
    """The weakest rate among the lines that differ."""
    old = {(line.price.price_id, line.effective_cost.amount): line.confidence for line in before.monthly}
    new = {(line.price.price_id, line.effective_cost.amount): line.confidence for line in after.monthly}
    changed = [level for key, level in (old | new).items() if (key in old) != (key in new)]
    return weakest(changed)


def _changes(model: CostModel) -> list[Change]:
    u = model.usage
    _, whole, asked, *_ = layouts(model)
    kept_share = asked.share / whole.share
    return [
        Change("Commit the warehouse for 1 year", "three months of use show that two nodes stay", lambda all_: all_,
               months=12),
        Change("Read the lake by column", f"the share read is measured on {MARK}: measure it on sensor files",
               lambda all_: _scaled(all_, "redshift_spectrum", kept_share)),
        Change("A smaller DMS instance, two zones kept", "a day of changes at peak stays under half its CPU",
               lambda all_: _replaced(all_, "dms", c.dms(u, "t3_medium", "multi"))),
        Change("Small MSK brokers in place of Redpanda", "nobody needs what only Redpanda does; same protocol",
               lambda all_: _replaced(all_, "redpanda", small_brokers(u)), keeps_design=False),
        Change("Spark by the hour", "an hour of delay is enough for the dashboards",
               lambda all_: _replaced(all_, "spark_compute", spark_by_the_hour(u))),
        Change("Intelligent-Tiering for the lake", "files are compacted: small ones cost more to watch than they save",
               lambda all_: _lake_tiered(all_, u)),
        Change("Compress the history by 2", "a sample of the real history was loaded and packs that well",
               lambda all_: _scaled(all_, "redshift_managed_storage", u["warehouse_compression"].base / 2)),
        Change("Athena on Iceberg in place of Redshift", "analysts accept seconds, and the BI tools are tried on it",
               lambda all_: _without_cluster(all_, u),
               keeps_design=False),
    ]  # fmt: skip


def _scaled(charges: Charges, price_id: str, factor: Decimal) -> Charges:
    return [replace(x, quantity=x.quantity * factor) if x.price_id == price_id else x for x in charges]


def _replaced(charges: Charges, component: str, by: Charges) -> Charges:
    return [x for x in charges if x.component != component or x.one_off] + by


def _lake_tiered(charges: Charges, u: Usage) -> Charges:
    kept = [x for x in charges if not (x.component == "s3_lake" and x.price_id == "s3_standard")]
    return kept + tiered("s3_lake", u("lake_tib") * TIB_IN_GIB + c.monthly_gib(u), u)


def _without_cluster(charges: Charges, u: Usage) -> Charges:
    scanned: Figure = next(x.quantity for x in charges if x.price_id == "redshift_spectrum")
    stored: Figure = next(x.quantity for x in charges if x.price_id == "redshift_managed_storage")
    athena = Charge("redshift", "athena_scan", scanned, "TB", "Athena in place of the cluster")
    return _replaced(charges, "redshift", [athena, *tiered("redshift", stored, u)])
