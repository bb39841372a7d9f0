"""Readings over MQTT: none is lost over a cut link, a killed bridge, a killed MQTT broker; copies are counted."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from pyspark.sql import SparkSession

from indutech.kafka import topics as kafka_topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.lake import reader
from indutech.plant.mqtt import bridge, connection, gateway, server, store
from indutech.plant.mqtt.bridge import BridgeResult, SecondBridge
from indutech.plant.mqtt.connection import Address
from indutech.plant.mqtt.gateway import SendResult
from indutech.plant.mqtt.server import MqttNotReady
from indutech.plant.mqtt.store import Store, StoreUnusable
from indutech.plant.sensors.generator import reading_messages
from indutech.producer import audit
from indutech.producer.confluent import MarkedSender
from indutech.producer.counts import Limits, Tally
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system import supervisor
from indutech.system.settings import Settings
from tests.link import link
from tests.processes import running

SETTLES_S = 60.0


def await_that(happens: Callable[[], object], within_s: float = SETTLES_S) -> None:
    """Wait for something, with a deadline."""
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@contextmanager
def bridging(settings: Settings) -> Iterator[None]:
    """The bridge in a process of its own, killed with SIGKILL at the end."""
    with running(settings, "-m", "indutech", "mqtt", "bridge", "--json"):
        yield


@contextmanager
def sending(settings: Settings, address: Address, count: int, rate: float | None) -> Iterator["Future[SendResult]"]:
    """A gateway at work beside the test."""
    ended: list[bool] = []
    with ThreadPoolExecutor(1) as beside:
        how = {"count": count, "rate": rate, "seed": 7, "stop": lambda: bool(ended)}
        result = beside.submit(gateway.send, settings, address, **how)
        try:
            yield result
        finally:
            ended.append(True)


def values_in(broker: Broker, topic: str) -> Counter[bytes]:
    """What stands in the topic, and how often."""
    ends = kafka_topics.end_offsets(broker, topic)
    consumer = Consumer({**confluent_config(broker), "group.id": "a-look", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
    found: Counter[bytes] = Counter()
    deadline = time.monotonic() + SETTLES_S
    while found.total() < sum(ends.values()):
        assert time.monotonic() < deadline
        found.update(message.value() for message in consumer.consume(5_000, 0.5) if not message.error())
    consumer.close()
    return found


def made(count: int) -> set[bytes]:
    """The readings that a gateway measures with the seed of these tests."""
    return {value for batch in reading_messages(count, 7) for _, value in batch}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not confirmed is sent again sooner than a plant would."""
    monkeypatch.setattr(gateway, "RESENT_AFTER_S", 0.7)


@pytest.fixture
def own(new_settings: Callable[..., Settings], request: pytest.FixtureRequest) -> Settings:
    """Settings of this test: readings, with a topic and a folder of their own, and an embedded MQTT broker."""
    return new_settings(re.sub(r"\W", "-", request.node.name)[:60], product="readings")


def kill_mqtt_broker(settings: Settings) -> None:
    """SIGKILL; its supervisor starts it again."""
    [pid] = supervisor.pids_of(settings.mqtt_dir, "server.json")
    os.kill(pid, signal.SIGKILL)
    await_that(lambda: supervisor.pids_of(settings.mqtt_dir, "server.json") not in ((pid,), ()))


