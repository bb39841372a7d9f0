"""What the tests of the producer look at: the records of a topic, and the command line as a user would start it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.system.settings import Settings


@dataclass(frozen=True)
class Record:
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_ms: int


def records(broker: Broker, topic: str) -> list[Record]:
    """Every record of a topic, by partition and offset."""
    ends = topics.end_offsets(broker, topic)
    consumer = Consumer({**confluent_config(broker), "group.id": "tests", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
    found: list[Record] = []
    deadline = time.monotonic() + 30
    while len(found) < sum(ends.values()) and time.monotonic() < deadline:
        for one in consumer.consume(5_000, timeout=0.2):
            assert one.error() is None
            found.append(Record(one.partition(), one.offset(), one.key(), one.value(), one.timestamp()[1]))
    consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def start_cli(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    """Start `indutech` with these settings in its environment."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
        "KAFKA_TOPIC": settings.topic,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
    }
    command = [sys.executable, "-m", "indutech", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(true: Callable[[], bool], seconds: float = 30, every: float = 0.02) -> None:
    """Return once it is true; fail if that takes too long. Each look takes its share of what it waits for."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(every)
