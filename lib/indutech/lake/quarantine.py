"""Reads the quarantine: messages that broke the contract, by reason, by place in the topic and by time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from indutech.lake import layout, reader
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

_READ_AT_ONCE = 5_000
_COLUMNS = "kafka_partition, kafka_offset, kafka_timestamp, reason, raw, kafka_key, kafka_topic"


class NotInQuarantine(InduTechError):
    """No refused message stands at that place of the topic."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a message stands in the topic; written PARTITION:OFFSET."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True)
class Refused:
    """One message of the quarantine."""

    place: Place
    timestamp: datetime
    reason: str
    value: bytes | None
    key: bytes | None
    topic: str


@dataclass(frozen=True)
class Selection:
    """Which messages are meant: all that meet every condition that is given."""

    reason: str = ""  # how the reason begins
    ranges: Sequence[tuple[int, int, int]] = ()  # partition, first and last offset, both included; any of them
    since: datetime | None = None  # the broker's timestamp
    until: datetime | None = None  # not included

    def _sql(self) -> tuple[str, list[object]]:
        conditions, values = ["true"], list[object]()
        if self.reason:
            conditions.append("starts_with(reason, ?)")
            values.append(self.reason)
        if self.ranges:
            one = "(kafka_partition = ? AND kafka_offset BETWEEN ? AND ?)"
            conditions.append(f"({' OR '.join([one] * len(self.ranges))})")
            values += [number for listed in self.ranges for number in listed]
        for sign, moment in ((">=", self.since), ("<", self.until)):
            if moment:
                conditions.append(f"kafka_timestamp {sign} ?")
                values.append(moment)
        return " AND ".join(conditions), values


def counts(settings: Settings, selection: Selection) -> dict[str, int]:
    """Return reason → number of selected messages, the most frequent first."""
    where, values = selection._sql()
    rows = reader.query(
        settings, f"SELECT reason, count(*) AS n FROM quarantine WHERE {where} GROUP BY ALL ORDER BY n DESC, 1", values
    )
    return {str(reason): int(n) for reason, n in rows.itertuples(index=False)}


def messages(settings: Settings, selection: Selection, most: int | None = None) -> Iterator[Refused]:
    """Yield the selected messages by partition and offset; a bounded number of them is in memory at a time."""
    where, values = selection._sql()
    last, left = Place(-1, -1), most
    while left is None or left > 0:
        at_most = _READ_AT_ONCE if left is None else min(left, _READ_AT_ONCE)
        rows = reader.query(
            settings,
            f"SELECT {_COLUMNS} FROM quarantine WHERE {where} AND (kafka_partition, kafka_offset) > (?, ?) "
            f"ORDER BY kafka_partition, kafka_offset LIMIT {at_most}",
            [*values, last.partition, last.offset],
        )
        for row in rows.itertuples(index=False):
            refused = _refused(row)
            last = refused.place
            yield refused
        if len(rows) < at_most:
            return
        left = None if left is None else left - len(rows)


def message(settings: Settings, place: Place) -> Refused:
    """Return the refused message at this place.

    Raises:
        NotInQuarantine: it is a right one of the lake, or was not stored yet.
    """
    wanted = Selection(ranges=[(place.partition, place.offset, place.offset)])
    if found := next(messages(settings, wanted, most=1), None):
        return found
    raise NotInQuarantine(
        f"No refused message of partition {place.partition}, offset {place.offset} is in "
        f"{layout.root(settings, 'quarantine')}: `indutech quarantine list` names those that are."
    )


def _refused(row: Any) -> Refused:
    return Refused(
        place=Place(int(row.kafka_partition), int(row.kafka_offset)),
        timestamp=row.kafka_timestamp.to_pydatetime(),
        reason=str(row.reason),
        value=_bytes(row.raw),
        key=_bytes(row.kafka_key),
        topic=str(row.kafka_topic),
    )


def _bytes(value: object) -> bytes | None:
    return bytes(value) if isinstance(value, bytes | bytearray) else None
