"""Quix Streams, a stream processor in Python: the same validation in its sink, a process for each core, at least once.

It runs in an environment of its own, because it asks for an older confluent-kafka than this project has.
"""

import json
import sys
import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
from quixstreams import Application  # type: ignore[import-not-found] # in .venv-quix
from quixstreams.sinks.base import BatchingSink, SinkBatch  # type: ignore[import-not-found]

from bench.jobs.by_hand import AT_ONCE, PROCESSES, tables
from indutech.kafka import topics
from indutech.kafka.connection import Broker

COMMITS_EVERY_S = 1.0


class Message:
    """A record as confluent-kafka gives it, from what Quix Streams keeps of it."""

    def __init__(self, topic: str, partition: int, item: Any) -> None:
        self._topic, self._partition, self._item = topic, partition, item

    def value(self) -> bytes:
        """Its bytes."""
        return bytes(self._item.value)

    def key(self) -> bytes:
        """Its key."""
        return bytes(self._item.key)

    def topic(self) -> str:
        """Its topic."""
        return self._topic

    def partition(self) -> int:
        """Its partition."""
        return self._partition

    def offset(self) -> int:
        """Its offset."""
        return int(self._item.offset)

    def timestamp(self) -> tuple[int, int]:
        """Its kind of time, and milliseconds."""
        return 1, int(self._item.timestamp)


class Lake(BatchingSink):  # type: ignore[misc]
    """Validates each batch and writes its rows as one file; ends the application once all have come."""

    def __init__(self, folder: Path, left: "Synchronized[int]") -> None:
        super().__init__()
        self.folder, self.left = folder, left
        self.began = self.ended = 0.0
        self.stored = self.files = 0

    def add(self, **record: Any) -> None:
        """Note when the first one comes."""
        self.began = self.began or time.time()
        super().add(**record)

    def write(self, batch: SinkBatch) -> None:
        """One file for what came of a partition since the last commit."""
        rows, refused = tables([Message(batch.topic, batch.partition, item) for item in batch])
        self.files += 1
        name = f"{batch.partition}-{self.files}.parquet"
        pq.write_table(rows, self.folder / name, compression="zstd")
        pq.write_table(refused, self.folder / f"refused-{name}", compression="zstd")
        self.stored, self.ended = self.stored + rows.num_rows, time.time()
        with self.left.get_lock():
            self.left.value -= batch.size


def _work(number: int, address: str, topic: str, folder: str, left: "Synchronized[int]", told: Any) -> None:
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    sink = Lake(place, left)
    application = Application(
        broker_address=address,
        consumer_group=f"quix-{place.name}",
        auto_offset_reset="earliest",
        commit_interval=COMMITS_EVERY_S,
        commit_every=5 * AT_ONCE,
        loglevel="WARNING",
        auto_create_topics=False,
        state_dir=place / f"state-{number}",
    )
    frame = application.dataframe(application.topic(topic, value_deserializer="bytes", key_deserializer="bytes"))
    frame.sink(sink)
    while left.value > 0:
        application.run(timeout=2 * COMMITS_EVERY_S, collect=False)
    told.put((sink.began, sink.ended, sink.stored))


if __name__ == "__main__":
    address, topic, folder = sys.argv[1:]
    left = PROCESSES.Value("q", sum(topics.end_offsets(Broker(address, embedded=False), topic).values()))
    told: Any = PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=_work, args=(number, address, topic, folder, left, told))
        for number in range(psutil.cpu_count() or 1)
    ]
    for worker in workers:
        worker.start()
    while any(worker.exitcode is None for worker in workers) and not any(worker.exitcode for worker in workers):
        time.sleep(0.2)
    if any(worker.exitcode for worker in workers):
        for worker in workers:
            worker.terminate()
        sys.exit("a worker failed")
    found = [told.get() for _ in workers]
    began = min(first for first, _, _ in found if first)
    print(json.dumps({"seconds": max(end for _, end, _ in found) - began, "stored": sum(one[2] for one in found)}))
