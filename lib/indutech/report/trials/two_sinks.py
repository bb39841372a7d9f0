"""Stores one topic through two sinks at once, Spark's own file sink and ours, and stops at a place if it is told to.

Started as `python -m indutech.report.trials.two_sinks` it says `ready`, waits for a line on its standard input, and is
then killed by whoever started it.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from indutech.kafka import broker as brokers
from indutech.kafka import connection
from indutech.kafka.broker import Broker
from indutech.lake.quarantine import Place
from indutech.stream import job
from indutech.stream.metrics import StreamPosition, WriteBatch
from indutech.stream.session import session
from indutech.system.settings import Settings

CORES = 4  # each sink holds a task back; on a machine with one core the others would wait for it
_HELD_MS = 600_000


def file_sink(settings: Settings) -> Path:
    """Where Spark's own file sink writes."""
    return settings.data_dir / "file_sink"


def file_sink_checkpoint(settings: Settings) -> Path:
    """Where the query of the file sink keeps its offsets and commits."""
    return settings.data_dir / "file_sink_checkpoint"


def run(settings: Settings, broker: Broker, spark: SparkSession, held: Place | None = None) -> None:
    """Store what the topic holds through both sinks; the tasks that come to the place `held` wait there for ever."""
    stored_by_spark = (
        spark.readStream.format("kafka")
        .options(**connection.spark_options(broker), **job.KAFKA_READS)
        .option("subscribe", settings.topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", settings.max_batch_tickets)
        .load()
        .select("partition", "offset", "timestamp", "value")
        .where(_passes(held))
        .writeStream.format("parquet")
        .option("checkpointLocation", str(file_sink_checkpoint(settings)))
        .trigger(availableNow=True)
        .start(str(file_sink(settings)))
    )
    job.run(settings, broker, once=True, spark=spark, position=_Held(settings, broker, held))
    stored_by_spark.awaitTermination()


class _Held(StreamPosition):
    """Lets the stream's own writer meet the same place."""

    def __init__(self, settings: Settings, broker: Broker, held: Place | None) -> None:
        super().__init__(settings, broker, asks=False)
        self._held = held

    def following(self, write: WriteBatch) -> WriteBatch:
        """Return what writes a micro-batch as ever, from rows of which one is held."""

        def write_held(rows: DataFrame, batch: int) -> None:
            write(rows.where(_passes(self._held)) if self._held else rows, batch)

        return write_held


def _passes(held: Place | None) -> Column:
    """True for each row; at the place `held` only after a long wait, which makes that moment long enough to be hit."""
    if held is None:
        return F.lit(True)
    here = (F.col("partition") == held.partition) & (F.col("offset") == held.offset)
    wait = F.reflect(F.lit("java.lang.Thread"), F.lit("sleep"), F.lit(_HELD_MS).cast("long"))
    # Compared with a word that it never is: a test for null would be optimised away, and the wait with it.
    return F.coalesce(F.when(here, wait), F.lit("passes")) != "never"


def _end_with_who_started_us() -> None:
    """When its end of the pipe is closed, by its death at the latest, nobody is left to kill us."""
    sys.stdin.read()
    os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    own = Settings(_env_file=None)
    with brokers.connected(own) as answering:
        started = session(own, cores=CORES)
        print("ready", flush=True)
        at = sys.stdin.readline().split()
        threading.Thread(target=_end_with_who_started_us, daemon=True).start()
        run(own, answering, started, Place(int(at[0]), int(at[1])))
