"""Unit economics: what a million events, a gigabyte, a queried terabyte and a user cost, against volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from indutech.costs import charges as c
from indutech.costs.bill import Bill, Charge, hours, priced
from indutech.costs.charges import events_per_month
from indutech.costs.money import Money
from indutech.costs.prices import PriceList
from indutech.costs.scenarios import bill, kept_gib, msk_serverless
from indutech.costs.usage import Usage, just

VOLUMES_GB = (10, 50, 200, 1_000, 5_000, 20_000, 100_000)
_FARTHEST_GB = 10**8


@dataclass(frozen=True)
class UnitCosts:
    """The monthly bill at one volume, divided by what it serves."""

    volume_gb: Decimal
    monthly_total: Money
    per_million_events: Money
    per_gb_ingested: Money
    per_tb_queried: Money
    per_user: Money


def unit_costs(scenario: str, usage: Usage, prices: PriceList, volume_gb: Decimal | int) -> UnitCosts:
    """Unit costs of a scenario at a monthly volume of events.

    A queried terabyte carries the warehouse (nodes, storage, Spectrum), the others the whole bill.
    """
    at_volume = usage.having(sensor_gb_month=volume_gb)
    found = bill(scenario, at_volume, prices)
    total, warehouse = found.monthly_total, found.by(lambda line: line.component)["redshift"]
    return UnitCosts(
        volume_gb=Decimal(volume_gb),
        monthly_total=total,
        per_million_events=Money(total.amount / (events_per_month(at_volume).value / 10**6)),
        per_gb_ingested=Money(total.amount / Decimal(volume_gb)),
        per_tb_queried=Money(warehouse.amount / usage["spectrum_tb_month"].base),
        per_user=Money(total.amount / usage["users"].base),
    )


def against_volume(
    scenario: str, usage: Usage, prices: PriceList, volumes: Sequence[int] = VOLUMES_GB
) -> list[UnitCosts]:
    """Unit costs at several volumes, smallest first."""
    return [unit_costs(scenario, usage, prices, volume) for volume in sorted(volumes)]


def fixed_cost(scenario: str, usage: Usage, prices: PriceList) -> Money:
    """What a month costs before the first event."""
    return bill(scenario, usage.having(sensor_gb_month=0), prices).monthly_total


def break_even_gb(scenario: str, usage: Usage, prices: PriceList) -> Decimal | None:
    """The monthly volume from which events cost more than what is paid without any, to 1 %; None if they never do."""
    twice = fixed_cost(scenario, usage, prices) * 2

    def outweighs(volume: Decimal) -> bool:
        return twice < bill(scenario, usage.having(sensor_gb_month=volume), prices).monthly_total

    low, high = Decimal(1), Decimal(_FARTHEST_GB)
    if not outweighs(high):
        return None
    while high - low > high / 100:  # the bill only rises with the volume, so halving finds the place
        middle = ((low + high) / 2).to_integral_value()
        low, high = (low, middle) if outweighs(middle) else (middle, high)
    return high


VOLUMES_GB = (10, 50, 200, 1_000, 5_000, 20_000, 100_000)


def msk_provisioned(u: Usage) -> list[Charge]:
    """Three or more m7g.large brokers; copies between brokers are not billed, clients crossing zones are."""
    brokers = (c.peak_mb_s(u) * u("brokers") / u("broker_mb_s")).ceil(at_least=u("brokers"))
    disk = (kept_gib(u) * u("brokers")).ceil() + brokers * 10
    crossings = (just(2) / 3 + u("consumer_reads") * 2 / 3) * 2
    return [
        Charge("redpanda", "msk_m7g_large", hours(brokers), "Hours", "Brokers"),
        Charge("redpanda", "msk_storage", disk, "GB-Months", "Three copies and 10 GB of room a broker"),
        Charge("redpanda", "inter_zone", c.events_gib(u) * crossings, "GB", "Producers and readers crossing zones"),
    ]


def kinesis_on_demand(u: Usage) -> list[Charge]:
    """A stream that sizes itself; a day of retention is in the price, the rate of further days was not found."""
    return [
        Charge("redpanda", "kinesis_stream", hours(just(1)), "Hours", "One stream"),
        Charge("redpanda", "kinesis_in", c.events_gib(u), "GB", "Events in"),
        Charge("redpanda", "kinesis_out", c.events_gib(u) * u("consumer_reads"), "GB", "Events read"),
    ]


def kinesis_provisioned(u: Usage) -> list[Charge]:
    """Shards of 1 MB/s, two at least; each event is at least one payload unit unless the producer packs them."""
    shards = c.peak_mb_s(u).ceil(at_least=2)
    return [
        Charge("redpanda", "kinesis_shard", hours(shards), "Shard-Hours", "1 MB/s each"),
        Charge("redpanda", "kinesis_put_units", c.events_per_month(u) / 10**6, "Million Units", "One unit an event"),
    ]


OPTIONS: dict[str, Callable[[Usage], list[Charge]]] = {
    "Redpanda": c.redpanda,
    "MSK provisioned": msk_provisioned,
    "MSK Serverless": msk_serverless,
    "Kinesis on demand": kinesis_on_demand,
    "Kinesis provisioned": kinesis_provisioned,
}


def streaming_bills(usage: Usage, prices: PriceList, volume_gb: Decimal | int) -> dict[str, Bill]:
    """The bill of the streaming line with each service at a monthly volume."""
    at_volume = usage.having(sensor_gb_month=volume_gb)
    return {name: priced(name, charges(at_volume), prices) for name, charges in OPTIONS.items()}


def streaming_against_volume(
    usage: Usage, prices: PriceList, volumes: Sequence[int] = VOLUMES_GB
) -> list[tuple[int, dict[str, Bill]]]:
    """The same at several volumes, smallest first."""
    return [(volume, streaming_bills(usage, prices, volume)) for volume in sorted(volumes)]
