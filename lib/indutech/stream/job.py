"""The Spark job: topic → validated, enriched rows → lake and quarantine, each offset exactly once."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from indutech.kafka import connection, topics
from indutech.kafka.broker import Broker, BrokerNotReady
from indutech.lake import compaction, expired, identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.store import spark as store_for_spark
from indutech.lake.writer_lock import sole_writer
from indutech.stream import metrics
from indutech.stream.batches import BatchWriter
from indutech.stream.metrics import StreamPosition, WriteBatch
from indutech.stream.publishing import published
from indutech.stream.session import LOG, session
from indutech.system import storage
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

# Bigger fetches than Kafka's defaults: measured 15 to 30 % faster reads.
KAFKA_READS = {
    "kafka.max.poll.records": "20000",
    "kafka.max.partition.fetch.bytes": str(8 * 1024**2),
    "kafka.fetch.max.bytes": str(64 * 1024**2),
    "kafka.isolation.level": "read_committed",
    # Spark asks for the topic's ends behind each fetch, on the same connection; where the fetch was the last, Kafka's
    # consumer has asked for more by then, and the answer would wait for as long as that may wait: 500 ms by default.
    "kafka.fetch.max.wait.ms": "10",
}
_STOP_DEADLINE_S = 60
_NOTHING_LOST = "Nothing is lost: what was not committed is done again at the next start."


class StreamFailed(InduTechError):
    """Spark gave up; the message carries its reason and the log's place."""


@dataclass(frozen=True)
class StreamResult:
    """What one run of the stream did.

    `held_back` counts offsets that nobody can read yet, because a producer's transaction is open.
    """

    batches: int
    stored: int
    quarantined: int
    seconds: float
    stopped_by_user: bool
    place: str  # where the tickets are
    held_back: int = 0


