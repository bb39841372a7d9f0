"""The change log in the lake: every event of a table's topic once, in files named by their first offset.

A file is seen whole or not at all, and the next one begins where the newest ends: what is stored says itself how far
the log is, so there is no checkpoint that could disagree with it, and a kill at any moment costs nothing.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from filelock import FileLock, Timeout

from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.kafka.readiness import BrokerNotReady
from indutech.kafka.topics import Topic
from indutech.lake.identity import LakeIdentityMismatch
from indutech.lake.store import files, lease
from indutech.lake.store.files import LakePath
from indutech.lake.store.s3_path import S3Path
from indutech.lake.writer_lock import SecondWriter
from indutech.plant.erp import event
from indutech.plant.erp.connect import topic_of
from indutech.plant.erp.tables import Table
from indutech.system.settings import Settings

MOST_IN_A_FILE = 50_000
_NO_MESSAGE_FOR_S = 30.0


@dataclass(frozen=True)
class Stored:
    """What one pass stored: events and files, and the offset after the last."""

    events: int
    files: int
    next_offset: int


@dataclass(frozen=True)
class LogPosition:
    """How many events the topic of a table has, and how many of them the change log has."""

    captured: int
    stored: int

    @property
    def waiting(self) -> int:
        """How many are in the topic only."""
        return max(0, self.captured - self.stored)


def root(settings: Settings, table: Table) -> LakePath:
    """Where the lake keeps a table of the ERP."""
    return files.root(settings) / "erp" / table.name


def log_files(settings: Settings, table: Table) -> list[LakePath]:
    """The files of the change log, oldest first."""
    found = (root(settings, table) / "changes").glob("ingest_date=*/batch=*/*.parquet")
    return sorted(found, key=_first_offset)


def next_offset(settings: Settings, table: Table) -> int:
    """The offset that the change log goes on with."""
    there = log_files(settings, table)
    return _first_offset(there[-1]) + files.metadata(there[-1]).num_rows if there else 0


def position(settings: Settings, broker: Broker, table: Table) -> LogPosition:
    """Return how far the change log is; nothing is captured while there is no topic."""
    topic = topic_of(settings.erp_topics, table)
    end = topics.end_offsets(broker, topic)[0] if topics.describe_topic(broker, topic) else 0
    return LogPosition(end, next_offset(settings, table))


@contextmanager
def sole_writer(settings: Settings, table: Table) -> Iterator[Callable[[], None]]:
    """Hold the change log for this process, and give what raises WriterReplaced once it is not held any more.

    Raises:
        SecondWriter: another process of this data folder holds it.
        HeldElsewhere: another data folder holds the lease of the bucket.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.data_dir / f"erp-{table.name}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondWriter(
            f"Another `indutech erp store` is writing the {table.name} of {settings.data_dir}: wait for it, or stop it."
        ) from None
    try:
        place = root(settings, table)
        with lease.held(place, settings.data_dir) if isinstance(place, S3Path) else nullcontext() as held:
            yield held.check if held else lambda: None
    finally:
        lock.release()


def store(settings: Settings, broker: Broker, table: Table, still_ours: Callable[[], None] = lambda: None) -> Stored:
    """Append what the topic holds now, each event once; the caller is the sole writer.

    Raises:
        LakeIdentityMismatch: the change log came from another topic, or the broker has deleted what is not stored yet.
    """
    name = topic_of(settings.erp_topics, table)
    topic = topics.describe_topic(broker, name)
    if topic is None:
        return Stored(0, 0, next_offset(settings, table))
    _admit(settings, table, topic)
    first, end = next_offset(settings, table), topics.end_offsets(broker, name)[0]
    _refuse_gap(settings, table, name, first, topics.start_offsets(broker, name)[0], end)
    events = written = 0
    for messages in _messages(broker, name, first, end):
        for day, of_day in groupby(messages, _day):
            rows = event.as_table(of_day, datetime.now(UTC))
            still_ours()
            _write(settings, table, day, rows)
            events, written = events + rows.num_rows, written + 1
    return Stored(events, written, first + events)


def _write(settings: Settings, table: Table, day: str, rows: pa.Table) -> None:
    first = rows["kafka_offset"][0].as_py()
    folder = root(settings, table) / "changes" / f"ingest_date={day}" / f"batch={first}"
    put(settings, rows, folder / "part-0.parquet")


def put(settings: Settings, rows: pa.Table, target: LakePath) -> None:
    """Write a table as one file of the lake, which readers see whole or not at all."""
    draft = settings.erp_dir / "drafts" / f"{target.parent.parent.name}-{target.parent.name}.parquet"
    draft.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(target, Path):  # a rename is atomic only within one file system
        draft = target.parent / f".{target.name}.part"
        files.make_folder(target.parent)
    pq.write_table(rows, draft, compression="zstd")
    files.take_in(draft, target)


def _admit(settings: Settings, table: Table, topic: Topic) -> None:
    """Refuse a stranger: its offsets would name other events."""
    file = root(settings, table) / "identity.json"
    ours = {"topic": topic.name, "topic_id": topic.topic_id, "cluster_id": topic.cluster_id}
    try:
        known = json.loads(file.read_text())
    except FileNotFoundError:
        files.make_folder(file.parent)
        files.write_json(file, ours)
        return
    if known != ours:
        raise LakeIdentityMismatch(
            f"The changes in {file.parent} came from topic {known['topic']} (id {known['topic_id']}), and this one is "
            f"{topic.name} (id {topic.topic_id}): use another INDUTECH_DATA_DIR, or `indutech reset` to start over."
        )


def _refuse_gap(settings: Settings, table: Table, name: str, first: int, start: int, end: int) -> None:
    if not start <= first <= end:
        raise LakeIdentityMismatch(
            f"The changes in {root(settings, table)} go on with offset {first}, but the topic {name} has {start} to "
            f"{end}: changes are missing. Use another INDUTECH_DATA_DIR, or `indutech reset` to start over."
        )


def _messages(broker: Broker, name: str, first: int, end: int) -> Iterator[list[Message]]:
    """Yield the messages from `first` until `end`, some at a time."""
    if first >= end:
        return
    consumer = Consumer(
        {
            **confluent_config(broker),
            "group.id": "indutech-erp",  # required, never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
        }
    )
    try:
        consumer.assign([TopicPartition(name, 0, first)])
        deadline = time.monotonic() + _NO_MESSAGE_FOR_S
        while first < end:
            told = consumer.consume(min(MOST_IN_A_FILE, end - first), timeout=0.2)
            for error in (message.error() for message in told):
                if error and not error.retriable():
                    raise KafkaException(error)
            if messages := [message for message in told if message.error() is None]:
                yield messages
                first = (messages[-1].offset() or 0) + 1
                deadline = time.monotonic() + _NO_MESSAGE_FOR_S
            elif time.monotonic() > deadline:
                raise BrokerNotReady(
                    f"The broker at {broker.bootstrap_servers} gave nothing of {name} from offset {first} to {end} for "
                    f"{_NO_MESSAGE_FOR_S:g} s: try again when it is up."
                )
    finally:
        consumer.close()


def _day(message: Message) -> str:
    return datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC).date().isoformat()


def _first_offset(file: LakePath) -> int:
    return int(file.parent.name.removeprefix("batch="))
