"""The offsets of a topic: its first, its end, those a group committed, and those at which a record can be read."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import OffsetSpec

from indutech.kafka.connection import Broker, confluent_config
from indutech.kafka.readiness import ANSWERS_WITHIN_S, BrokerNotReady, asking

# Retried: the topic has just been created, or the broker has just started.
NO_LEADER_YET = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError._NOENT,  # the client's own code when no partition has a leader
)


def start_offsets(broker: Broker, name: str) -> dict[int, int]:
    """Return partition → offset of the first record that the broker still has."""
    return _offsets(broker, name, OffsetSpec.earliest())


def end_offsets(broker: Broker, name: str) -> dict[int, int]:
    """Return partition → offset that the next record will get."""
    return _offsets(broker, name, OffsetSpec.latest())


def stable_offsets(broker: Broker, name: str) -> dict[int, int]:
    """Return partition → first offset that a reader of committed records cannot reach yet: a transaction is open."""
    return _offsets(broker, name, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)


def group_offsets(broker: Broker, name: str, group: str) -> dict[int, int]:
    """Return partition → offset that this consumer group has committed, of those partitions where it has."""
    partitions = [TopicPartition(name, partition) for partition in start_offsets(broker, name)]
    consumer = Consumer({**confluent_config(broker), "group.id": group, "enable.auto.commit": False})
    try:  # asked, never joined: nothing is assigned, so nobody is rebalanced
        told = consumer.committed(partitions, timeout=ANSWERS_WITHIN_S)
    finally:
        consumer.close()
    return {place.partition: place.offset for place in told if place.offset >= 0}


def existing_offsets(broker: Broker, name: str, partition: int, first: int, last: int) -> set[int]:
    """Return the offsets from `first` to `last`, both included, at which a committed record can be read.

    The others are holes: markers of transactions, aborted records, or records that retention has deleted.
    """
    return {message.offset() or 0 for message in _records(broker, name, partition, first, last)}


def header_values(broker: Broker, name: str, since: Mapping[int, int], header: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield partition, offset and the header's value of each record that has it, from these offsets to the end."""
    for partition, end in end_offsets(broker, name).items():
        for message in _records(broker, name, partition, since.get(partition, 0), end - 1):
            for key, value in message.headers() or []:
                if key == header and isinstance(value, bytes):
                    yield partition, message.offset() or 0, value


def _records(broker: Broker, name: str, partition: int, first: int, last: int) -> Iterator[Message]:
    """Yield the committed records from `first` to `last`, both included, as far as the broker has them."""
    first = max(first, start_offsets(broker, name)[partition])
    last = min(last, end_offsets(broker, name)[partition] - 1)
    if first > last:
        return
    consumer = Consumer(
        {
            **confluent_config(broker),
            "group.id": "indutech-reads-offsets",  # required, never joined
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )
    try:
        consumer.assign([TopicPartition(name, partition, first)])
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while time.monotonic() < deadline:
            for message in consumer.consume(10_000, timeout=0.2):
                if (error := message.error()) is None:
                    if (message.offset() or 0) <= last:
                        yield message
                    if (message.offset() or 0) >= last:
                        return
                    deadline = time.monotonic() + ANSWERS_WITHIN_S
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                elif not error.retriable():
                    raise KafkaException(error)
    finally:
        consumer.close()
    raise BrokerNotReady(
        f"The broker at {broker.bootstrap_servers} gave nothing of {name}, partition {partition}, "
        f"offsets {first} to {last} for {ANSWERS_WITHIN_S} s: try again when it is up."
    )


def _offsets(
    broker: Broker, name: str, which: OffsetSpec, isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED
) -> dict[int, int]:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        with asking(broker) as admin:
            partitions = admin.list_topics(name, timeout=ANSWERS_WITHIN_S).topics[name].partitions
            asked = admin.list_offsets(
                {TopicPartition(name, partition): which for partition in partitions},
                isolation_level=isolation,
                request_timeout=ANSWERS_WITHIN_S,
            )
            try:
                return {place.partition: answer.result().offset for place, answer in sorted(asked.items())}
            except KafkaException as error:
                if error.args[0].code() not in NO_LEADER_YET or time.monotonic() > deadline:
                    raise
        time.sleep(0.05)
