"""Faults of topics: missing, widened, recreated, expired, packed, with transactions. Families 9 and 18."""

import json
import os
import re
import signal
import subprocess

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.cimpl import NewPartitions

from indutech.kafka import topics
from indutech.kafka.connection import confluent_config
from indutech.kafka.readiness import asking
from tests.faults.laboratory import LONGEST_START_S, Laboratory, ended, wait_until
from tests.faults.on_messages import tickets
from tests.faults.table import fault

OPEN_MS = 600_000  # of a transaction that nobody ends


def delete_records(laboratory: Laboratory, partition: int, unread: range) -> None:
    """Let the broker delete what nobody has read yet, and all before it, as its retention does."""
    with asking(laboratory.broker) as admin:
        upto = TopicPartition(laboratory.settings.topic, partition, unread.stop)
        [deleted] = admin.delete_records([upto]).values()
        deleted.result(timeout=30)
    laboratory.known.gone |= {(partition, offset) for offset in unread}
    laboratory.hurt()


def transactional(laboratory: Laboratory, name: str) -> Producer:
    """A producer of somebody else, with transactions."""
    more = {"transactional.id": f"{laboratory.settings.topic}-{name}", "transaction.timeout.ms": OPEN_MS}
    producer = Producer({**confluent_config(laboratory.broker), **more})
    producer.init_transactions(30)
    return producer


def offer(laboratory: Laboratory, producer: Producer, messages: list[tuple[bytes, bytes]]) -> None:
    """Hand messages over and wait until the broker has them."""
    for key, value in messages:
        producer.produce(laboratory.settings.topic, value, key)
    assert producer.flush(30) == 0


@fault(9, "topic missing, then given more partitions; a wrong name", promised="created, read on, or refused at once")
def other_partitions(laboratory: Laboratory) -> None:
    """The stream makes the topic, and reads partitions that are added while it runs."""
    wrong = laboratory.indutech("stream", "--once", KAFKA_TOPIC="billets à traiter")
    assert wrong.code == 1
    assert "KAFKA_TOPIC" in wrong.err
    with laboratory.running("stream") as stream:
        wait_until(
            lambda: topics.describe_topic(laboratory.broker, laboratory.settings.topic), 60, "it is made", stream
        )
        laboratory.send(tickets(100))
        laboratory.until_stored(stream, LONGEST_START_S)
        with asking(laboratory.broker) as admin:
            [made] = admin.create_partitions([NewPartitions(laboratory.settings.topic, 6)]).values()
            made.result(timeout=30)
        laboratory.hurt(2)
        wait_until(lambda: led_partitions(laboratory) == 6, 30, "the new partitions are led")
        places = laboratory.send(tickets(1_000, seed=2))
        assert {4, 5} <= {partition for partition, _ in places}
        laboratory.until_stored(stream)


def led_partitions(laboratory: Laboratory) -> int:
    """How many partitions of the topic have a leader."""
    with asking(laboratory.broker) as admin:
        told = admin.list_topics(laboratory.settings.topic, timeout=10).topics[laboratory.settings.topic]
    return sum(one.leader >= 0 for one in told.partitions.values())


@fault(9, "messages packed with gzip, snappy, lz4 and zstd", promised="stored like any other")
def codecs(laboratory: Laboratory) -> None:
    """Producers of others pack as they like; one topic may hold all of it."""
    topics.ensure_topic(laboratory.broker, laboratory.settings)
    for seed, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
        producer = Producer({**confluent_config(laboratory.broker), "compression.type": codec, "linger.ms": 200})
        offer(laboratory, producer, tickets(300, seed))
        laboratory.hurt()


@fault(9, "aborted transactions, and one that nobody ends", promised="no loss; what waits is said, then stored")
def transactions(laboratory: Laboratory) -> None:
    """Aborted records and markers are no loss; behind an open transaction nobody can read, and all commands say so."""
    topics.ensure_topic(laboratory.broker, laboratory.settings)
    ending, hanging = transactional(laboratory, "ends"), transactional(laboratory, "hangs")
    ending.begin_transaction()
    offer(laboratory, ending, tickets(100))
    ending.abort_transaction(30)
    ending.begin_transaction()
    offer(laboratory, ending, tickets(100, seed=2))
    ending.commit_transaction(30)
    laboratory.hurt()
    assert laboratory.stream_once().code == 0
    assert json.loads(laboratory.indutech("reconcile", "--json").out)["lost"] == 0

    hanging.begin_transaction()
    offer(laboratory, hanging, tickets(20, seed=3))
    laboratory.send(tickets(200, seed=4))
    laboratory.hurt()
    done = laboratory.stream_once()
    assert done.code == 0
    held_back = laboratory.waiting()
    assert held_back >= 200
    assert f"{held_back:,} messages cannot be read yet: a producer's transaction is open" in done.out
    proof = laboratory.indutech("reconcile", "--json")
    told = json.loads(proof.out)
    assert (proof.code, told["lost"], told["pending"], told["held_back"]) == (2, 0, held_back, held_back)
    assert "exceeds its transaction.timeout.ms" in laboratory.indutech("reconcile").out
    assert json.loads(laboratory.indutech("monitor", "--json").out)["held_back"] == held_back
    assert "a transaction is open at offset" in laboratory.indutech("doctor", "--json").out
    transactional(laboratory, "hangs")  # the same name again: the broker aborts what it had left open
    wait_until(
        lambda: (
            topics.stable_offsets(laboratory.broker, laboratory.settings.topic)
            == topics.end_offsets(laboratory.broker, laboratory.settings.topic)
        ),
        30,
        "the transaction is aborted",
    )
    laboratory.hurt()


