"""The ways from the broker into the lake: what each is charged for, and what a licence in place of Spark may cost."""

from __future__ import annotations

from collections.abc import Callable

from indutech.costs import charges as c
from indutech.costs.bill import Charge, hours, priced
from indutech.costs.inputs.money import Money
from indutech.costs.inputs.usage import Usage, just
from indutech.costs.model import CostModel

MONTHS_A_YEAR = 12
ICEBERG_MIB_S = 5  # what one core of Redpanda translates, by its documentation


def redshift_streaming(u: Usage) -> list[Charge]:
    """A materialized view that reads the topic on the cluster's own cores: only what it stores is billed."""
    return [Charge("redshift", "redshift_managed_storage", c.events_gib(u), "GB-Months", "A month of events")]


def firehose(u: Usage) -> list[Charge]:
    """Firehose from an MSK topic, converted to Parquet; it has no source for another Kafka."""
    return [
        Charge("spark_compute", "firehose_from_msk", c.events_gib(u), "GB", "Delivered from MSK"),
        Charge("spark_compute", "firehose_parquet", c.events_gib(u), "GB", "Converted to Parquet"),
    ]


def connect(u: Usage) -> list[Charge]:
    """One worker of MSK Connect with an S3 sink; a worker that dies is replaced."""
    return [Charge("spark_compute", "msk_connect_mcu", hours(just(1)), "Hours", "One worker of one unit")]


# None: no public price.
SINKS: dict[str, Callable[[Usage], list[Charge]] | None] = {
    "spark": c.spark_compute,
    "redshift_streaming": redshift_streaming,
    "firehose": firehose,
    "iceberg_topics": None,
    "tableflow": None,
    "connect": connect,
}


def licence_break_even(model: CostModel) -> Money:
    """The most that a year's licence of something that replaces Spark may cost before Spark's own lines are cheaper."""
    return priced("spark", c.spark_compute(model.usage), model.prices).monthly_total * MONTHS_A_YEAR
