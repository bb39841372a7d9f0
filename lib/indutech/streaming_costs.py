"""The streaming line alone: what the brokers cost with each service, against the volume of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from indutech import charges as c
from indutech.costs import Bill, Charge, hours, priced
from indutech.prices import PriceList
from indutech.scenarios import kept_gib, msk_serverless
from indutech.usage import Usage, just

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


def against_volume(
    usage: Usage, prices: PriceList, volumes: Sequence[int] = VOLUMES_GB
) -> list[tuple[int, dict[str, Bill]]]:
    """The same at several volumes, smallest first."""
    return [(volume, streaming_bills(usage, prices, volume)) for volume in sorted(volumes)]
