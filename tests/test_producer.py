"""Tickets reach the broker keyed, acknowledged, at the rate that was asked for, and stopping leaves nothing open."""

import json
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.producer.audit import read_audit
from indutech.producer.produce import SendingBroke, produce
from indutech.system.settings import Settings
from indutech.tickets import generator
from tests.topic_reader import records, start_cli, wait_until

NewSettings = Callable[..., Settings]


def wait_for_the_controller(broker: Broker) -> None:
    """Return once a broker that was frozen for longer than its session is let into its cluster again."""
    admin = AdminClient(confluent_config(broker))

    def controller_is_back() -> bool:
        try:
            return admin.list_topics(timeout=5).controller_id >= 0
        except KafkaException:
            return False

    wait_until(controller_is_back, 90)


@pytest.mark.parametrize("load", [False, True])
def test_same_seed_same_tickets(broker: Broker, new_settings: NewSettings, load: bool) -> None:
    """What is sent is what the generator makes for that seed, keyed by client_id, each once."""
    settings = new_settings(f"seeded-{load}")

    result = produce(settings, broker, count=2_500, seed=7, load=load)

    made = [message for batch in generator.ticket_messages(2_500, 7) for message in batch]
    assert sorted((record.key, record.value) for record in records(broker, settings.topic)) == sorted(made)
    assert (result.sent, result.acknowledged, result.failed, result.seed) == (2_500, 2_500, 0, 7)
    ends = topics.end_offsets(broker, settings.topic)
    assert {p: one["last_offset"] for p, one in result.partitions.items()} == {p: end - 1 for p, end in ends.items()}


def test_both_clients_choose_the_same_partition(broker: Broker, new_settings: NewSettings) -> None:
    """A client's tickets stay in order whichever way they are sent: same key, same partition."""
    partition_of = []
    for load in (False, True):
        settings = new_settings(f"keys-{load}")
        produce(settings, broker, count=6_000, seed=3, load=load)
        partition_of.append({record.key: record.partition for record in records(broker, settings.topic)})

    assert len(partition_of[0]) > 1_000
    assert set(partition_of[0].values()) == {0, 1, 2, 3}
    assert partition_of[0] == partition_of[1]


def test_tickets_of_a_client_stay_in_order(broker: Broker, new_settings: NewSettings) -> None:
    """Within a partition, offsets follow the order in which the tickets were made."""
    settings = new_settings("ordered")
    produce(settings, broker, count=3_000, seed=5, load=True)

    made = [value for batch in generator.ticket_messages(3_000, 5) for _, value in batch]
    place = {value: number for number, value in enumerate(made)}
    by_partition: dict[int, list[int]] = {}
    for record in records(broker, settings.topic):
        by_partition.setdefault(record.partition, []).append(place[record.value])
    assert all(places == sorted(places) for places in by_partition.values())


@pytest.mark.parametrize("load", [False, True])
def test_rate_is_kept_smoothly(broker: Broker, new_settings: NewSettings, load: bool) -> None:
    """No ticket arrives before it is due: 300 at 300 a second take a second, half of them half a second."""
    settings = new_settings(f"rate-{load}")

    result = produce(settings, broker, count=300, rate=300, seed=1, load=load)

    arrived = sorted(record.timestamp_ms for record in records(broker, settings.topic))
    assert result.seconds >= 299 / 300
    assert arrived[150] - arrived[1] >= 400  # half a second, less what lingering held back
    assert result.sent == 300


def test_period_spreads_the_creation_dates(broker: Broker, new_settings: NewSettings) -> None:
    """With a period, tickets of four weeks are made, not of the seconds that sending takes."""
    settings = new_settings("period")
    produce(settings, broker, count=500, seed=1, period=timedelta(days=28))

    dates = sorted(json.loads(record.value)["creation_date"] for record in records(broker, settings.topic))
    assert dates[0] < "2026-03-03"
    assert dates[-1] > "2026-03-27"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_flushes_and_exits_0(broker: Broker, new_settings: NewSettings, number: int) -> None:
    """After SIGTERM or Ctrl-C everything that was sent is acknowledged and audited, and the exit code is 0."""
    settings = new_settings(f"signal-{number}")
    running = start_cli(settings, "produce", "--rate", "500", "--seed", "4", "--json")
    wait_until(lambda: (audit := read_audit(settings)) is not None and audit.acknowledged > 100)

    running.send_signal(number)
    out, err = running.communicate(timeout=20)

    result, audit = json.loads(out), read_audit(settings)
    assert (running.returncode, err) == (0, "")
    assert result["stopped"]
    assert audit is not None
    assert result["sent"] == result["acknowledged"] == audit.acknowledged == audit.sent
    assert audit.acknowledged == sum(topics.end_offsets(broker, settings.topic).values())