def test_no_reading_is_lost_over_link_bridge_and_broker(own: Settings, broker: Broker) -> None:
    """The link is cut, the bridge killed, the MQTT broker killed: all readings are in Kafka, and the store is empty."""
    count = 6_000

    def acknowledged() -> int:
        known = audit.read_audit(own)
        return known.acknowledged if known else 0

    with connection.reached(own) as address, link(address) as wire, ExitStack() as first:
        first.enter_context(bridging(own))
        with sending(own, wire.address, count, 1_500) as sent:
            await_that(lambda: acknowledged() > 500)
            wire.cut()
            time.sleep(0.5)  # readings go on being measured
            waiting, before = store.waiting(own.product_dir / "gateways")["gateway-1"], acknowledged()
            wire.mend()
            await_that(lambda: acknowledged() > before)
            first.close()  # SIGKILL, in the middle of what the link let through
            with bridging(own):
                kill_mqtt_broker(own)
                result = sent.result(SETTLES_S)
    found = values_in(broker, own.topic)

    assert waiting >= 500
    assert (result.measured, result.confirmed, result.waiting) == (count, count, 0)
    assert result.connections >= 3
    assert found.keys() == made(count)
    known = audit.read_audit(own)
    assert known
    assert 0 < known.acknowledged + known.recovered <= found.total()  # it may lag behind, and is never ahead


def test_what_is_not_confirmed_waits_on_disk(own: Settings, broker: Broker) -> None:
    """Without a bridge nothing is let go, also if the gateway is killed; the next run sends it, and says so."""
    stores = own.product_dir / "gateways"
    with connection.reached(own) as address:
        with running(own, "-m", "indutech", "mqtt", "send", "--count", "9000", "--rate", "3000", "--seed", "7"):
            await_that(lambda: store.waiting(stores).get("gateway-1", 0) > 700)
        left = store.waiting(stores)["gateway-1"]  # after SIGKILL
        first = gateway.send(own, address, count=0, wait_s=0.3)
        with sending(own, address, 0, None) as sent:
            time.sleep(0.3)  # what is sent now, nobody hears, and the MQTT broker forgets
            with bridging(own):
                second = sent.result(SETTLES_S)
    found = values_in(broker, own.topic)

    assert (first.measured, first.confirmed, first.waiting) == (0, 0, left)
    assert (second.before, second.confirmed, second.waiting) == (left, left, 0)
    assert len(found) == left
    assert found.keys() == made(left)
    assert f"{left:,} wait in the store for the next run" in first.sentence
    assert f"{left:,} had waited since an earlier run" in second.sentence


def test_nothing_is_confirmed_before_kafka_has_it(own: Settings) -> None:
    """While Kafka does not answer, a batch is neither confirmed nor acknowledged; a copy of it is not sent again."""
    heard: list[bytes] = []
    acknowledged: list[int] = []
    nowhere = Broker("127.0.0.1:1", embedded=False)
    limits, tally = Limits(1_000_000, delivery_s=60, request_s=20), Tally(1)
    result = BridgeResult(own.topic)
    with (
        connection.reached(own) as address,
        closing(MarkedSender(nowhere, own.topic, tally, limits)) as sender,
        closing(bridge._Bridge(own, sender, limits, result)) as carrying,
    ):
        client = connection.new_client("a-device", clean_session=True)
        client.on_message = lambda _c, _u, message: heard.append(message.payload)
        client.on_publish = lambda _c, _u, message_id, *_: acknowledged.append(message_id)
        with connection.session(client, address, 10, "indutech/confirmed/+"):
            carrying.step(address, takes=True)
            for _ in range(2):
                client.publish("indutech/readings/device-1/11", b"one\ntwo", 1)
            await_that(lambda: carrying.step(address, takes=True) or result.copies)
            for _ in range(20):
                carrying.step(address, takes=True)

            assert (tally.sent, carrying.under_way, heard) == (2, 1, [])
            assert not carrying._done
            assert len(acknowledged) == 2  # by the MQTT broker, which is why that is not enough


