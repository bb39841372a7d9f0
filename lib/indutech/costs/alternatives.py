"""What can stand in the place of a component: other services for the same job, each as a list of charges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from indutech.costs import charges as c
from indutech.costs.bill import Charge, hours
from indutech.costs.inputs.usage import Figure, Usage, just


def kept_gib(u: Usage) -> Figure:
    """Events on the brokers at any time."""
    return c.events_gib(u) * u("retention_days") / c.DAYS_PER_MONTH


def small_brokers(u: Usage) -> list[Charge]:
    """The smallest MSK brokers; AWS asks for a proof of concept before T3 carries production."""
    brokers = (c.peak_mb_s(u) * u("brokers") / u("small_broker_mb_s")).ceil(at_least=u("brokers"))
    disk = (kept_gib(u) * u("brokers")).ceil(at_least=u("brokers") * 10)
    return [
        Charge("redpanda", "msk_t3_small", hours(brokers), "Hours", "MSK t3.small in place of Redpanda: same protocol"),
        Charge("redpanda", "msk_storage", disk, "GB-Months", "Three copies, 10 GB a broker at least"),
    ]


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


def msk_serverless(u: Usage) -> list[Charge]:
    """The streaming line on MSK Serverless: cluster, partitions, traffic, storage."""
    gib = c.events_gib(u)
    partitions = (c.peak_mb_s(u) / 5).ceil(at_least=4)  # 5 MB/s is what a partition of MSK Serverless takes in
    return [
        Charge("redpanda", "msk_serverless_cluster", hours(just(1)), "Hours", "MSK Serverless in place of Redpanda"),
        Charge(
            "redpanda", "msk_serverless_partition", hours(partitions), "Partition-Hours", "At least four partitions"
        ),
        Charge("redpanda", "msk_serverless_in", gib, "GB", "Events in", grows=True),
        Charge("redpanda", "msk_serverless_out", gib * u("consumer_reads"), "GB", "Events read", grows=True),
        Charge("redpanda", "msk_serverless_storage", kept_gib(u), "GB-Months", "Events kept", grows=True),
    ]


def kinesis_on_demand(u: Usage) -> list[Charge]:
    """A stream that sizes itself; a day of retention is in the price, the rate of further days was not found."""
    kib = (u("event_bytes") / 1024).ceil(at_least=1)
    billed_gib = c.events_per_month(u) * kib / 1024**2
    return [
        Charge("redpanda", "kinesis_stream", hours(just(1)), "Hours", "One stream"),
        Charge("redpanda", "kinesis_in", billed_gib, "GB", "Events in: each one rounded up to whole KB"),
        Charge("redpanda", "kinesis_out", c.events_gib(u) * u("consumer_reads"), "GB", "Events read"),
    ]


def kinesis_provisioned(u: Usage) -> list[Charge]:
    """Shards of 1 MB/s, two at least; each event is at least one payload unit unless the producer packs them."""
    shards = c.peak_mb_s(u).ceil(at_least=2)
    return [
        Charge("redpanda", "kinesis_shard", hours(shards), "Shard-Hours", "1 MB/s each"),
        Charge("redpanda", "kinesis_put_units", c.events_per_month(u) / 10**6, "Million Units", "One unit an event"),
    ]


STREAMING: dict[str, Callable[[Usage], list[Charge]]] = {
    "Redpanda": c.redpanda,
    "MSK t3.small": small_brokers,
    "MSK m7g.large": msk_provisioned,
    "MSK Serverless": msk_serverless,
    "Kinesis on demand": kinesis_on_demand,
    "Kinesis provisioned": kinesis_provisioned,
}


def redshift_rg(u: Usage) -> list[Charge]:
    """RG nodes, as many as RA3 nodes of the same size; they read the lake themselves, so no scan is billed."""
    return [
        replace(charge, price_id="redshift_rg_xlarge", why="RG nodes; they read the lake on their own cores")
        if charge.price_id == "redshift_ra3_xlplus" else charge
        for charge in c.redshift(u) if charge.price_id != "redshift_spectrum"
    ]  # fmt: skip


def redshift_serverless(u: Usage) -> list[Charge]:
    """The same SQL, paid while it works."""
    return [
        Charge("redshift", "redshift_serverless_rpu", u("serverless_rpu") * u("serverless_hours_month"), "RPU-Hours",
               "Working hours; scans of the lake are included"),
        Charge("redshift", "redshift_managed_storage", c.warehouse_gib(u), "GB-Months", "The history", grows=True),
    ]  # fmt: skip


def athena(u: Usage) -> list[Charge]:
    """No cluster: the history as Iceberg tables in S3, each question paid by what it scans."""
    return [
        Charge("redshift", "athena_scan", u("spectrum_tb_month"), "TB", "Athena on Iceberg, not Redshift"),
        *c.tiered("redshift", c.warehouse_gib(u), u),
    ]


def ad_connector(u: Usage) -> list[Charge]:
    """A proxy to the plant's directory."""
    return [Charge("managed_ad", "ad_connector_small", hours(just(1)), "Hours", "Sign-on needs the plant's link")]


def own_controllers(u: Usage) -> list[Charge]:
    """Two domain controllers on Windows instances, one in each of two zones."""
    return [
        Charge("managed_ad", "own_dc_windows", hours(just(2)), "Hours", "Two controllers with the Windows licence"),
        Charge("managed_ad", "ebs_gp3", just(2) * 50, "GB-Months", "Volumes of 50 GB"),
    ]


def entra(u: Usage) -> list[Charge]:
    """A plan of Entra ID for each person who queries."""
    return [Charge("managed_ad", "entra_p1", u("users"), "Users-Months", "Plan P1 for whoever signs in")]


def direct_connect(u: Usage) -> list[Charge]:
    """A hosted port and what leaves through it; the partner's own line comes on top and was not priced."""
    return [
        Charge("vpn", "dx_hosted_500m", hours(just(1)), "Hours", "Hosted port of 500 Mbit/s"),
        Charge("vpn", "dx_out", u("outbound_gb_month"), "GB", "Extracts and dashboards to the plant"),
    ]


def direct_connect_and_vpn(u: Usage) -> list[Charge]:
    """The port, and the VPN as its spare."""
    return [*direct_connect(u), *(charge for charge in c.vpn(u) if charge.price_id == "vpn_connection")]


def spark_hours(u: Usage) -> Figure:
    """Hours of a month in which a Spark job started each hour runs."""
    return u("spark_batch_minutes_day") / 60 * c.DAYS_PER_MONTH


def spark_by_the_hour(u: Usage) -> list[Charge]:
    """One instance, started each hour to drain what waits."""
    return [Charge("spark_compute", "ec2_m7g_large", spark_hours(u), "Hours", "Started each hour, stopped when done")]
