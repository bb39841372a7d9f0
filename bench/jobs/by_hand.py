"""A consumer written by hand: confluent-kafka and pyarrow, a process for each core, the same validation, no recovery.

One expression of the contract's own patterns takes a message apart; what it does not take, the contract validates in
full. Nothing tells what a kill loses or doubles: files are closed at the end, and no offset is kept beside them.
"""

import json
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, Message, TopicPartition

from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.tickets import compact_json, schema
from indutech.tickets.contract import FIELDS, KINDS, PRODUCT, TEAM_FOR_TYPE, Rejected

AT_ONCE, ROWS_A_GROUP = 20_000, 500_000
PROCESSES = multiprocessing.get_context("spawn")  # a fork keeps the locks of librdkafka that a thread held
LAKE = schema.of(PRODUCT).lake
RIGHT, WRONG = LAKE[PRODUCT.name], LAKE[schema.QUARANTINE]


def expression() -> re.Pattern[str]:
    """The message as the producer writes it, a group for each field."""
    layout = compact_json.of(PRODUCT)
    fields = "".join(f"{re.escape(layout.before[name])}({KINDS[name].fast_pattern})" for name in FIELDS)
    return re.compile(fields + re.escape(layout.end))


def tables(messages: Sequence[Message]) -> tuple[pa.Table, pa.Table]:
    """Validate messages; return the rows of the lake and those of the quarantine."""
    whole, now = expression().fullmatch, datetime.now(UTC)
    right, wrong = [], []
    for message in messages:
        value, place = message.value(), (message.partition(), message.offset(), message.timestamp()[1] * 1_000)
        try:
            found = whole(value.decode())
        except UnicodeDecodeError:
            found = None
        if found:
            right.append((*found.groups(), *place))
        elif isinstance(ticket := PRODUCT.validate(value), Rejected):
            wrong.append((value, ticket.reason, message.key(), message.topic(), *place))
        else:
            right.append((*_as_written(ticket.model_dump(mode="json")), *place))
    columns = list(zip(*right, strict=True)) or [()] * (len(FIELDS) + 3)
    teams = [TEAM_FOR_TYPE[name] for name in columns[FIELDS.index("type")]]
    return (
        _table(RIGHT, [*columns[: len(FIELDS)], teams, *columns[len(FIELDS) :]], now),
        _table(WRONG, list(zip(*wrong, strict=True)) or [()] * 7, now),
    )


def _as_written(fields: dict[str, object]) -> Iterator[str]:
    return (str(fields[name]) for name in FIELDS)


def _table(stored: pa.Schema, columns: Sequence[Sequence[object]], now: datetime) -> pa.Table:
    columns = [*columns, [now] * len(columns[0])]
    arrays = [
        pa.array(column) if len(column) else pa.array([], field.type)
        for column, field in zip(columns, stored, strict=True)
    ]
    return pa.Table.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, stored, strict=True)], schema=stored
    )


def drain(address: str, topic: str, partitions: Sequence[int], folder: Path) -> int:
    """Read these partitions to the ends that they have now; return how many rows were written."""
    broker = Broker(address, embedded=False)
    ends = topics.end_offsets(broker, topic)
    consumer = Consumer(
        confluent_config(broker) | {"group.id": topic, "auto.offset.reset": "earliest", "queued.min.messages": 200_000}
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    left, stored, waiting = sum(ends[partition] for partition in partitions), 0, []
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        to_lake, to_quarantine = (
            files.enter_context(
                pq.ParquetWriter(folder / f"{name}-{partitions[0]}.parquet", LAKE[name], compression="zstd")
            )
            for name in (PRODUCT.name, schema.QUARANTINE)
        )
        while left:
            messages = consumer.consume(AT_ONCE, 1)
            rows, refused = tables(messages)
            waiting.append(rows)
            left -= len(messages)
            stored += rows.num_rows
            to_quarantine.write_table(refused)
            if not left or sum(table.num_rows for table in waiting) >= ROWS_A_GROUP:
                to_lake.write_table(pa.concat_tables(waiting))
                waiting = []
    consumer.close()
    return stored


def _work(
    address: str, topic: str, partitions: Sequence[int], folder: str, start: Barrier, told: "multiprocessing.Queue[int]"
) -> None:
    drain(address, f"{topic}-warm-up", partitions, Path(folder) / "warm-up")
    start.wait()
    told.put(drain(address, topic, partitions, Path(folder) / "lake"))


if __name__ == "__main__":
    address, topic, folder = sys.argv[1:]
    every = sorted(topics.end_offsets(Broker(address, embedded=False), topic))
    shares = [share for core in range(psutil.cpu_count() or 1) if (share := every[core :: psutil.cpu_count() or 1])]
    start, told = PROCESSES.Barrier(len(shares) + 1), PROCESSES.Queue()
    workers = [PROCESSES.Process(target=_work, args=(address, topic, share, folder, start, told)) for share in shares]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    stored = sum(told.get() for _ in workers)
    print(json.dumps({"seconds": time.perf_counter() - began, "stored": stored}))
