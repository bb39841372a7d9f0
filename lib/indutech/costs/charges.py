"""What each component that carries data is charged for: one function each, quantities from the assumptions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from functools import wraps

from indutech.architecture.platform import platform
from indutech.architecture.quantities import GB, GIB, HOURS_PER_MONTH, TIB_IN_GIB
from indutech.costs.bill import Charge, hours
from indutech.costs.inputs.usage import Figure, Usage, just
from indutech.system.errors import InduTechError

SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
DAYS_PER_MONTH = Decimal(365) / 12
VAULTS = 2  # the lake's copies: the platform's vault, and that of the backup account
NODE_TIB = 32  # managed storage of one ra3.xlplus node in a cluster of two or more


def events_gib(u: Usage) -> Figure:
    """Events of a month in GiB, the unit AWS bills; the company counts in GB of 10⁹ bytes."""
    return u("sensor_gb_month") * GB / GIB


def events_per_month(u: Usage) -> Figure:
    """How many events a month that is, at the measured size of one."""
    return u("sensor_gb_month") * GB / u("event_bytes")


def peak_mb_s(u: Usage) -> Figure:
    """Megabytes a second at peak."""
    return u("sensor_gb_month") * GB / 10**6 / SECONDS_PER_MONTH * u("peak_factor")


def redpanda(u: Usage) -> list[Charge]:
    """Brokers of a supported shape (local NVMe, four cores), at least one per zone, and the traffic between zones."""
    brokers = (peak_mb_s(u) * u("brokers") / u("broker_mb_s")).ceil(at_least=u("brokers"))
    # Producers reach a leader in another zone 2 times in 3, each event is copied twice, readers cross 2 times in 3;
    # AWS bills a crossing twice, once out and once in.
    crossings = (just(2) / 3 + 2 + u("consumer_reads") * 2 / 3) * 2
    return [
        Charge("redpanda", "ec2_m6gd_xlarge", hours(brokers), "Hours",
               "Brokers: 4 cores and local NVMe, the cheapest supported shape with the recommended cores"),
        Charge("redpanda", "ebs_gp3", brokers * 20, "GB-Months", "Root volumes of 20 GB; the log itself is on NVMe"),
        Charge("redpanda", "inter_zone", events_gib(u) * crossings, "GB",
               "Replication, producers and readers crossing zones, out and in", grows=True),
    ]  # fmt: skip


def mqtt_bridge(u: Usage) -> list[Charge]:
    """Instances that turn MQTT into Kafka records: Redpanda has no MQTT listener."""
    return [
        Charge("mqtt_bridge", "ec2_t4g_medium", hours(u("bridge_nodes")), "Hours", "Redpanda Connect, one per zone"),
        Charge("mqtt_bridge", "ebs_gp3", u("bridge_nodes") * 8, "GB-Months", "Root volumes of 8 GB"),
    ]


def nlb(u: Usage) -> list[Charge]:
    """The load balancer in front of the bridge."""
    return [
        Charge("nlb", "nlb_hour", hours(just(1)), "Hours", "One load balancer over two zones"),
        Charge("nlb", "nlb_lcu", hours(u("nlb_lcu")), "LCU-Hours", "Load units: connections and bytes"),
    ]


def spark_cores(u: Usage) -> Figure:
    """Cores that Spark needs at peak, at the measured speed of one core on generated tickets."""
    per_second = events_per_month(u) / SECONDS_PER_MONTH * u("peak_factor")
    return per_second / u("tickets_per_core_second") / u("core_load")


def spark_compute(u: Usage) -> list[Charge]:
    """Instances that run the Spark job all the time, at least one in each of two zones."""
    nodes = (spark_cores(u) / 2).ceil(at_least=u("spark_nodes"))
    return [
        Charge("spark_compute", "ec2_m7g_large", hours(nodes), "Hours", "Two cores each, the second zone takes over"),
        Charge("spark_compute", "ebs_gp3", nodes * 30, "GB-Months", "Root and shuffle volumes of 30 GB"),
    ]


def monthly_gib(u: Usage) -> Figure:
    """What the lake grows by in a month: events as Parquet packs readings, and files as they come."""
    return events_gib(u) / u("sensor_compression") + u("san_gb_month")


GETS_PER_COMPACTED_FILE = 9  # size, footer and columns, three times: schema, rows, check; tests/test_s3.py counts them


def lake_batches(u: Usage) -> Figure:
    """Micro-batches of a month."""
    return just(SECONDS_PER_MONTH) / u("trigger_s")


def lake_files(u: Usage) -> Figure:
    """Files that a month of micro-batches writes."""
    return lake_batches(u) * u("files_per_batch")


def unread_share(gib: Figure, u: Usage) -> Figure:
    """The share that no question reads for 90 days: the old part of what a month's scans cannot have covered."""
    scanned_gib = u("spectrum_tb_month") * 10**12 / GIB
    uncovered = gib + scanned_gib * -1
    return u("cold_share") * uncovered / gib if uncovered.value > 0 else scanned_gib * 0


