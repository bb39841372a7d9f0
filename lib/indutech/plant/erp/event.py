"""A change event of Debezium as a row of the change log: what happened to which row, where in the source's log."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from confluent_kafka import Message

UNREADABLE = "unreadable"  # the op of a message that is no change event; its bytes are kept as `after`
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# `op` is Debezium's letter: r (read by the snapshot), c, u, d, t (TRUNCATE).
COLUMNS = pa.schema(
    [
        pa.field("op", pa.string()),
        pa.field("key", pa.string()),
        pa.field("before", pa.string()),
        pa.field("after", pa.string()),
        pa.field("source_lsn", pa.int64()),
        pa.field("source_tx", pa.int64()),
        pa.field("source_time", pa.timestamp("us", "UTC")),
        pa.field("snapshot", pa.string()),
        pa.field("kafka_partition", pa.int32()),
        pa.field("kafka_offset", pa.int64()),
        pa.field("kafka_timestamp", pa.timestamp("us", "UTC")),
        pa.field("processed_at", pa.timestamp("us", "UTC")),
    ]
)


def as_table(messages: Iterable[Message], now: datetime) -> pa.Table:
    """Return these messages as rows of the change log, one for each, whatever is in them."""
    return pa.Table.from_pylist([_row(message, now) for message in messages], COLUMNS)


def _row(message: Message, now: datetime) -> dict[str, Any]:
    arrived = _EPOCH + timedelta(milliseconds=message.timestamp()[1])
    row = {
        "kafka_partition": message.partition(),
        "kafka_offset": message.offset(),
        "kafka_timestamp": arrived,
        "processed_at": now,
    }
    value = message.value() or b""
    try:
        event = json.loads(value)
        source = event["source"]
        return row | {
            "op": str(event["op"]),
            "key": _key(message.key()),
            "before": _compact(event["before"]),
            "after": _compact(event["after"]),
            "source_lsn": int(source["lsn"]),
            "source_tx": int(source["txId"]),
            "source_time": _EPOCH + timedelta(microseconds=int(source["ts_us"])),
            "snapshot": str(source["snapshot"]),
        }
    except (ValueError, TypeError, KeyError):
        return row | {"op": UNREADABLE, "after": value.decode(errors="replace")}


def _key(key: bytes | str | None) -> str | None:
    """Return the value of the primary key, of one column, as text; an event of the whole table has none."""
    if key is None:
        return None
    [value] = json.loads(key).values()
    return str(value)


def _compact(row: dict[str, Any] | None) -> str | None:
    return None if row is None else json.dumps(row, ensure_ascii=False, separators=(",", ":"))
