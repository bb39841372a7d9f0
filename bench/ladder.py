"""Where the time of a drain goes: Spark reads the same topic again and again, each time with one step more.

The steps are the stream's own columns, run as a batch and without a checkpoint; the last one is the stream itself.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.drain import PARTITIONS, filled, topic_of
from bench.figures import Figure, of_rounds
from bench.own_broker import own_broker
from indutech.kafka.connection import Broker, spark_options
from indutech.stream import job, transforms
from indutech.stream.fast_path import fast_path
from indutech.stream.session import session
from indutech.system.settings import Settings

TICKETS, WARM_UP_TICKETS, ROUNDS = 3_000_000, 3_000_000, 3
READ, VALIDATED, COLUMNS, FILES, STREAM = (
    "read",
    "+ fast path validates",
    "+ columns of the lake",
    "+ Parquet files",
    "the stream: + quarantine, proof, checkpoint",
)


def run(console: Console) -> list[Figure]:
    """Run every step in turn on one warm Spark, print the table, return the rates."""
    with own_broker() as (settings, broker):
        filled(console, broker, PARTITIONS, TICKETS, WARM_UP_TICKETS)
        with console.status(f"{ROUNDS} rounds of {READ} to {STREAM}"):
            command = [sys.executable, "-m", "bench.ladder", broker.bootstrap_servers, str(settings.data_dir)]
            seconds = json.loads(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
            )
    table = Table(
        title=f"{TICKETS:,} tickets on {PARTITIONS} partitions, warm, median of {ROUNDS} rounds",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("step", "tickets/s", "seconds", "seconds more"):
        table.add_column(name, justify="left" if name == "step" else "right", no_wrap=True)
    before = 0.0
    for step, rounds in seconds.items():
        took = statistics.median(rounds)
        table.add_row(step, f"{TICKETS / took:,.0f}", f"{took:.1f}", f"{took - before:.1f}")
        before = took
    console.print(table)
    return [
        of_rounds("ladder", step, [TICKETS / one for one in rounds], "tickets/s") for step, rounds in seconds.items()
    ]


def _steps(folder: Path) -> dict[str, Callable[[DataFrame], None]]:
    def nowhere(rows: DataFrame) -> None:
        rows.write.format("noop").mode("overwrite").save()

    def lake_rows(rows: DataFrame) -> DataFrame:
        validated = fast_path(rows).withColumn("reason", F.when(~F.col("fast_path_ok"), F.lit("unknown")))
        return transforms.as_rows(validated, F.current_timestamp())

    return {
        READ: nowhere,
        VALIDATED: lambda rows: nowhere(fast_path(rows)),
        COLUMNS: lambda rows: nowhere(lake_rows(rows)),
        FILES: lambda rows: lake_rows(rows).write.mode("overwrite").parquet(str(folder / "files")),
    }


def _main(address: str, folder: Path) -> dict[str, list[float]]:
    broker = Broker(address, embedded=False)
    spark = session(Settings(_env_file=None, data_dir=folder))
    seconds: dict[str, list[float]] = {}
    for turn in range(ROUNDS + 1):
        topic = topic_of(PARTITIONS) + ("" if turn else "-warm-up")
        for step, do in {**_steps(folder), STREAM: None}.items():
            began = time.perf_counter()
            if do:
                rows = spark.read.format("kafka").options(**spark_options(broker), **job.KAFKA_READS)
                do(rows.option("subscribe", topic).load())
            else:
                own = Settings(
                    _env_file=None, bootstrap_servers=address, topic=topic, data_dir=folder / f"stream-{turn}"
                )
                job.run(own, broker, once=True, spark=spark)
            if turn:
                seconds.setdefault(step, []).append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1], Path(sys.argv[2]))))