def tiered(component: str, gib: Figure, u: Usage) -> list[Charge]:
    """Intelligent-Tiering: unread objects become cheap by themselves and reading them costs nothing extra."""
    cold = gib * unread_share(gib, u)
    hot = gib + cold * -1
    objects = gib * 1024 / u("lake_object_mib")
    return [
        Charge(component, "s3_int_frequent", hot, "GB-Months", "Read within 30 days", grows=True),
        Charge(component, "s3_int_archive_instant", cold, "GB-Months", "Not read for 90 days, still readable at once",
               grows=True),
        Charge(component, "s3_int_monitoring", objects / 1000, "1000 Objects-Months", "Watched objects"),
    ]  # fmt: skip


def s3_lake(u: Usage) -> list[Charge]:
    """The lake and its first month: storage as the lifecycle rules keep it, writes and reads."""
    return [
        *tiered("s3_lake", u("lake_tib") * TIB_IN_GIB + monthly_gib(u), u),
        Charge("s3_lake", "s3_put", lake_batches(u) * u("batch_put_requests") / 1000, "1000 Requests",
               "Writes and lists of each micro-batch, as counted"),
        Charge("s3_lake", "s3_get", u("queries_million_get") * 1000, "1000 Requests", "Reads"),
        Charge("s3_lake", "s3_get", lake_batches(u) * u("batch_get_requests") / 1000, "1000 Requests",
               "Looks of each micro-batch, as counted"),
        Charge("s3_lake", "s3_get", lake_files(u) * GETS_PER_COMPACTED_FILE / 1000, "1000 Requests",
               "Each file, read once to be compacted"),
    ]  # fmt: skip


def history_gib(u: Usage) -> Figure:
    """The history as the plant stores it, before any compression."""
    return u("warehouse_tib") * TIB_IN_GIB


def warehouse_gib(u: Usage) -> Figure:
    """What the warehouse stores, after compression."""
    return history_gib(u) / u("warehouse_compression")


def redshift(u: Usage) -> list[Charge]:
    """Nodes (a single one holds 4 TB at most), managed storage, and Spectrum over the lake."""
    nodes = (warehouse_gib(u) / (NODE_TIB * TIB_IN_GIB)).ceil(at_least=2)
    return [
        Charge("redshift", "redshift_ra3_xlplus", hours(nodes), "Hours", "Two at least, 32 TB of managed storage each"),
        Charge("redshift", "redshift_managed_storage", warehouse_gib(u), "GB-Months", "The history", grows=True),
        Charge("redshift", "redshift_spectrum", u("spectrum_tb_month"), "TB", "Lake scanned by Spectrum"),
    ]


def dms(u: Usage, size: str = "c6i_xlarge", zones: str = "multi") -> list[Charge]:
    """The replication instance that carries changes from SQL Server."""
    where = {"multi": "standby in a second zone", "single": "one zone"}[zones]
    return [
        Charge("dms", f"dms_{size}_{zones}", hours(just(1)), "Hours", f"Change data capture, {where}"),
        Charge("dms", f"dms_storage_{zones}", u("dms_storage_gb"), "GB-Months", "Logs and cached changes"),
    ]


def managed_ad(u: Usage) -> list[Charge]:
    """Two domain controllers, the least AWS sells."""
    return [Charge("managed_ad", "ad_standard", hours(just(2)), "Hours", "Two controllers, one per zone")]


def vpn(u: Usage) -> list[Charge]:
    """The tunnel pair and what leaves AWS through it; what comes in is free."""
    return [
        Charge("vpn", "vpn_connection", hours(just(1)), "Hours", "One connection of two tunnels"),
        Charge("vpn", "internet_out", u("outbound_gb_month"), "GB", "Extracts and dashboards to the plant"),
        Charge(
            "vpn", "internet_in", events_gib(u) + u("cdc_gb_month"), "GB", "Events and changes from the plant: free"
        ),
    ]


def endpoints(u: Usage) -> list[Charge]:
    """Interface endpoints instead of a way out to the internet; S3 uses the gateway endpoint, which is free."""
    return [
        Charge("endpoints", "endpoint_hour", hours(u("endpoint_zones") * u("endpoint_services")), "Hours",
               "Per service and zone"),
        Charge("endpoints", "endpoint_data", u("endpoint_gb_month"), "GB", "Logs, keys, secrets"),
    ]  # fmt: skip


def governance(u: Usage) -> list[Charge]:
    """Catalog, sign-on, secrets, audit trail and budgets: small or free, and still on the bill."""
    return [
        Charge(
            "glue_catalog", "glue_catalog_objects", u("catalog_objects") / 100_000, "100000 Objects-Months", "Tables"
        ),
        Charge("identity_center", "identity_center", hours(just(1)), "Hours", "Sign-on to accounts and warehouse"),
        Charge("secrets_manager", "secrets", u("secrets"), "Secrets-Months", "Machines' passwords"),
        Charge(
            "cloudtrail", "cloudtrail_data", u("audit_million_events") * 10, "100000 Events", "Who read which object"
        ),
        Charge("budgets", "budgets", just(DAYS_PER_MONTH * 2), "Days", "Two budgets that only notify"),
        Charge("datasync", "datasync", u("san_gb_month"), "GB", "Logs and files of the SAN, each night"),
    ]


