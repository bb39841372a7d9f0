"""The steps that Spark takes with a message, as its own schemas state them."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from indutech import transforms

KAFKA_SCHEMA = "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp"


def steps(spark: SparkSession) -> str:
    """A Markdown table: each step of the stream and the columns it leaves."""
    read = spark.createDataFrame([], KAFKA_SCHEMA)
    judged = spark.createDataFrame([], transforms.judged(read).schema)  # so that Spark resolves the judge only once
    now = F.lit(None).cast("timestamp")
    done = {
        "read from Kafka": read.columns,
        "judged: a reason, or the ticket's fields": [name for name in judged.columns if name not in read.columns],
        "no reason: to the lake": transforms.as_tickets(judged, now).columns,
        "a reason: to the quarantine": transforms.as_quarantine(judged, now).columns,
    }
    rows = [f"| {step} | {', '.join(f'`{name}`' for name in columns)} |" for step, columns in done.items()]
    return "\n".join(["| step | columns |", "|---|---|", *rows])
