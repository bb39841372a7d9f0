"""The scenarios: which components and which alternatives each one is made of."""

from __future__ import annotations

from collections.abc import Callable

from indutech.costs import alternatives as a
from indutech.costs import charges as c
from indutech.costs.bill import Charge, hours
from indutech.costs.inputs.usage import Usage, just
from indutech.system.errors import InduTechError

Components = Callable[[Usage], list[Charge]]

# What every scenario needs alike.
UPKEEP = (c.governance, c.kms, c.cloudwatch, c.migration)


class UnknownScenario(InduTechError):
    """Asked for a scenario that does not exist."""


@c.with_the_rest()
def reference(u: Usage) -> list[Charge]:
    """The corrected architecture: supported brokers, bridge, Spark, second zone, endpoints, monitoring, backup."""
    components = (c.redshift, c.s3_lake, c.redpanda, c.mqtt_bridge, c.nlb, c.spark_compute, c.dms, c.managed_ad, c.vpn,
                  c.endpoints, c.backup, *UPKEEP)  # fmt: skip
    return [charge for component in components for charge in component(u)]


def reference_rg(u: Usage) -> list[Charge]:
    """The reference on RG nodes in place of RA3: the same cluster one generation on."""
    return [charge for charge in reference(u) if charge.component != "redshift"] + a.redshift_rg(u)


@c.with_the_rest(without=["nlb"])
def lean(u: Usage) -> list[Charge]:
    """The least that carries 19 kB/s: small managed brokers, Spark by the hour, no cluster for queries.

    The history is files in S3 then: Object Lock protects them where they are, so no second copy of it is billed.
    """
    return [
        *a.small_brokers(u),
        Charge("mqtt_bridge", "ec2_t4g_small", hours(u("bridge_nodes")), "Hours", "One per zone, no balancer"),
        *a.spark_by_the_hour(u),
        *c.s3_lake(u),
        *a.athena(u),
        *c.dms(u, "t3_medium", "single"),
        *a.ad_connector(u),
        *c.vpn(u),
        *c.endpoints(u),
        *c.lake_backup(u),
        *(charge for component in UPKEEP for charge in component(u)),
    ]  # fmt: skip


@c.with_the_rest(without=["nlb"])
def serverless(u: Usage) -> list[Charge]:
    """Nothing to patch: MSK Serverless, IoT Core, EMR Serverless, Redshift Serverless, DMS Serverless."""
    spark_vcpu_hours = a.spark_hours(u) * u("spark_worker_vcpu")
    return [
        *a.msk_serverless(u),
        Charge("mqtt_bridge", "iot_messages", u("sensor_gb_month") / u("iot_batch_kb"), "Million Messages",
               "IoT Core in place of the bridge; metered in steps of 5 KB", grows=True),
        Charge("mqtt_bridge", "iot_rules", u("sensor_gb_month") / u("iot_batch_kb"), "Million Rules", "To Kafka"),
        Charge("mqtt_bridge", "iot_connectivity", hours(u("sensor_connections")) * 60 / 10**6, "Million Minutes",
               "Devices that stay connected"),
        Charge("spark_compute", "emr_serverless_vcpu", spark_vcpu_hours, "vCPU-Hours", "Each hour, for minutes"),
        Charge("spark_compute", "emr_serverless_gb", spark_vcpu_hours * 4, "GB-Hours", "4 GB a vCPU"),
        *c.s3_lake(u),
        *a.redshift_serverless(u),
        Charge("dms", "dms_serverless_dcu", hours(just(2)), "DCU-Hours", "2 units of 2 GB"),
        *c.managed_ad(u),
        *c.vpn(u),
        *c.endpoints(u),
        *c.backup(u),
        *(charge for component in UPKEEP for charge in component(u)),
    ]  # fmt: skip


SCENARIOS: dict[str, Components] = {
    "reference": reference, "reference-rg": reference_rg, "lean": lean, "serverless": serverless,
}  # fmt: skip
