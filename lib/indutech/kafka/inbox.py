"""Reads all messages of a topic with kafka-python into a table: key, partition, offset and size."""

from datetime import UTC, datetime

import pandas as pd
from kafka import KafkaConsumer, TopicPartition

from indutech.kafka import connection, topics
from indutech.kafka.broker import Broker


def read_back(broker: Broker, topic: str) -> pd.DataFrame:
    """Every message now in the topic: `partition`, `offset`, `key`, `bytes`, `timestamp` (the broker's), `value`."""
    end = topics.end_offsets(broker, topic)
    consumer = KafkaConsumer(
        **connection.kafka_python_config(broker), auto_offset_reset="earliest", enable_auto_commit=False
    )
    partitions = [TopicPartition(topic, partition) for partition in sorted(end)]
    rows = []
    try:
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        while any(consumer.position(partition) < end[partition.partition] for partition in partitions):
            for messages in consumer.poll(timeout_ms=500, max_records=10_000).values():
                rows += [(m.partition, m.offset, m.key, len(m.value or b""), m.timestamp, m.value) for m in messages]
    finally:
        consumer.close()
    table = pd.DataFrame(rows, columns=["partition", "offset", "key", "bytes", "timestamp", "value"])
    table["timestamp"] = [datetime.fromtimestamp(ms / 1000, UTC) for ms in table["timestamp"]]
    return table.sort_values(["partition", "offset"], ignore_index=True)


def per_partition(messages: pd.DataFrame) -> pd.DataFrame:
    """Messages, clients and offsets of each partition."""
    offsets, keys = messages.groupby("partition")["offset"], messages.groupby("partition")["key"]
    table = {
        "messages": offsets.size(),
        "clients": keys.nunique(),
        "first_offset": offsets.min(),
        "last_offset": offsets.max(),
    }
    return pd.DataFrame(table).reset_index()


def partitions_per_client(messages: pd.DataFrame) -> int:
    """In how many partitions the messages of one client are found, at most."""
    return int(messages.groupby("key")["partition"].nunique().max())
