"""Urgent tickets go to a topic for each team: none is missing, and what comes again says so by its place."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition
from pyspark.sql import SparkSession

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.lake import reset
from indutech.producer import produce
from indutech.stream import route, route_start, urgent
from indutech.stream.route_start import RouteRefused
from indutech.system.settings import Settings
from indutech.tickets import generator, schema
from tests.processes import running
from tests.topic_reader import records, wait_until

Place = tuple[int, int]
TICKETS = 600
ARRIVED = datetime(2026, 9, 21, 14, 13, 20, 1000, UTC)


def test_each_urgent_ticket_goes_to_its_team_once(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """From the first start on, and Ctrl-C says what the next start repeats."""
    settings = new_settings("routed-once")
    topics.ensure_topic(broker, settings)
    produce.produce(settings, broker, count=50, seed=9, progress=False)  # before its first start: not routed

    with _routing(settings, "--commit", "5") as process:
        sent = _sent_and_routed(broker, settings, seed=1)
        _stopped_once_committed(broker, settings, process)

    came = _routed(broker, settings)
    assert sorted(place for place, _ in came) == sorted(sent)


@pytest.mark.faults
def test_killed_once_none_is_missing_and_repeats_show(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """What was routed before a kill without a commit comes again, byte for byte, with the same place; then no more."""
    settings = new_settings("routed")
    topics.ensure_topic(broker, settings)
    produce.produce(settings, broker, count=50, seed=9, progress=False)  # before its first start: not routed

    with _routing(settings, "--commit", "300") as process:
        first = _sent_and_routed(broker, settings, seed=1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not route_start.checkpoint(settings).exists()

    with _routing(settings, "--commit", "5") as process:
        second = _sent_and_routed(broker, settings, seed=2)
        _stopped_once_committed(broker, settings, process)

    came = Counter(place for place, _ in _routed(broker, settings))
    assert came == Counter([*first, *first, *second])
    assert len(set(_routed(broker, settings))) == len(came)


def test_the_team_of_the_type_gets_it_and_nothing_else_goes_out(spark: SparkSession) -> None:
    """Valid and HAUTE or CRITIQUE, whoever wrote it; key and value as they came, and the place as text."""
    [(key, value)] = next(generator.ticket_messages(1, seed=3))
    ticket = orjson.loads(value) | {"type": "Panne Matérielle", "priority": "CRITIQUE"}
    spaced = json.dumps(ticket, ensure_ascii=False, indent=1).encode()  # not as our producer writes it
    values = [
        orjson.dumps(ticket),
        orjson.dumps(ticket | {"type": "Demande Info", "priority": "HAUTE"}),
        spaced,
        orjson.dumps(ticket | {"priority": "MOYENNE"}),
        orjson.dumps(ticket | {"client_id": 1}),
        orjson.dumps(ticket | {"priority": "URGENTE"}),
        b"",
    ]
    received = [
        {"key": key, "value": value, "topic": "t", "partition": 3, "offset": offset, "timestamp": ARRIVED}
        for offset, value in enumerate(values)
    ]

    found = urgent.routed(spark.createDataFrame(pa.Table.from_pylist(received, schema=schema.KAFKA)), "t").collect()

    assert [(row.topic, bytes(row.key), bytes(row.value)) for row in found] == [
        ("t-urgent-support-technique", key, values[0]),
        ("t-urgent-support-clientele", key, values[1]),
        ("t-urgent-support-technique", key, spaced),
    ]
    assert {header.key: bytes(header.value) for header in found[1].headers} == {
        urgent.PARTITION: b"3",
        urgent.OFFSET: b"1",
        urgent.STAMP: str(round(ARRIVED.timestamp() * 1000)).encode(),
    }


def test_another_topic_of_the_same_name_is_refused(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """Its offsets name other messages; the way out is named."""
    settings = new_settings("route-again")
    topic = topics.ensure_topic(broker, settings)
    route_start.admit(settings, topic, {0: 5}, {0: 0})

    assert route_start.admit(settings, topic, {0: 9}, {0: 0}).start_offsets == {0: 5}
    with pytest.raises(RouteRefused, match=r"of topic route-again \(id .*\) of cluster .*Move .*route away"):
        route_start.admit(settings, dataclasses.replace(topic, topic_id="another"), {0: 5}, {0: 0})


def test_what_the_broker_deleted_is_named(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """A route that was down for longer than the topic keeps messages does not go on as if nothing were missing."""
    settings = new_settings("route-expired")
    topic = topics.ensure_topic(broker, settings)
    route_start.admit(settings, topic, {0: 5}, {0: 0})

    with pytest.raises(RouteRefused, match=r"partition 0, offsets 5 to 11\. Move"):
        route_start.admit(settings, topic, {0: 20}, {0: 12})


def test_a_checkpoint_without_its_topic_is_refused(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """Nobody could say whose offsets it remembers."""
    settings = new_settings("route-unknown")
    topic = topics.ensure_topic(broker, settings)
    (offsets := settings.route_dir / "checkpoint" / "offsets").mkdir(parents=True)
    (offsets / "0").write_text("v1")

    with pytest.raises(RouteRefused, match=r"route\.json, which says of which topic, is gone"):
        route_start.admit(settings, topic, {0: 5}, {0: 0})


def test_one_route_for_a_data_folder_and_no_reset_under_it(
    broker: Broker, new_settings: Callable[..., Settings]
) -> None:
    """A second one would send everything twice; and no reset takes the checkpoint from under it."""
    settings = new_settings("route-locked")

    with route_start.sole_route(settings):
        with running(settings, "-m", "indutech", "route", text=True, stderr=subprocess.PIPE) as second:
            _, said = second.communicate(timeout=60)
        assert (second.returncode, said.startswith("indutech: Another `indutech route` works in")) == (1, True)
        with pytest.raises(reset.StillInUse, match="stop `indutech route` first"):
            reset.delete(settings)
    assert settings.route_dir in [path for path, _ in reset.listed(settings)]


def test_a_partition_without_a_task_slot_is_refused() -> None:
    """Spark would say nothing, and read it only when the batch of the others has ended."""
    route._refuse_too_few(4, 4, "t")
    with pytest.raises(RouteRefused, match="t has 5, Spark 4"):
        route._refuse_too_few(5, 4, "t")


def test_readings_have_no_priority(broker: Broker, new_settings: Callable[..., Settings]) -> None:
    """One sentence, before anything is made."""
    settings = new_settings("route-readings", product="readings")

    with pytest.raises(RouteRefused, match="Only tickets have a priority to route by"):
        route.run(settings, broker)
    assert topics.describe_topic(broker, settings.topic) is None


@contextmanager
def _routing(settings: Settings, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`indutech route` in a process of its own, from when every partition is read."""
    command = ("-m", "indutech", "route", *options)
    with running(settings, *command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        said = iter(process.stderr.readline, "")
        assert any(line.startswith("Routing urgent tickets") for line in said)  # else it ended
        yield process


def _stopped_once_committed(broker: Broker, settings: Settings, process: "subprocess.Popen[str]") -> None:
    """Ctrl-C when all of the topic is committed."""
    ends = topics.end_offsets(broker, settings.topic)
    wait_until(lambda: route_start.checkpoint(settings).committed_offsets(settings.topic) == ends, 60)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert re.search(r"routed in .* The next start repeats those routed since \d\d:\d\d:\d\d\.", said)


def _sent_and_routed(broker: Broker, settings: Settings, seed: int) -> list[Place]:
    """Send tickets, wait until each urgent one is in a team's topic, and return the places of these."""
    before = topics.end_offsets(broker, settings.topic)
    produce.produce(settings, broker, count=TICKETS, seed=seed, progress=False)
    places = [
        (record.partition, record.offset)
        for record in records(broker, settings.topic)
        if record.offset >= before[record.partition]
        and orjson.loads(record.value)["priority"] in [priority.value for priority in urgent.URGENT]
    ]
    assert 0 < len(places) < TICKETS
    wait_until(lambda: set(places) <= {place for place, _ in _routed(broker, settings)}, 120, every=0.3)
    return places


def _routed(broker: Broker, settings: Settings) -> list[tuple[Place, bytes]]:
    """Place and value of each record in the topics of the teams."""
    names = urgent.team_topics(settings.topic).values()
    ends = {(name, partition): end for name in names for partition, end in topics.end_offsets(broker, name).items()}
    consumer = Consumer({**confluent_config(broker), "group.id": "tests", "enable.auto.commit": False})
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in ends])
    found: list[tuple[Place, bytes]] = []
    deadline = time.monotonic() + 30
    while len(found) < sum(ends.values()) and time.monotonic() < deadline:
        for one in consumer.consume(5_000, timeout=0.2):
            assert one.error() is None
            headers = dict(one.headers())
            found.append(((int(headers[urgent.PARTITION]), int(headers[urgent.OFFSET])), one.value()))
    consumer.close()
    return found
