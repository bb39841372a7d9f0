"""What Spark must know to read and write a lake in a bucket: how to reach it, and how a write becomes visible.

Rows are written to this machine's disk, uploaded without being seen, and made visible in one go per file when all are
there (Hadoop's partitioned staging committer): no file is renamed or copied, and what is cut off is never seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from indutech.jvm import jars
from indutech.lake.store import bucket as buckets
from indutech.lake.store.s3_path import S3Path
from indutech.system.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrameWriter, SparkSession

COMMITTERS = {
    "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
}


def class_path(settings: Settings) -> list[Path]:
    """Return the jars that Spark needs for the lake's place: none for a folder."""
    return jars.spark_s3_jars() if settings.lake_bucket else []


def reach(spark: SparkSession, settings: Settings) -> None:
    """Let this Spark reach the lake; of a folder there is nothing to say.

    The key goes through the running JVM, because everyone on the machine can list a command line.
    """
    if settings.lake_bucket is None:
        return
    known = spark.sparkContext._jsc.hadoopConfiguration()
    for name, value in _options(settings).items():
        known.set(name, value)


def lake_writer(
    writer: DataFrameWriter, spark: SparkSession, where: S3Path, mode: Literal["overwrite", "append"]
) -> tuple[DataFrameWriter, str]:
    """Return a writer that replaces the folders that it writes, or adds to them, and the place as Spark names it.

    The session is the query's own, so that other writes of this Spark keep their committer.
    """
    for name, value in COMMITTERS.items():
        spark.conf.set(name, value)
    conflict = {"fs.s3a.committer.staging.conflict-mode": "replace" if mode == "overwrite" else "append"}
    return writer.mode("append").options(**conflict), f"s3a://{where.in_bucket}"


def _options(settings: Settings) -> dict[str, str]:
    bucket, staging = buckets.of(settings), settings.staging_dir
    place = urlsplit(bucket.endpoint)
    of_bucket = {
        "endpoint": bucket.endpoint,
        "endpoint.region": bucket.region,
        "connection.ssl.enabled": str(place.scheme == "https").lower(),
        "path.style.access": str(not place.netloc.endswith(".amazonaws.com")).lower(),
        "committer.name": "partitioned",
        # Pauses that double from half a second, and for 503 from a tenth: a minute in all, then the stream stops.
        "attempts.maximum": "3",
        "retry.limit": "7",
        "retry.interval": "500ms",
        "retry.throttle.limit": "9",
        "retry.throttle.interval": "100ms",
        "connection.establish.timeout": "15s",
    }
    if bucket.key:
        kind = "TemporaryAWSCredentialsProvider" if bucket.token else "SimpleAWSCredentialsProvider"
        of_bucket |= {
            "aws.credentials.provider": f"org.apache.hadoop.fs.s3a.{kind}",
            "access.key": bucket.key,
            "secret.key": bucket.secret or "",
            **({"session.token": bucket.token} if bucket.token else {}),
        }
    return {
        **{f"fs.s3a.bucket.{bucket.name}.{name}": value for name, value in of_bucket.items()},
        "fs.s3a.committer.name": "partitioned",
        "fs.s3a.committer.staging.tmp.path": str(staging / "pending"),
        "fs.s3a.buffer.dir": str(staging / "rows"),
        "mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
    }
