"""The topic is made as the proof by offsets needs it, recognised by its id, and asked which offsets exist."""

import os
import signal
import time
import uuid
import warnings
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.kafka.topics import TopicDiffers, TopicRefused
from indutech.system.settings import Settings

SLEEPS, SLEPT_S = 6, 7  # longer than the session of 4 s


@pytest.fixture
def own_topic(settings: Settings) -> Settings:
    """Settings with a topic that no other test uses."""
    return settings.model_copy(update={"topic": f"test-{uuid.uuid4().hex}"})


def admin_of(broker: Broker) -> AdminClient:
    """Return an administrator of the broker."""
    return AdminClient(confluent_config(broker))


def create(broker: Broker, name: str, partitions: int = 1, **config: str) -> None:
    """Create a topic the way somebody else would."""
    configuration = {key.replace("_", "."): value for key, value in config.items()}
    wanted = NewTopic(name, num_partitions=partitions, replication_factor=1, config=configuration)
    admin = admin_of(broker)
    admin.create_topics([wanted])[name].result(timeout=30)


def test_missing_topic_is_made_for_a_proof(broker: Broker, own_topic: Settings) -> None:
    """A new topic has 4 partitions, the broker's clock and no limit of retention, and makes no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = topics.ensure_topic(broker, own_topic)
        again = topics.ensure_topic(broker, own_topic)

    assert made == again == topics.describe_topic(broker, own_topic.topic)
    assert made.partitions == 4
    wanted = {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
    }
    assert {key: made.config[key] for key in wanted} == wanted


def test_a_topic_is_made_with_the_partitions_that_are_asked_for(broker: Broker, own_topic: Settings) -> None:
    """One that is there with fewer stays as it is, and is warned about."""
    assert topics.ensure_topic(broker, own_topic.model_copy(update={"topic_partitions": 6})).partitions == 6
    with pytest.warns(TopicDiffers, match="partitions=6 where InduTech would set 4"):
        topics.ensure_topic(broker, own_topic)


def test_unknown_topic_is_none(broker: Broker, own_topic: Settings) -> None:
    """Asking for a topic that is not there does not create it."""
    assert topics.describe_topic(broker, own_topic.topic) is None
    assert own_topic.topic not in admin_of(broker).list_topics(timeout=10).topics


def test_somebody_elses_topic_is_accepted_with_a_warning(broker: Broker, own_topic: Settings) -> None:
    """Each setting that differs from ours is named, with both values."""
    create(broker, own_topic.topic, partitions=1, retention_ms="3600000", message_timestamp_type="CreateTime")

    with pytest.warns(TopicDiffers) as warned:
        topic = topics.ensure_topic(broker, own_topic)

    assert topic.partitions == 1
    assert sorted(str(one.message).partition(" has ")[2] for one in warned) == [
        "message.timestamp.type=CreateTime where InduTech would set LogAppendTime.",
        "partitions=1 where InduTech would set 4.",
        "retention.ms=3600000 where InduTech would set -1.",
    ]


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_compacted_topic_is_refused(broker: Broker, own_topic: Settings, policy: str) -> None:
    """A topic from which Kafka itself deletes tickets can carry no proof."""
    create(broker, own_topic.topic, cleanup_policy=policy)

    with pytest.raises(TopicRefused, match="compacted"):
        topics.ensure_topic(broker, own_topic)


def test_recreated_topic_has_another_id(broker: Broker, own_topic: Settings) -> None:
    """The name stays and the id changes: that is how a lake knows that its offsets mean something else now."""
    first = topics.ensure_topic(broker, own_topic)
    admin = admin_of(broker)
    admin.delete_topics([first.name])[first.name].result(timeout=30)
    deadline = time.monotonic() + 30
    while topics.describe_topic(broker, first.name) is not None and time.monotonic() < deadline:
        time.sleep(0.02)  # the broker answers before it has forgotten the topic

    second = topics.ensure_topic(broker, own_topic)

    assert uuid.UUID(first.topic_id) != uuid.UUID(second.topic_id)
    assert (first.name, first.cluster_id) == (second.name, second.cluster_id)


def test_offsets_around_transactions(broker: Broker, own_topic: Settings) -> None:
    """Markers of transactions and aborted records are holes; committed and plain records exist."""
    name = topics.ensure_topic(broker, own_topic).name
    plain = Producer({**confluent_config(broker), "acks": "all"})
    transactional = Producer({**confluent_config(broker), "transactional.id": name})
    transactional.init_transactions(30)

    def send(producer: Producer, count: int) -> None:
        for number in range(count):
            producer.produce(name, str(number), partition=1)
        producer.flush(30)

    def wait_for_marker(end: int) -> None:
        """The broker answers before it has written the marker."""
        deadline = time.monotonic() + 30
        while topics.end_offsets(broker, name)[1] < end and time.monotonic() < deadline:
            time.sleep(0.02)
        assert topics.end_offsets(broker, name) == {0: 0, 1: end, 2: 0, 3: 0}

    send(plain, 2)  # 0 1
    transactional.begin_transaction()
    send(transactional, 3)  # 2 3 4
    transactional.commit_transaction(30)
    wait_for_marker(end=6)  # at 5
    transactional.begin_transaction()
    send(transactional, 2)  # 6 7, never to be read
    transactional.abort_transaction(30)
    wait_for_marker(end=9)  # at 8
    send(plain, 1)  # 9
    transactional.begin_transaction()
    send(transactional, 1)  # 10
    transactional.commit_transaction(30)
    wait_for_marker(end=12)  # at 11, the last offset of all

    assert topics.existing_offsets(broker, name, 1, 0, 11) == {0, 1, 2, 3, 4, 9, 10}
    assert topics.existing_offsets(broker, name, 1, 5, 8) == set()
    assert topics.existing_offsets(broker, name, 1, 4, 6) == {4}
    assert topics.existing_offsets(broker, name, 1, 9, 500) == {9, 10}
    assert topics.existing_offsets(broker, name, 1, 11, 11) == set()
    assert topics.existing_offsets(broker, name, 0, 0, 10) == set()


def test_offsets_that_retention_deleted_are_holes(broker: Broker, own_topic: Settings) -> None:
    """What the broker no longer has cannot be read, and asking for it ends."""
    from confluent_kafka import TopicPartition

    name = topics.ensure_topic(broker, own_topic).name
    producer = Producer(confluent_config(broker))
    for number in range(10):
        producer.produce(name, str(number), partition=2)
    producer.flush(30)
    admin = admin_of(broker)
    for deleted in admin.delete_records([TopicPartition(name, 2, 4)]).values():
        deleted.result(timeout=30)

    assert topics.start_offsets(broker, name)[2] == 4
    assert topics.existing_offsets(broker, name, 2, 0, 5) == {4, 5}


def test_a_hundred_thousand_offsets(broker: Broker, own_topic: Settings) -> None:
    """A long range is read whole, batch after batch."""
    name = topics.ensure_topic(broker, own_topic).name
    producer = Producer({**confluent_config(broker), "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    for _ in range(100_100):
        producer.produce(name, b"ticket" * 20, partition=3)
    producer.flush(60)

    assert topics.existing_offsets(broker, name, 3, 100, 100_099) == set(range(100, 100_100))


@pytest.mark.faults
def test_a_broker_that_slept_is_asked_until_it_names_a_controller(java: Path, tmp_path: Path) -> None:
    """Woken after its session, it has no place in its cluster for a moment, and answers without any broker.

    librdkafka asks once: a third of the questions at that moment waited for 30 s, and failed.
    """
    own = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path)
    with brokers.connected(own) as broker:
        pid = brokers.status(own).pid
        assert pid
        for _ in range(SLEEPS):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(SLEPT_S)  # not a wait for something: the fault itself
            os.kill(pid, signal.SIGCONT)
            woken = time.monotonic()
            assert topics.describe_topic(broker, "nothing") is None
            assert time.monotonic() - woken < 10