def name_resolver(u: Usage) -> list[Charge]:
    """What DNS Firewall is paid for: each question, and each domain of its lists."""
    return [
        Charge("name_resolver", "dns_firewall_queries", u("dns_million_queries"), "1000000 Queries", "Names asked"),
        Charge("name_resolver", "dns_firewall_domains", u("dns_domains"), "Domains-Months", "Domains in its lists"),
    ]


def systems_manager(u: Usage) -> list[Charge]:
    """Sessions and patches: free on EC2, and on the bill so that it is said."""
    return [Charge("systems_manager", "systems_manager", hours(just(1)), "Hours", "Operators' sessions and patches")]


def kms(u: Usage) -> list[Charge]:
    """Keys and their use."""
    return [
        Charge("kms", "kms_key", u("kms_keys"), "Keys-Months", "One key per data domain, and one of the vault"),
        Charge("kms", "kms_requests", u("kms_million_requests") * 100, "10000 Requests", "With S3 bucket keys on"),
    ]


def cloudwatch(u: Usage) -> list[Charge]:
    """Logs, metrics and alarms."""
    return [
        Charge("cloudwatch", "logs_in", u("logs_gb_month"), "GB", "Logs taken in"),
        Charge("cloudwatch", "logs_storage", u("logs_gb_month") * u("logs_months_kept"), "GB-Months", "Logs kept"),
        Charge("cloudwatch", "metrics", u("custom_metrics"), "Metrics-Months", "Lag, throughput, disk"),
        Charge("cloudwatch", "alarms", u("alarms"), "Alarms-Months", "The alarms of the model"),
        Charge(
            "cloudwatch", "flow_logs", u("flow_log_gb_month"), "GB", "Flow logs of the VPC, delivered to the archive"
        ),
    ]


def backup(u: Usage) -> list[Charge]:
    """Copies that nobody can delete before their date; Redshift's own free snapshots can be deleted."""
    return [
        *lake_backup(u),
        Charge("backup", "backup_redshift", warehouse_gib(u) * u("warehouse_backup_copies"), "GB-Months",
               "The warehouse, in the platform's vault with a lock", grows=True),
    ]  # fmt: skip


def lake_backup(u: Usage) -> list[Charge]:
    """What cannot be made again from the lake."""
    return [Charge("backup", "backup_s3_warm", u("backup_tib") * TIB_IN_GIB * VAULTS, "GB-Months",
                   "Curated data and checkpoints, in the platform's vault and in the other account's")]  # fmt: skip


def log_archive(u: Usage) -> list[Charge]:
    """A year of audit events at a kilobyte each and of flow logs, in the bucket that nobody can empty."""
    year_gib = u("audit_million_events") * 10**6 * 1000 * 12 / GIB + u("flow_log_gb_month") * 12
    return [Charge("log_archive", "s3_standard", year_gib, "GB-Months", "A year of audit events and flow logs")]


def migration(u: Usage) -> list[Charge]:
    """Once: the history copied over the link by DataSync. Inbound traffic is free."""
    gib = history_gib(u)
    return [
        Charge("datasync", "datasync", gib, "GB", "The history copied by DataSync", one_off=True),
        Charge("vpn", "internet_in", gib, "GB", "Free", one_off=True),
        Charge("s3_lake", "s3_put", gib * 1024 / u("lake_object_mib") / 1000, "1000 Requests",
               "One write per object", one_off=True),
    ]  # fmt: skip


Charges = Callable[[Usage], list[Charge]]


class MissingCharge(InduTechError):
    """A component is billed and nobody says what for."""


def with_the_rest(without: Collection[str] = ()) -> Callable[[Charges], Charges]:
    """Add to a scenario the billed components of the platform that it does not name, at what they are charged here.

    So a component that is added to the platform is in every scenario, unless the scenario does `without` it.
    """

    def complete(scenario: Charges) -> Charges:
        @wraps(scenario)
        def completed(u: Usage) -> list[Charge]:
            named = scenario(u)
            done = {charge.component for charge in named if not charge.one_off} | set(without)
            return named + [charge for name in platform().billed if name not in done for charge in charges_of(name)(u)]

        return completed

    return complete


def charges_of(component: str) -> Charges:
    """The function of this module that has a component's name.

    Raises:
        MissingCharge: there is none.
    """
    function: Charges | None = globals().get(component)
    if function is None:
        raise MissingCharge(
            f"Component {component!r} is billed (assets/platform.toml) and nothing says what for: "
            f"add `def {component}(u: Usage) -> list[Charge]` to lib/indutech/costs/charges.py."
        )
    return function
