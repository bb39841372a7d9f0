"""The topic's side of an audit: what it must have given to the table, asked from a broker or said by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.proof import ranges
from indutech.proof.ranges import Range
from indutech.proof.sources.unit import Ints
from indutech.system.errors import InduTechError

_MOST_OFFSETS_ASKED = 1_000_000

ToldApart = Callable[[int, Sequence[Range]], tuple[list[Range], list[Range]]]


class TopicUnknown(InduTechError):
    """There is no such topic, or what was said of it by hand cannot be understood."""


@dataclass(frozen=True)
class TopicSide:
    """Offsets per partition: the first that is still there, the next that will come, and how far a group has read.

    From `stable` on, records belong to transactions that are still open. `told_apart` says of missing offsets which
    have a record (lost) and which have none (gaps); without a broker it is None.
    """

    topic: str
    start: Mapping[int, int]
    end: Mapping[int, int]
    stable: Mapping[int, int]
    committed: Mapping[int, int] = field(default_factory=dict)
    topic_id: str = ""
    told_by: str = "by hand"
    told_apart: ToldApart | None = None


def ask_group(broker: Broker, topic: str, group: str) -> dict[int, int]:
    """How far this consumer group has committed; ask before the table is opened.

    Raises:
        TopicUnknown: the topic is not there, or the group has committed nothing of it.
    """
    described(broker, topic)
    committed = topics.group_offsets(broker, topic, group)
    if not committed:
        raise TopicUnknown(f"The consumer group {group} has committed no offset of topic {topic}: check its name.")
    return committed


def ask(broker: Broker, topic: str, committed: Mapping[int, int] | None = None) -> TopicSide:
    """What the broker says of the topic; ask after the table was counted, so that no row can be newer than its end.

    Raises:
        TopicUnknown: the topic is not there.
    """
    topic_id = described(broker, topic)
    return TopicSide(
        topic=topic,
        start=topics.start_offsets(broker, topic),
        end=topics.end_offsets(broker, topic),
        stable=topics.stable_offsets(broker, topic),
        committed=committed or {},
        topic_id=topic_id,
        told_by=f"broker {broker.bootstrap_servers}",
        told_apart=partial(told_apart, broker, topic),
    )


def by_hand(topic: str, text: str) -> TopicSide:
    """Read `PARTITION:START:END[:COMMITTED]`, comma separated: END is the next offset, as Kafka's own tools print it.

    Raises:
        TopicUnknown: it cannot be read.
    """
    start, end, committed = {}, {}, {}
    for one in text.replace(" ", "").split(","):
        try:
            partition, first, last, *more = (int(number) for number in one.split(":"))
            if not 0 <= first <= last or len(more) > 1 or partition in start or any(m > last for m in more):
                raise ValueError
        except ValueError as error:
            raise TopicUnknown(
                f"{one!r} is no range: write PARTITION:START:END or PARTITION:START:END:COMMITTED, comma separated, "
                "each partition once; END is the offset that the next record will get, so 0:0:1000 is 0 to 999."
            ) from error
        start[partition], end[partition] = first, last
        if more:
            committed[partition] = more[0]
    return TopicSide(topic, start, end, end, committed)


def told_apart(broker: Broker, topic: str, partition: int, missing: Sequence[Range]) -> tuple[list[Range], list[Range]]:
    """Missing offsets that hold a record are lost; where the broker has none (a transaction marker), it is a gap.

    Beyond a million missing offsets the broker is not asked any more: they count as lost.
    """
    lost: list[Range] = []
    gaps: list[Range] = []
    asked = 0
    for low, high in missing:
        asked += high - low + 1
        if asked > _MOST_OFFSETS_ASKED:
            lost.append((low, high))
            continue
        there = topics.existing_offsets(broker, topic, partition, low, high)
        wanted: Ints = np.arange(low, high + 1)
        held = np.isin(wanted, np.fromiter(there, dtype=np.int64, count=len(there)))
        lost.extend(ranges.listed(ranges.of_offsets(wanted[held])))
        gaps.extend(ranges.listed(ranges.of_offsets(wanted[~held])))
    return lost, gaps


def described(broker: Broker, topic: str) -> str:
    """The id of the topic.

    Raises:
        TopicUnknown: the topic is not there.
    """
    found = topics.describe_topic(broker, topic)
    if found is None:
        raise TopicUnknown(
            f"Topic {topic} does not exist at {broker.bootstrap_servers}. "
            "Name another with --topic, or say by hand what it held, with --ranges."
        )
    return found.topic_id
