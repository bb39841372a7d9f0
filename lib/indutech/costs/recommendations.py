"""What InduTech can change: each change is priced as the difference of two bills, with and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from indutech.costs import charges as c
from indutech.costs.alternatives import athena, small_brokers, spark_by_the_hour
from indutech.costs.bill import ON_DEMAND, Bill, Charge, priced, weakest
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.prices import Confidence, PriceList
from indutech.costs.inputs.usage import Usage
from indutech.costs.model import CostModel
from indutech.costs.storage import layouts

Charges = list[Charge]


class Kind(StrEnum):
    """What a recommendation is: somebody acts, somebody measures, or the platform promises less or something else."""

    ACTION = "action"
    MEASURE = "assumption to measure"
    SERVICE = "change of service level"


@dataclass(frozen=True)
class Change:
    """One thing to do: how it changes the charges, what has to be true first, and of what kind it is."""

    title: str
    first: str
    apply: Callable[[Charges], Charges]
    months: int = ON_DEMAND
    kind: Kind = Kind.ACTION


@dataclass(frozen=True)
class Recommendation:
    """A change with the saving it brings alone, and the bill once it and all before it are done."""

    title: str
    first: str
    kind: Kind
    saving: Money
    bill_after: Money | None
    confidence: Confidence


@dataclass(frozen=True)
class KindSaving:
    """What all changes of a kind save together, on top of the kinds before; None where they exclude each other."""

    kind: Kind
    changes: int
    saving: Money | None
    bill_after: Money | None


def recommendations(model: CostModel) -> list[Recommendation]:
    """What to do about the reference, ranked."""
    return ranked(model.charges(), _changes(model), model.prices)


def ranked(base: Charges, changes: Iterable[Change], prices: PriceList) -> list[Recommendation]:
    """Changes that save: actions, then assumptions, then changes of service level, the largest saving first in each.

    `bill_after` stacks actions and assumptions. A change of service level is a decision of its own: nobody has to
    make it, and some of them exclude each other.
    """
    before = priced("before", base, prices)
    alone = [(change, priced(change.title, change.apply(base), prices, change.months)) for change in changes]
    alone = [(change, after) for change, after in alone if after.monthly_total < before.monthly_total]
    alone.sort(key=lambda pair: (list(Kind).index(pair[0].kind), pair[1].monthly_total.amount))
    stacked, months, result = base, ON_DEMAND, []
    for change, after in alone:
        bill_after = None
        if change.kind is not Kind.SERVICE:
            stacked, months = change.apply(stacked), max(months, change.months)
            bill_after = priced("stacked", stacked, prices, months).monthly_total
        saving = before.monthly_total - after.monthly_total
        confidence = _confidence(before, after)
        result.append(Recommendation(change.title, change.first, change.kind, saving, bill_after, confidence))
    return result


def by_kind(before: Money, found: Iterable[Recommendation]) -> list[KindSaving]:
    """The savings of each kind: what its changes take off the bill together, once the kinds before are done."""
    result, bill, all_ = [], before, list(found)
    for kind in Kind:
        own = [one for one in all_ if one.kind is kind]
        after = own[-1].bill_after if own else bill
        result.append(KindSaving(kind, len(own), bill - after if after else None, after))
        bill = after or bill
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
    kept_share = asked.share_readings / whole.share_readings  # what the lake grows by is readings
    return [
        Change("RG nodes in place of RA3", "the rate in Paris is the inferred one; before any commitment to RA3, which "
               "would stand in the way", _on_rg),
        Change("Commit nodes and instances for 1 year", "three months of use show that they stay", lambda all_: all_,
               months=12),
        Change("A smaller DMS instance, two zones kept", "a day of changes at peak stays under half its CPU",
               lambda all_: _replaced(all_, "dms", c.dms(u, "t3_medium", "multi"))),
        Change("Compress the history by 2", "a sample of the real history was loaded and packs that well",
               lambda all_: _scaled(all_, ("redshift_managed_storage", "backup_redshift"),
                                    u["warehouse_compression"].base / 2), kind=Kind.MEASURE),
        Change("Read the lake by column", "the share read is measured on generated readings: measure it on real ones; "
               "on RG nodes it saves time and no money", lambda all_: _scaled(all_, ("redshift_spectrum",), kept_share),
               kind=Kind.MEASURE),
        Change("Questions read the last days only", "days are partitions and the questions name them: under the stated "
               "scans nothing stays unread, and Intelligent-Tiering moves nothing", lambda all_: _old_unread(all_, u),
               kind=Kind.MEASURE),
        Change("Spark by the hour", "gives up real time: the dashboards are up to an hour old, and no second instance "
               "takes over", lambda all_: _replaced(all_, "spark_compute", spark_by_the_hour(u)), kind=Kind.SERVICE),
        Change("Small MSK brokers in place of Redpanda", "replaces what was given; AWS asks for a proof of concept "
               "before T3 carries production", lambda all_: _replaced(all_, "redpanda", small_brokers(u)),
               kind=Kind.SERVICE),
        Change("Athena on Iceberg in place of Redshift", "replaces what was given; analysts accept seconds, the BI "
               "tools are tried on it, and Object Lock protects the history", lambda all_: _without_cluster(all_, u),
               kind=Kind.SERVICE),
    ]  # fmt: skip


def _on_rg(charges: Charges) -> Charges:
    return [
        replace(x, price_id="redshift_rg_xlarge") if x.price_id == "redshift_ra3_xlplus" else x
        for x in charges if x.price_id != "redshift_spectrum"
    ]  # fmt: skip


def _scaled(charges: Charges, price_ids: Iterable[str], factor: Decimal) -> Charges:
    return [replace(x, quantity=x.quantity * factor) if x.price_id in price_ids else x for x in charges]


def _replaced(charges: Charges, component: str, by: Charges) -> Charges:
    return [x for x in charges if x.component != component or x.one_off] + by


def _old_unread(charges: Charges, u: Usage) -> Charges:
    """The lake's storage if what is old stays unread; what the scans themselves cost is another assumption."""
    seldom = u.having(spectrum_tb_month=u["spectrum_tb_month"].low)
    return _replaced(charges, "s3_lake", c.s3_lake(seldom))


def _without_cluster(charges: Charges, u: Usage) -> Charges:
    return _replaced([x for x in charges if x.price_id != "backup_redshift"], "redshift", athena(u))