@fault(18, "offsets expired before they were stored", promised="stops with the exact gap; a flag notes it", expired=40)
def expired(laboratory: Laboratory) -> None:
    """The stream names the gap and goes on only if told to; the proof counts what was accepted."""
    laboratory.send(tickets(400))
    assert laboratory.stream_once().code == 0
    ends = topics.end_offsets(laboratory.broker, laboratory.settings.topic)
    laboratory.send([(b"1234", value) for _, value in tickets(100, seed=2)])  # one key: one partition
    partition = next(
        p for p, end in topics.end_offsets(laboratory.broker, laboratory.settings.topic).items() if end > ends[p]
    )
    laboratory.learn()
    delete_records(laboratory, partition, range(ends[partition], ends[partition] + 40))
    gap = f"partition {partition}, offsets {ends[partition]:,} to {ends[partition] + 39:,}"
    for _ in range(2):
        done = laboratory.stream_once()
        assert done.code == 1
        assert f"deleted 40 messages that were not stored yet: {gap}" in done.err
    assert json.loads(laboratory.indutech("reconcile", "--json").out)["lost"] == 40
    assert "--accept-expired" in laboratory.indutech("doctor", "--json").out
    done = laboratory.indutech("stream", "--once", "--accept-expired")
    assert done.code == 0, done.said
    told = laboratory.indutech("reconcile", "--json")
    proof = json.loads(told.out)
    assert (told.code, proof["lost"], proof["expired"], proof["stored"]) == (0, 0, 40, 460)
    laboratory.send(tickets(50, seed=3))


@fault(18, "offsets expired while the stream runs", promised="stops with the exact gap", expired=30)
def expired_meanwhile(laboratory: Laboratory) -> None:
    """The stream is frozen while the broker deletes; when it wakes up it stops with the same sentence."""
    laboratory.send(tickets(100))
    with laboratory.running("stream") as stream:
        laboratory.until_stored(stream, LONGEST_START_S)
        ends = topics.end_offsets(laboratory.broker, laboratory.settings.topic)
        freeze(stream, signal.SIGSTOP)
        laboratory.send([(b"1234", value) for _, value in tickets(60, seed=2)])
        now = topics.end_offsets(laboratory.broker, laboratory.settings.topic)
        partition = next(p for p, end in now.items() if end > ends[p])
        laboratory.learn()
        delete_records(laboratory, partition, range(ends[partition], ends[partition] + 30))
        freeze(stream, signal.SIGCONT)
        done = ended(stream, 120)
    assert done.code == 1, done.said
    assert f"partition {partition}, offsets {ends[partition]:,} to {ends[partition] + 29:,}" in done.err
    assert laboratory.indutech("stream", "--once", "--accept-expired").code == 0


def freeze(stream: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Stop or wake a program and its Java."""
    os.killpg(stream.pid, number)


@fault(18, "the topic was deleted and made again", promised="refused by its id; another folder takes the new one")
def recreated(laboratory: Laboratory) -> None:
    """Same name, same offsets, other messages: nothing of it is written into the old lake."""
    laboratory.send(tickets(200))
    assert laboratory.stream_once().code == 0
    before = sorted(laboratory.settings.lake_dir.rglob("*.parquet"))
    topics.delete_topic(laboratory.broker, laboratory.settings.topic)
    wait_until(
        lambda: topics.describe_topic(laboratory.broker, laboratory.settings.topic) is None, 30, "the topic is gone"
    )
    laboratory.forget()
    laboratory.send(tickets(300, seed=2))
    laboratory.hurt()
    for command in (("stream", "--once"), ("reconcile",)):
        done = laboratory.indutech(*command)
        assert done.code == 1
        assert re.search("created again|belongs together", done.err), done.err
    assert sorted(laboratory.settings.lake_dir.rglob("*.parquet")) == before
    laboratory.move_to("a folder for the new topic")
