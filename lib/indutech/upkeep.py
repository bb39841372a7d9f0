"""What keeps the platform signed on, encrypted, watched, backed up and filled, and what that is charged for."""

from __future__ import annotations

from indutech.charges import DAYS_PER_MONTH, history_gib
from indutech.costs import Charge, hours
from indutech.money import TIB_IN_GIB
from indutech.usage import Usage, just


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


def kms(u: Usage) -> list[Charge]:
    """Keys and their use."""
    return [
        Charge("kms", "kms_key", u("kms_keys"), "Keys-Months", "One key per data domain"),
        Charge("kms", "kms_requests", u("kms_million_requests") * 100, "10000 Requests", "With S3 bucket keys on"),
    ]


def cloudwatch(u: Usage) -> list[Charge]:
    """Logs, metrics and alarms."""
    return [
        Charge("cloudwatch", "logs_in", u("logs_gb_month"), "GB", "Logs taken in"),
        Charge("cloudwatch", "logs_storage", u("logs_gb_month") * u("logs_months_kept"), "GB-Months", "Logs kept"),
        Charge("cloudwatch", "metrics", u("custom_metrics"), "Metrics-Months", "Lag, throughput, disk"),
        Charge("cloudwatch", "alarms", u("alarms"), "Alarms-Months", "One per promise"),
    ]


def backup(u: Usage) -> list[Charge]:
    """Backups of what cannot be made again; automatic Redshift snapshots are included in its price."""
    return [Charge("backup", "backup_s3_warm", u("backup_tib") * TIB_IN_GIB, "GB-Months", "Curated data, checkpoints")]


def migration(u: Usage) -> list[Charge]:
    """Once: the history copied over the link by DataSync. Inbound traffic is free."""
    gib = history_gib(u)
    return [
        Charge("datasync", "datasync", gib, "GB", "The history copied by DataSync", one_off=True),
        Charge("vpn", "internet_in", gib, "GB", "Free", one_off=True),
        Charge("s3_lake", "s3_put", gib * 1024 / u("lake_object_mib") / 1000, "1000 Requests",
               "One write per object", one_off=True),
    ]  # fmt: skip
