"""The job that everybody writes first: `from_json`, Spark's own Parquet file sink, defaults everywhere."""

import json
import os
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from indutech.jvm.jars import spark_kafka_jars
from indutech.jvm.java import spark_environment
from indutech.tickets.schema import spark_schema

if __name__ == "__main__":
    address, topic, folder = sys.argv[1:]

    def drain(name: str) -> float:
        began = time.perf_counter()
        rows = (
            spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", address)
            .option("subscribe", name)
            .option("startingOffsets", "earliest")
            .load()
        )
        tickets = rows.select(F.from_json(F.col("value").cast("string"), spark_schema()).alias("ticket")).select(
            "ticket.*"
        )
        query = (
            tickets.writeStream.format("parquet")
            .option("path", f"{folder}/{name}/tickets")
            .option("checkpointLocation", f"{folder}/{name}/checkpoint")
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()
        return time.perf_counter() - began

    Path(folder).mkdir(parents=True, exist_ok=True)
    os.environ.update(spark_environment())  # the same Java for both
    spark = (
        SparkSession.builder.master("local[*]")
        .config("spark.jars", ",".join(str(jar) for jar in spark_kafka_jars()))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    drain(f"{topic}-warm-up")
    seconds = drain(topic)
    stored = spark.read.parquet(f"{folder}/{topic}/tickets").count()
    print(json.dumps({"seconds": seconds, "stored": stored}))