@pytest.mark.parametrize("load", [False, True])
def test_broker_that_stops_answering(settings: Settings, broker: Broker, new_settings: NewSettings, load: bool) -> None:
    """A broker that is gone ends the run within the delivery timeout, in one sentence, and the audit is not ahead."""
    mine = new_settings(f"frozen-{load}", broker_timeout_s=1.5)
    pid = brokers.status(settings).pid
    assert pid

    def freeze_once_sending() -> None:
        wait_until(lambda: (audit := read_audit(mine)) is not None and audit.acknowledged > 0)
        os.kill(pid, signal.SIGSTOP)

    watcher = threading.Thread(target=freeze_once_sending)
    watcher.start()
    try:
        with pytest.raises(SendingBroke, match=f"{broker.bootstrap_servers} stopped acknowledging"):
            produce(mine, broker, rate=2_000, seed=1, load=load)
    finally:
        watcher.join()  # first: on a slow machine the sending may break before the broker is frozen
        os.kill(pid, signal.SIGCONT)
        wait_for_the_controller(broker)

    audit = read_audit(mine)
    assert audit is not None
    assert audit.failed > 0
    assert audit.sent == audit.acknowledged + audit.failed
    assert audit.acknowledged <= sum(topics.end_offsets(broker, mine.topic).values())


@pytest.mark.parametrize("load", [False, True])
def test_broker_that_comes_back(settings: Settings, broker: Broker, new_settings: NewSettings, load: bool) -> None:
    """A broker that stood still for less than the delivery timeout costs nothing: all acknowledged, each once."""
    mine = new_settings(f"paused-{load}", broker_timeout_s=3)
    pid = brokers.status(settings).pid
    assert pid
    wake = threading.Timer(3.5, os.kill, (pid, signal.SIGCONT))  # later than a request times out

    def freeze_once_sending() -> None:
        wait_until(lambda: (audit := read_audit(mine)) is not None and audit.acknowledged > 0)
        os.kill(pid, signal.SIGSTOP)
        wake.start()

    watcher = threading.Thread(target=freeze_once_sending)
    watcher.start()
    try:
        result = produce(mine, broker, count=3_000, rate=1_500, seed=1, load=load)
    finally:
        watcher.join()
        wake.join()
        wait_for_the_controller(broker)

    assert (result.acknowledged, result.failed) == (3_000, 0)
    assert len({record.value for record in records(broker, mine.topic)}) == 3_000
    assert sum(topics.end_offsets(broker, mine.topic).values()) == 3_000


def test_notebook_threads_and_silence(
    broker: Broker, new_settings: NewSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    """It works in a thread that may not listen to signals, says nothing, and leaves no thread behind."""
    settings = new_settings("threads")
    before = set(threading.enumerate())
    results = []
    for load in (False, True):
        thread = threading.Thread(
            target=lambda load=load: results.append(produce(settings, broker, count=50, load=load))
        )
        thread.start()
        thread.join(30)

    assert [result.acknowledged for result in results] == [50, 50]
    assert results[0].seed != results[1].seed
    assert capfd.readouterr() == ("", "")
    wait_until(lambda: set(threading.enumerate()) <= before)


def test_topic_made_by_others(broker: Broker, new_settings: NewSettings) -> None:
    """A topic with one partition and the producer's clock is used as it is; each difference is one line on stderr."""
    settings = new_settings("made-by-others")
    made = NewTopic(settings.topic, 1, 1, config={"message.timestamp.type": "CreateTime", "retention.ms": "-1"})
    admin = AdminClient(confluent_config(broker))
    admin.create_topics([made])[settings.topic].result()

    running = start_cli(settings, "produce", "--count", "20", "--seed", "1", "--json")
    out, err = running.communicate(timeout=60)

    assert json.loads(out)["partitions"] == {"0": {"last_offset": 19}}
    assert err.splitlines() == [
        "indutech: The existing topic made-by-others has partitions=1 where InduTech would set 4.",
        "indutech: The existing topic made-by-others has message.timestamp.type=CreateTime where InduTech would set "
        "LogAppendTime.",
    ]


@pytest.mark.parametrize(
    "impossible",
    [
        ["--rate", "0"],
        ["--rate", "-1"],
        ["--count", "0"],
        ["--from", "a.csv", "--seed", "1"],
        ["--from", "a.csv", "--period", "3"],
        ["--rate", "5", "--period", "3"],
        ["--period", "0"],
    ],
)
def test_impossible_combinations(impossible: list[str]) -> None:
    """What cannot be meant is a usage error that names the option, before any broker is started."""
    from typer.testing import CliRunner

    from indutech.cli.app import app

    answer = CliRunner().invoke(app, ["produce", *impossible])

    assert answer.exit_code == 2
    assert impossible[-2] in answer.output