def run(
    settings: Settings,
    broker: Broker,
    *,
    once: bool,
    accept_expired: bool = False,
    spark: SparkSession | None = None,
    position: StreamPosition | None = None,
    publish_every_s: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> StreamResult:
    """Store what the topic holds; `once` drains what is there and returns, otherwise until `stop` returns True.

    Args:
        accept_expired: go on although the broker has deleted messages that were not stored, and note which.
        spark: a session to use and leave running; by default one is started.
        position: kept up to date, for a progress display.
        publish_every_s: publish what is committed as Iceberg tables so often, and at the end; by default never.
        stop: asked several times a second; the micro-batch that has begun is finished.

    Raises:
        SecondWriter: another stream or compaction holds this lake.
        HeldElsewhere: another data folder or machine does.
        LakeIdentityMismatch: lake, checkpoint and topic do not belong together.
        CheckpointDamaged: the checkpoint cannot be read.
        OffsetsExpired: the broker has deleted messages that were not stored, and nobody accepted that.
        StorageRefused: the disk is full, or the data folder may not be written.
        StreamFailed: Spark stopped with an error.
        RightMissing: the user of the settings may not read the topic.
    """
    with storage.writing(settings.data_dir, _NOTHING_LOST), sole_writer(settings) as still_ours:
        topic = topics.ensure_topic(broker, settings)
        topics.refuse_without("READ", broker, topic)
        starts = topics.start_offsets(broker, topic.name)
        known = identity.admit(settings, topic, starts)
        checkpoint = Checkpoint(settings.checkpoint_dir)
        checkpoint.check(topic.name)
        gone = expired.find(settings, known, starts)
        if accept_expired:
            expired.accept(settings, gone)
        expired.refuse(settings, gone)
        checkpoint.remove_orphaned_checksums()
        compaction.finish_interrupted(settings)
        layout.remove_temporary_files(settings)
        if (replayed := checkpoint.to_replay()) is not None:
            compaction.refuse_compacted(settings, replayed)
        writer = BatchWriter(settings, known, still_ours, layout.uncommitted_files(settings))
        place = str(layout.root(settings, settings.product))
        position = position or StreamPosition(settings, broker, asks=False)
        began = time.monotonic()
        spark = spark or new_session(settings)
        store_for_spark.reach(spark, settings)
        listener = metrics.ProgressWriter(settings, writer, position)
        spark.streams.addListener(listener)
        try:
            if not stop():  # Spark needs seconds to start
                write = position.following(writer)

                def storing(*, once: bool, skip_expired: bool = False) -> StreamingQuery:
                    messages = read_topic(spark, settings, broker, known.start_offsets, skip_expired=skip_expired)
                    return write_batches(messages, write, settings, once=once)

                with published(settings, publish_every_s) as cannot_publish:

                    def ending() -> bool:
                        return stop() or cannot_publish()

                    if gone:  # only until these are passed: what expires later must stop the stream again
                        _wait(storing(once=True, skip_expired=True), ending, settings)
                        listener.settle()
                    if not (gone and once) and not ending():
                        query = storing(once=once)
                        position.started()
                        _wait(query, ending, settings)
                listener.settle()
        except StreamFailed:
            with suppress(BrokerNotReady, KafkaException):  # a broker that is down says why Spark stopped, not more
                expired.refuse(settings, expired.find(settings, known, topics.start_offsets(broker, topic.name)))
            raise
        finally:
            spark.streams.removeListener(listener)
        seconds = time.monotonic() - began
        held_back = 0
        if not stop():  # whoever stops it may do so because the broker is down
            ends = topics.end_offsets(broker, topic.name)
            held_back = sum(identity.held_back(broker, topic.name, ends).values())
        return StreamResult(listener.batches, writer.stored, writer.quarantined, seconds, stop(), place, held_back)


def new_session(settings: Settings, cores: int | None = None, log: str = LOG) -> SparkSession:
    """Spark, started in a thread: in the main one it would replace the process's handler of Ctrl-C with its own."""
    with ThreadPoolExecutor(1) as starting:
        return starting.submit(session, settings, cores=cores, log=log).result()


def read_topic(
    spark: SparkSession,
    settings: Settings,
    broker: Broker,
    first_offsets: Mapping[int, int],
    *,
    skip_expired: bool = False,
) -> DataFrame:
    """Return the topic as a streaming table, a row per message; it begins at `first_offsets` without a checkpoint.

    What the broker has deleted before it was read stops the query, or is passed over with `skip_expired`.
    """
    first = {settings.topic: {str(partition): offset for partition, offset in first_offsets.items()}}
    return (
        spark.readStream.format("kafka")
        .options(**connection.spark_options(broker), **KAFKA_READS)
        .option("failOnDataLoss", str(not skip_expired).lower())
        .option("subscribe", settings.topic)
        .option("startingOffsets", json.dumps(first))
        .option("maxOffsetsPerTrigger", settings.max_batch_tickets)
        # A topic with fewer partitions than cores is read in slices, so that no core idles.
        .option("minPartitions", spark.sparkContext.defaultParallelism)
        .load()
    )


def write_batches(messages: DataFrame, write: WriteBatch, settings: Settings, *, once: bool) -> StreamingQuery:
    """Start the query that calls `write` for each micro-batch and then commits it in the checkpoint."""
    sink = messages.writeStream.foreachBatch(write).option("checkpointLocation", str(settings.checkpoint_dir))
    if once:
        return sink.trigger(availableNow=True).start()
    return sink.trigger(processingTime=f"{settings.trigger_s} seconds").start()


def _wait(query: StreamingQuery, stop: Callable[[], bool], settings: Settings) -> None:
    try:
        while query.isActive and not stop():
            query.awaitTermination(0.2)  # type: ignore[arg-type]
        if query.isActive:
            _let_the_batch_finish(query)
            query.stop()
        if failure := query.exception():
            raise failure
    except KeyboardInterrupt:  # the cell of a notebook was interrupted
        query.stop()
        raise
    except PySparkException as error:
        if code := storage.code_in(str(error)):
            raise storage.refused(settings.data_dir, code, _NOTHING_LOST) from error
        raise StreamFailed(
            f"Spark stopped: {cause(error)} {_NOTHING_LOST} Details: {settings.log_dir / LOG}."
        ) from error


def _let_the_batch_finish(query: StreamingQuery) -> None:
    """A batch cut short is done again at the next start, which is right but wasteful: give it a moment."""
    deadline = time.monotonic() + _STOP_DEADLINE_S
    begun = _last_batch(query)
    while time.monotonic() < deadline and query.isActive and query.status["isTriggerActive"]:
        if _last_batch(query) != begun:
            return
        time.sleep(0.05)


def _last_batch(query: StreamingQuery) -> int | None:
    progress = query.lastProgress
    return progress.batchId if progress else None


def cause(error: PySparkException) -> str:
    """The line of Spark's message that says why, without the pages around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if ours := [line for line in lines if line.startswith("indutech.")]:
        return ours[-1].partition(": ")[
            2
        ]  # a sentence of the project, raised in `foreachBatch`: whole, without its class
    telling = [line for line in lines if line.startswith(("Caused by:", "java.", "org.apache.kafka"))]
    return (telling[-1] if telling else lines[0] if lines else type(error).__name__)[:400].rstrip(".") + "."
