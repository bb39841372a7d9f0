"""Routes urgent tickets to a topic for each team in Spark's real-time mode: at least once, within milliseconds.

Real-time mode runs a task for each partition that stays alive for a whole batch and hands on each record at once. A
batch ends only to commit its offsets, so its length is how much is repeated after a kill and no latency. All tasks of
a batch run at the same time: a partition without a task slot would wait until the batch ends, and Spark says nothing.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaException
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from indutech.kafka import connection, topics
from indutech.kafka.broker import Broker, BrokerNotReady
from indutech.stream import cluster, job, route_start, urgent
from indutech.stream.job import StreamFailed
from indutech.stream.route_start import RouteRefused, checkpoint
from indutech.system.progress import Position
from indutech.system.settings import Settings

LOG = "route.log"  # not the stream's: it may run beside, in the same data folder
COMMIT_EVERY_S = 300
MORE_PARTITIONS = 8  # that the topic may be given while the route runs; an idle slot costs nothing
_LOOKS_EVERY_S = 2
_MISSING_NONE = "No urgent ticket is missing: the next start repeats what was not committed."


@dataclass(frozen=True)
class RouteResult:
    """What one run routed: records added to the topic of each team, and when the last commit was.

    What was routed after `repeats_since` the next start routes again; None, and that is all, if there was no commit.
    """

    routed: Mapping[str, int]
    seconds: float
    repeats_since: str | None

    @property
    def total(self) -> int:
        """Records of all teams."""
        return sum(self.routed.values())


@dataclass
class RoutePosition:
    """What the progress display shows of a route."""

    now: Position = field(default_factory=lambda: Position("Starting Spark"))

    def look(self) -> Position:
        """The newest position."""
        return self.now


def run(
    settings: Settings,
    broker: Broker,
    *,
    commit_every_s: int = COMMIT_EVERY_S,
    position: RoutePosition | None = None,
    started: Callable[[], object] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> RouteResult:
    """Route urgent tickets until `stop` returns True; a first start begins with what arrives from then on.

    Args:
        position: kept up to date, for a progress display.
        started: called once the query runs.

    Raises:
        RouteRefused: it is of another topic, another route runs, offsets are gone, or there are too few task slots.
        CheckpointDamaged: its checkpoint cannot be read.
        RightMissing: the user of the settings may not read the topic, or not write a team's.
        StreamFailed: Spark stopped with an error.
    """
    if settings.product != "tickets":
        raise RouteRefused(
            f"Only tickets have a priority to route by, and INDUTECH_PRODUCT is {settings.product}: unset it."
        )
    with route_start.sole_route(settings):
        topic = topics.ensure_topic(broker, settings)
        topics.refuse_without("READ", broker, topic)
        destinations = sorted(urgent.team_topics(topic.name).values())
        for name in destinations:
            to_team = topics.ensure_topic(broker, settings.model_copy(update={"topic": name}))
            topics.refuse_without("WRITE", broker, to_team)
        ends, starts = topics.end_offsets(broker, topic.name), topics.start_offsets(broker, topic.name)
        known = route_start.admit(settings, topic, ends, starts)
        before, began = _counts(broker, destinations), time.monotonic()
        on_cluster = cluster.is_cluster(settings.spark_master)
        cores = None if on_cluster else topic.partitions + MORE_PARTITIONS
        spark = job.new_session(settings, cores=cores, log=LOG)
        slots = spark.sparkContext.defaultParallelism
        _refuse_too_few(topic.partitions, slots, topic.name)
        if not stop():  # Spark needs seconds to start
            query = start(spark, settings, broker, known.start_offsets, commit_every_s)
            watch = _Watch(settings, broker, destinations, before, slots, position or RoutePosition())
            _wait(spark, query, stop, settings, watch, started)
        after = _counts(broker, destinations)
        routed = {name: after[name] - before[name] for name in destinations}
        return RouteResult(routed, time.monotonic() - began, _last_commit(settings))


def start(
    spark: SparkSession, settings: Settings, broker: Broker, first_offsets: Mapping[int, int], commit_every_s: int
) -> StreamingQuery:
    """Start the real-time query; without a checkpoint it begins at these offsets."""
    query: StreamingQuery = (
        written(spark, settings, broker, first_offsets)
        .outputMode("update")  # the only one that real-time mode takes
        .trigger(realTime=f"{commit_every_s} seconds")  # type: ignore[call-overload] # PySpark 4.2 declares it nowhere
        .start()
    )
    return query


def written(
    spark: SparkSession, settings: Settings, broker: Broker, first_offsets: Mapping[int, int]
) -> DataStreamWriter:
    """Return what writes the urgent tickets of the topic to the teams, as soon as it is given a trigger."""
    return (
        urgent.routed(_messages(spark, settings, broker, first_offsets), settings.topic)
        .writeStream.format("kafka")
        .options(**connection.spark_options(broker))
        .option("kafka.linger.ms", 0)  # Kafka's producer would wait 5 ms for more
        .option("checkpointLocation", str(checkpoint(settings).folder))
    )


def _messages(spark: SparkSession, settings: Settings, broker: Broker, first_offsets: Mapping[int, int]) -> DataFrame:
    """The topic as a streaming table, one task for each partition."""
    first = {settings.topic: {str(partition): offset for partition, offset in first_offsets.items()}}
    return (
        spark.readStream.format("kafka")
        .options(**connection.spark_options(broker), **job.KAFKA_READS)
        .option("failOnDataLoss", "true")
        .option("subscribe", settings.topic)
        .option("startingOffsets", json.dumps(first))
        .load()
    )


@dataclass
class _Watch:
    """Looks from time to time at the topics: whether each partition has its task, and how much was routed."""

    settings: Settings
    broker: Broker
    destinations: list[str]
    before: Mapping[str, int]
    slots: int
    position: RoutePosition
    _next: float = 0

    def __call__(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LOOKS_EVERY_S
        try:
            partitions = len(topics.end_offsets(self.broker, self.settings.topic))
            done = sum(_counts(self.broker, self.destinations).values()) - sum(self.before.values())
        except (BrokerNotReady, KafkaException):  # Spark's clients wait for it
            return
        _refuse_too_few(partitions, self.slots, self.settings.topic)
        self.position.now = Position(f"Routing urgent tickets of {self.settings.topic}", done, unit="routed")


def _wait(
    spark: SparkSession,
    query: StreamingQuery,
    stop: Callable[[], bool],
    settings: Settings,
    watch: Callable[[], None],
    started: Callable[[], object],
) -> None:
    try:
        told = False
        while query.isActive and not stop():
            if not told and _all_tasks_run(spark):
                started()
                told = True
            if told:
                watch()
            query.awaitTermination(0.1)  # type: ignore[arg-type]
        if failure := query.exception():
            raise failure
    except PySparkException as error:
        raise StreamFailed(
            f"Spark stopped: {job.cause(error)} {_MISSING_NONE} Details: {settings.log_dir / LOG}."
        ) from error
    finally:
        query.stop()


def _all_tasks_run(spark: SparkSession) -> bool:
    """Whether each partition is being read: Spark plans and compiles for seconds after a query has started."""
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
    return bool(stages) and all(stage and stage.numActiveTasks == stage.numTasks for stage in stages)


def _refuse_too_few(partitions: int, slots: int, topic: str) -> None:
    if partitions > slots:
        raise RouteRefused(
            f"Real-time mode needs a task slot for each partition at the same time: {topic} has {partitions}, Spark "
            f"{slots}. Start again for as many threads of this machine, or give the cluster more cores. {_MISSING_NONE}"
        )


def _counts(broker: Broker, names: list[str]) -> dict[str, int]:
    return {name: sum(topics.end_offsets(broker, name).values()) for name in names}


def _last_commit(settings: Settings) -> str | None:
    """When the newest batch was committed, by the clock of this machine."""
    log = checkpoint(settings)
    number = log.last_committed()
    if number is None:
        return None
    stamp = (log.folder / "commits" / str(number)).stat().st_mtime
    return time.strftime("%H:%M:%S", time.localtime(stamp))