def test_the_bridge_carries_what_it_gets(own: Settings, broker: Broker) -> None:
    """Readings, what is no JSON, nothing at all, and batches without a number: each is a message for the stream."""
    heard: list[tuple[str, bytes]] = []
    body = b'{"machine_id":"MX-0001"}\nnot JSON\n'
    ended: list[bool] = []
    with connection.reached(own) as address, ThreadPoolExecutor(1) as beside:
        client = connection.new_client("a-device", clean_session=True)
        client.on_message = lambda _c, _u, message: heard.append((message.topic, message.payload))
        with connection.session(client, address, 10, "indutech/confirmed/+"):
            at_work = beside.submit(bridge.run, own, broker, address, stop=lambda: bool(ended))

            def is_confirmed() -> bool:
                client.publish("indutech/readings/device-1/11", body, 1)  # until the bridge listens
                time.sleep(0.1)
                return ("indutech/confirmed/device-1", b"11") in heard

            await_that(is_confirmed)
            client.publish("indutech/readings/device-1/none", b"of no number", 1)
            await_that(lambda: values_in(broker, own.topic)[b"of no number"])
            ended.append(True)
            result = at_work.result(SETTLES_S)

    found = values_in(broker, own.topic)
    assert found.keys() == {*body.split(b"\n"), b"of no number"}
    assert result.readings == found.total()


