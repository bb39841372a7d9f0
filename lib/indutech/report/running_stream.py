"""Runs producer and stream side by side for some seconds, and measures how long each ticket waits until it is visible.

A backlog says how fast a stream drains; how long a ticket waits shows only while both run.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pandas as pd
from pyspark.sql import SparkSession

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import identity, reader
from indutech.producer import produce
from indutech.stream import job, metrics
from indutech.stream.job import StreamResult
from indutech.stream.metrics import StreamPosition
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets import analysis

DEADLINE_S = 60


class StreamTooSlow(InduTechError):
    """The stream did not store in time what was sent beside it."""


def waited(settings: Settings, broker: Broker, spark: SparkSession, *, rate: int, seconds: int, seed: int) -> pd.Series:
    """Send at `rate` tickets per second for some seconds while the stream runs; return what each ticket waited.

    A value is in seconds, from the broker's stamp to the commit of the micro-batch that stored the ticket: from then on
    a reader sees it. Topic and lake are separate ones, so that nothing else of the notebook changes.

    Raises:
        StreamTooSlow: a minute after the last ticket was sent, some are not stored.
    """
    folder, topic = settings.data_dir / "runs" / "live", f"{settings.topic}-live"
    own = settings.model_copy(update={"topic": topic, "data_dir": folder, "lake_uri": None, "trigger_s": 0.5})
    topics.ensure_topic(broker, own)
    before = topics.end_offsets(broker, own.topic)
    stopping, position = threading.Event(), StreamPosition(own, broker, asks=False)
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(job.run, own, broker, once=False, spark=spark, position=position, stop=stopping.is_set)
        try:
            _wait(running, lambda: position.is_running, own)
            produce.produce(own, broker, count=rate * seconds, rate=rate, seed=seed, progress=False)
            _wait(running, lambda: _all_stored(own, broker), own)
        finally:
            stopping.set()
        running.result()
    rows = reader.read(own, "tickets", ["kafka_partition", "kafka_offset", "kafka_timestamp", "batch"]).to_pandas()
    rows = rows[rows["kafka_offset"] >= rows["kafka_partition"].map(before)]
    return analysis.visible_after_s(rows, pd.DataFrame(metrics.read(own.metrics_file)))


def _all_stored(settings: Settings, broker: Broker) -> bool:
    backlog = identity.backlog(settings, broker)
    return backlog is not None and not backlog.waiting


def _wait(running: Future[StreamResult], happened: Callable[[], bool], settings: Settings) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not happened():
        if running.done():
            running.result()  # raises what stopped it
        if time.monotonic() > deadline:
            raise StreamTooSlow(
                f"After {DEADLINE_S} s the stream has not stored what was sent to {settings.topic}. "
                f"Send fewer tickets per second, or look at {settings.log_dir / 'spark.log'}."
            )
        time.sleep(0.05)
