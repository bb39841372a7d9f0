"""The topic of the tickets: created with its settings, described with its id, deleted; its offsets are in `offsets`."""

import base64
import time
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import ConfigResource, ResourceType
from confluent_kafka.cimpl import NewTopic

from indutech.kafka.connection import Broker
from indutech.kafka.offsets import (
    end_offsets,
    existing_offsets,
    group_offsets,
    header_values,
    stable_offsets,
    start_offsets,
)
from indutech.kafka.readiness import ANSWERS_WITHIN_S, BrokerNotReady, RightMissing, asking, right_missing
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

__all__ = [
    "Topic",
    "TopicDiffers",
    "TopicRefused",
    "describe_topic",
    "end_offsets",
    "ensure_topic",
    "existing_offsets",
    "group_offsets",
    "header_values",
    "stable_offsets",
    "start_offsets",
]

BROKERS_OWN = -1  # number of copies

CONFIG = {
    # The producer's clock is Kafka's default; a wrong one would put tickets under wrong days, or delete them at once.
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
}

REFUSALS = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.TOPIC_EXCEPTION,
)


class TopicRefused(InduTechError):
    """The topic is compacted, so that offsets prove nothing, or cannot be created."""


class TopicDiffers(UserWarning):
    """An existing topic has another setting than the one we would have made."""


@dataclass(frozen=True)
class Topic:
    """A topic as the broker knows it; a recreated one has the same name and another id."""

    name: str
    topic_id: str  # empty if the broker is too old to give topics an id
    cluster_id: str
    partitions: int
    config: Mapping[str, str]
    rights: frozenset[str] | None = None  # what we may do with it, in Kafka's words; None if the broker does not say


def ensure_topic(broker: Broker, settings: Settings) -> Topic:
    """Return the topic of the settings, made with LogAppendTime and no retention limit if it is missing.

    An existing one is accepted, with a `TopicDiffers` warning for each setting that differs.

    Raises:
        TopicRefused: it is compacted, so that tickets vanish from it, or the broker does not let us make it.
    """
    topic = describe_topic(broker, settings.topic) or _create(broker, settings)
    if "compact" in topic.config.get("cleanup.policy", ""):
        raise TopicRefused(
            f"The topic {topic.name} is compacted: Kafka deletes all but the last ticket of each client, and nothing "
            "could prove that none was lost; set cleanup.policy=delete on it, or another KAFKA_TOPIC."
        )
    for setting, wanted in {"partitions": str(settings.topic_partitions), **CONFIG}.items():
        found = str(topic.partitions) if setting == "partitions" else topic.config.get(setting, wanted)
        if found != wanted:
            warnings.warn(
                f"The existing topic {topic.name} has {setting}={found} where InduTech would set {wanted}.",
                TopicDiffers,
                stacklevel=2,
            )
    return topic


def describe_topic(broker: Broker, name: str) -> Topic | None:
    """Return the topic, or None if the broker has none of that name."""
    resource = ConfigResource(ResourceType.TOPIC, name)
    with asking(broker) as admin:
        try:
            told = admin.describe_topics(
                TopicCollection([name]), include_authorized_operations=True, request_timeout=ANSWERS_WITHIN_S
            )[name].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise
        config = admin.describe_configs([resource], request_timeout=ANSWERS_WITHIN_S)[resource].result()
        cluster_id = admin.list_topics(name, timeout=ANSWERS_WITHIN_S).cluster_id
    return Topic(
        name=name,
        topic_id=_as_uuid(told.topic_id),
        cluster_id=str(cluster_id),
        partitions=len(told.partitions),
        config={key: entry.value for key, entry in sorted(config.items()) if entry.value is not None},
        rights=frozenset(right.name for right in told.authorized_operations or ()) or None,
    )


def refuse_without(right: str, broker: Broker, topic: Topic) -> None:
    """Raise if the user may not READ or WRITE this topic: clients would find out later, with a less clear error.

    Raises:
        RightMissing: the user is known, but lacks this right.
    """
    if topic.rights is not None and right not in topic.rights:
        raise RightMissing(right_missing(broker, f"{right} on topic {topic.name}"))


def delete_topic(broker: Broker, name: str) -> None:
    """Delete a topic that was made for one run; nothing happens if it is not there."""
    with asking(broker) as admin:
        try:
            admin.delete_topics([name], request_timeout=ANSWERS_WITHIN_S)[name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise


def _create(broker: Broker, settings: Settings) -> Topic:
    # The broker knows how many copies it wants: one of an embedded broker, three of three.
    wanted = NewTopic(
        settings.topic, num_partitions=settings.topic_partitions, replication_factor=BROKERS_OWN, config=CONFIG
    )
    with asking(broker) as admin:
        try:
            admin.create_topics([wanted], request_timeout=ANSWERS_WITHIN_S)[settings.topic].result()
        except KafkaException as error:
            if error.args[0].code() in REFUSALS:
                raise TopicRefused(
                    f"The broker at {broker.bootstrap_servers} does not let us create the topic {settings.topic} "
                    f"({error.args[0].str()}): have it created, or set another KAFKA_TOPIC."
                ) from error
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # by somebody who was faster
                raise
        deadline = time.monotonic() + settings.broker_timeout_s
        while time.monotonic() < deadline:
            partitions = admin.list_topics(settings.topic, timeout=ANSWERS_WITHIN_S).topics[settings.topic].partitions
            led = bool(partitions) and all(one.leader >= 0 for one in partitions.values())
            if led and (topic := describe_topic(broker, settings.topic)):
                return topic
            time.sleep(0.05)
    raise BrokerNotReady(
        f"The topic {settings.topic}, just created at {broker.bootstrap_servers}, had no leader "
        f"within {settings.broker_timeout_s:g} s: look at the broker's log."
    )


def _as_uuid(topic_id: Any) -> str:
    """Return the usual form of an id that Kafka prints in base64; empty if the broker is too old to give one."""
    bits = base64.b64decode(f"{topic_id or ''}==") or bytes(16)
    return str(uuid.UUID(bytes=bits)) if any(bits) else ""
