"""The scenarios side by side: the same code, prices and assumptions, another choice of components."""

from __future__ import annotations

from collections.abc import Callable

from indutech.architecture.quantities import TIB_IN_GIB
from indutech.costs import charges
from indutech.costs import charges as c
from indutech.costs.bill import ON_DEMAND, Bill, Charge, hours, priced
from indutech.costs.estimate_2025 import NAME
from indutech.costs.prices import PriceList
from indutech.costs.usage import Figure, Usage, just
from indutech.system.errors import InduTechError

# What every scenario needs alike.
UPKEEP = (charges.governance, charges.kms, charges.cloudwatch, charges.backup, charges.migration)


class UnknownScenario(InduTechError):
    """Asked for a scenario that does not exist."""


@c.with_the_rest()
def reference(u: Usage) -> list[Charge]:
    """The corrected architecture: supported brokers, bridge, Spark, second zone, endpoints, monitoring, backup."""
    components = (c.redshift, c.s3_lake, c.redpanda, c.mqtt_bridge, c.nlb, c.spark_compute, c.dms, c.managed_ad, c.vpn,
                  c.endpoints, *UPKEEP)  # fmt: skip
    return [charge for component in components for charge in component(u)]


@c.with_the_rest(without=["nlb"])
def lean(u: Usage) -> list[Charge]:
    """What a thrifty engineer runs for 19 kB/s: small managed brokers, Spark by the hour, no cluster for queries."""
    return [
        *small_brokers(u),
        Charge("mqtt_bridge", "ec2_t4g_small", hours(u("bridge_nodes")), "Hours", "One per zone, no balancer"),
        *spark_by_the_hour(u),
        *tiered("s3_lake", u("lake_tib") * TIB_IN_GIB + c.monthly_gib(u), u),
        Charge("s3_lake", "s3_put", c.lake_files(u) * 2 / 1000, "1000 Requests", "Each file, written and compacted"),
        Charge("s3_lake", "s3_get", u("queries_million_get") * 1000, "1000 Requests", "Reads"),
        *tiered("redshift", c.warehouse_gib(u), u),
        Charge("redshift", "athena_scan", u("spectrum_tb_month"), "TB", "Athena on Iceberg, not Redshift"),
        *c.dms(u, "t3_medium", "single"),
        Charge("managed_ad", "ad_connector_small", hours(just(1)), "Hours", "Sign-on needs the plant's link"),
        *c.vpn(u),
        *c.endpoints(u),
        *(charge for component in UPKEEP for charge in component(u)),
    ]  # fmt: skip


@c.with_the_rest(without=["nlb"])
def serverless(u: Usage) -> list[Charge]:
    """Nothing to patch: MSK Serverless, IoT Core, EMR Serverless, Redshift Serverless, DMS Serverless."""
    spark_vcpu_hours = _spark_hours(u) * u("spark_worker_vcpu")
    return [
        *msk_serverless(u),
        Charge("mqtt_bridge", "iot_messages", u("sensor_gb_month") / u("iot_batch_kb"), "Million Messages",
               "IoT Core in place of the bridge; metered in steps of 5 KB", grows=True),
        Charge("mqtt_bridge", "iot_rules", u("sensor_gb_month") / u("iot_batch_kb"), "Million Rules", "To Kafka"),
        Charge("mqtt_bridge", "iot_connectivity", hours(u("sensor_connections")) * 60 / 10**6, "Million Minutes",
               "Devices that stay connected"),
        Charge("spark_compute", "emr_serverless_vcpu", spark_vcpu_hours, "vCPU-Hours", "Each hour, for minutes"),
        Charge("spark_compute", "emr_serverless_gb", spark_vcpu_hours * 4, "GB-Hours", "4 GB a vCPU"),
        *c.s3_lake(u),
        Charge("redshift", "redshift_serverless_rpu", u("serverless_rpu") * u("serverless_hours_month"), "RPU-Hours",
               "Working hours; scans of the lake are included"),
        Charge("redshift", "redshift_managed_storage", c.warehouse_gib(u), "GB-Months", "The history", grows=True),
        Charge("dms", "dms_serverless_dcu", hours(just(2)), "DCU-Hours", "2 units of 2 GB"),
        *c.managed_ad(u),
        *c.vpn(u),
        *c.endpoints(u),
        *(charge for component in UPKEEP for charge in component(u)),
    ]  # fmt: skip


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


def kept_gib(u: Usage) -> Figure:
    """Events on the brokers at any time."""
    return c.events_gib(u) * u("retention_days") / c.DAYS_PER_MONTH


def small_brokers(u: Usage) -> list[Charge]:
    """Three of the smallest MSK brokers."""
    disk = (kept_gib(u) * u("brokers")).ceil(at_least=u("brokers") * 10)
    return [
        Charge(
            "redpanda", "msk_t3_small", hours(u("brokers")), "Hours", "MSK t3.small in place of Redpanda: same protocol"
        ),
        Charge("redpanda", "msk_storage", disk, "GB-Months", "Three copies, 10 GB a broker at least"),
    ]


def spark_by_the_hour(u: Usage) -> list[Charge]:
    """One instance, started each hour to drain what waits."""
    return [Charge("spark_compute", "ec2_m7g_large", _spark_hours(u), "Hours", "Started each hour, stopped when done")]


def _spark_hours(u: Usage) -> Figure:
    return u("spark_batch_minutes_day") / 60 * c.DAYS_PER_MONTH


def tiered(component: str, gib: Figure, u: Usage) -> list[Charge]:
    """Intelligent-Tiering: cold objects become cheap by themselves and reading them costs nothing extra."""
    cold = gib * u("cold_share")
    hot = gib + cold * -1
    objects = gib * 1024 / u("lake_object_mib")
    return [
        Charge(component, "s3_int_frequent", hot, "GB-Months", "Read within 30 days", grows=True),
        Charge(
            component,
            "s3_int_archive_instant",
            cold,
            "GB-Months",
            "Not read for 90 days, still readable at once",
            grows=True,
        ),
        Charge(component, "s3_int_monitoring", objects / 1000, "1000 Objects-Months", "Watched objects"),
    ]


SCENARIOS: dict[str, Callable[[Usage], list[Charge]]] = {"reference": reference, "lean": lean, "serverless": serverless}
NAMES = (NAME, *SCENARIOS)


def bill(scenario: str, usage: Usage, prices: PriceList, months: int = ON_DEMAND) -> Bill:
    """The bill of a priced scenario. Raises UnknownScenario with the names there are."""
    if scenario not in SCENARIOS:
        raise UnknownScenario(f"No scenario '{scenario}'. Choose one of: {', '.join(NAMES)}.")
    return priced(scenario, SCENARIOS[scenario](usage), prices, months)