def test_a_gateway_that_is_stopped_sends_nothing_twice(
    own: Settings, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the confirmation of what is under way; the rest is sent by the next run."""
    ended: list[bool] = []
    with connection.reached(own) as address, ThreadPoolExecutor(1) as beside:
        at_work = beside.submit(bridge.run, own, broker, address, stop=lambda: bool(ended))
        gateway.send(own, address, count=1, seed=1, wait_s=SETTLES_S)  # until the bridge listens
        before = values_in(broker, own.topic)
        monkeypatch.setattr(gateway, "RESENT_AFTER_S", SETTLES_S)
        monkeypatch.setattr(gateway, "LAST_WAIT_S", SETTLES_S)  # of a busy machine
        began = time.monotonic()
        first = gateway.send(own, address, count=None, stop=lambda: time.monotonic() > began + 1)
        gateway.send(own, address, count=0, wait_s=SETTLES_S)
        ended.append(True)
        at_work.result(SETTLES_S)

    found = values_in(broker, own.topic) - before
    assert first.stopped
    assert first.confirmed > 0
    assert set(found.values()) == {1}
    assert len(found) == first.measured


def test_a_reading_too_large_for_kafka_is_kept_in_a_file(own: Settings, broker: Broker) -> None:
    """It could never be delivered: it is written down, said, and does not hold up the others."""
    large = b'{"machine_id":"MX-0001","note":"' + b"x" * 1_100_000 + b'"}'
    with connection.reached(own) as address, ThreadPoolExecutor(1) as beside:
        with Store(gateway.store_file(own, "gateway-1")) as kept:
            kept.add([b'{"machine_id":"MX-0001"}', large])
        ended: list[bool] = []
        at_work = beside.submit(bridge.run, own, broker, address, stop=lambda: bool(ended))
        sent = gateway.send(own, address, count=0, wait_s=SETTLES_S)
        ended.append(True)
        result = at_work.result(SETTLES_S)

    assert (sent.waiting, result.too_large) == (0, 1)
    assert Path(str(result.too_large_file)).read_bytes() == large + b"\n"
    assert values_in(broker, own.topic) == {b'{"machine_id":"MX-0001"}': 1}
    assert "1 too large for the topic" in result.sentence


def test_a_store_is_for_one_process_and_says_what_is_wrong(tmp_path: Path) -> None:
    """A second process, a damaged file and a full disk are one sentence each; numbers are never used again."""
    file = tmp_path / "gateway.db"
    with Store(file) as kept:
        [one, two] = [kept.add([b"a", b"b"]), kept.add([b"c"])]
        with pytest.raises(StoreUnusable, match="Another process sends from"), Store(file):
            pass
        kept.remove([one, two])
        kept._database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreUnusable, match=r"cannot be used \(database or disk is full\): make room"):
            kept.add([os.urandom(1 << 20)])
        assert (kept.batches, kept.readings) == (0, 0)
    with Store(file) as kept:
        assert kept.add([b"d"]).number == 3
        assert store.waiting(tmp_path) == {"gateway": 1}
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnusable, match="if it is damaged, move it away and keep it"), Store(file):
        pass
    with pytest.raises(StoreUnusable, match="file is not a database"):
        store.waiting(tmp_path)


def test_a_second_bridge_is_refused(own: Settings, broker: Broker) -> None:
    """Two would take batches from one another."""
    lock = bridge._only_bridge(own)
    try:
        with pytest.raises(SecondBridge, match=r"Another bridge of .* runs"):
            bridge.run(own, broker, Address("127.0.0.1", 1))
    finally:
        lock.release()


def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    """An address where nothing listens, and one that says nothing."""
    nobody = connection.session(connection.new_client("", clean_session=True), Address("127.0.0.1", 1), 1)
    with pytest.raises(MqttNotReady, match=r"No MQTT broker answers at 127\.0\.0\.1:1 .*INDUTECH_MQTT_BROKER"), nobody:
        pass
    named = Settings(_env_file=None, data_dir=tmp_path, mqtt_broker="127.0.0.1:1")
    assert connection.status(named).running is False
    with pytest.raises(MqttNotReady, match="INDUTECH_MQTT_BROKER names 127"):
        connection.start(named)


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", ["amqtt", *(["mosquitto"] if server.mosquitto() else [])])
def test_two_hundred_thousand_readings(
    own: Settings,
    broker: Broker,
    spark: SparkSession,
    record_fault: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    """The link cut for 20 s, the bridge killed twice, the MQTT broker once: none lost, duplicates counted, curated."""
    if program == "amqtt":
        monkeypatch.setattr(server, "mosquitto", lambda: None)
    monkeypatch.setattr(gateway, "RESENT_AFTER_S", 5.0)  # as it is
    count = 200_000

    def acknowledged() -> int:
        return known.acknowledged + known.recovered if (known := audit.read_audit(own)) else 0

    with connection.reached(own) as address, link(address) as wire, ExitStack() as alive:
        alive.enter_context(bridging(own))
        await_that(lambda: audit.read_audit(own))
        began = time.monotonic()
        with sending(own, wire.address, count, 5_000) as sent:
            await_that(lambda: acknowledged() > 20_000)
            wire.cut()
            time.sleep(20)
            wire.mend()
            for beyond in (60_000, 110_000):
                await_that(lambda beyond=beyond: acknowledged() > beyond)
                alive.close()
                alive.enter_context(bridging(own))
            await_that(lambda: acknowledged() > 150_000)
            kill_mqtt_broker(own)
            result = sent.result(300)
        seconds = time.monotonic() - began
    stored = job.run(own, broker, once=True, spark=spark)
    proof = reconcile.prove(own, broker)

    record_fault(
        **{
            "family": 13,
            "fault": f"readings over MQTT ({program}), curated: link cut, bridge and broker killed",
            "injected": 4,
        },
        **{
            "sent": count,
            "stored": proof.stored - proof.duplicate_tickets,
            "quarantined": proof.quarantined,
            "lost": proof.lost,
        },
        **{"twice": proof.twice, "recovery_s": round(seconds - count / 5_000, 1)},
    )
    print(f"{result.sentence} In the lake: {stored.stored:,}, of them {proof.duplicate_tickets:,} duplicates.")
    assert (result.measured, result.confirmed, result.waiting) == (count, count, 0)
    assert (proof.lost, proof.twice, proof.pending, proof.quarantined) == (0, 0, 0, 0)
    assert proof.stored == count + (proof.duplicate_tickets or 0)
    assert reader.query(own, "SELECT count(*) AS n FROM curated")["n"][0] == count
    holes = "SELECT machine_id FROM curated GROUP BY ALL HAVING max(sequence) - min(sequence) + 1 <> count(*)"
    assert len(reader.query(own, holes)) == 0
