"""The audit of the producer is true after every way in which a run can end."""

import json
import threading
from collections.abc import Callable

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.producer.audit import Audit, AuditRefused, read_audit
from indutech.producer.produce import produce
from indutech.system.settings import Settings
from tests.topic_reader import start_cli, wait_until

NewSettings = Callable[..., Settings]


def audit_of(settings: Settings) -> Audit:
    """The audit, which must be there."""
    audit = read_audit(settings)
    assert audit is not None
    return audit


def test_runs_add_up(broker: Broker, new_settings: NewSettings) -> None:
    """A second run goes on from the first: counts add up, the last offsets are the broker's, seeds are remembered."""
    settings = new_settings("audit-runs")
    produce(settings, broker, count=700, seed=1)
    produce(settings, broker, count=300, seed=2, load=True)

    audit, ends = audit_of(settings), topics.end_offsets(broker, settings.topic)
    assert (audit.sent, audit.acknowledged, audit.failed, audit.recovered) == (1_000, 1_000, 0, 0)
    assert audit.last_acknowledged == {partition: end - 1 for partition, end in ends.items()}
    assert (audit.seeds, audit.runs, audit.generated, audit.replayed) == ((1, 2), 2, 1_000, 0)


@pytest.mark.parametrize("load", [False, True])
def test_killed_producer(broker: Broker, new_settings: NewSettings, load: bool) -> None:
    """After SIGKILL in mid-burst the next start knows every record that the broker holds: the audit is not behind."""
    settings = new_settings(f"audit-kill-{load}")
    running = start_cli(settings, "produce", "--count", "100000000", "--seed", "1", *(["--load"] if load else []))
    wait_until(lambda: (audit := read_audit(settings)) is not None and audit.acknowledged > 1_000)
    running.kill()
    running.communicate(timeout=20)
    killed = audit_of(settings)

    result = produce(settings, broker, count=1, seed=2)

    audit, ends = audit_of(settings), topics.end_offsets(broker, settings.topic)
    assert audit.acknowledged + audit.recovered == sum(ends.values())
    assert audit.acknowledged == killed.acknowledged + 1
    assert audit.last_acknowledged == {partition: end - 1 for partition, end in ends.items()}
    assert result.recovered == audit.recovered
    assert audit.sent >= sum(ends.values())
    produce(settings, broker, count=1, seed=2)
    assert audit_of(settings).recovered == audit.recovered  # counted once


def test_two_producers_at_once(broker: Broker, new_settings: NewSettings) -> None:
    """Producers that run at the same time add up, and do not take each other's tickets for those of a dead one."""
    settings = new_settings("audit-two")
    running = start_cli(settings, "produce", "--rate", "300", "--seed", "1", "--json")
    wait_until(lambda: (audit := read_audit(settings)) is not None and audit.acknowledged > 0)
    threads = [
        threading.Thread(target=produce, args=(settings, broker), kwargs={"count": 2_000, "seed": seed, "load": True})
        for seed in (2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    running.terminate()
    out, _ = running.communicate(timeout=20)

    audit = audit_of(settings)
    assert audit.acknowledged == audit.sent == 4_000 + json.loads(out)["acknowledged"]
    assert audit.acknowledged == sum(topics.end_offsets(broker, settings.topic).values())
    assert (audit.recovered, audit.runs) == (0, 3)


def test_what_was_there_before_is_not_ours(broker: Broker, new_settings: NewSettings) -> None:
    """Records that the topic held before the first run are neither acknowledged nor recovered."""
    settings = new_settings("audit-before")
    topics.ensure_topic(broker, settings)
    stranger = Producer(confluent_config(broker))
    for partition in range(4):
        stranger.produce(settings.topic, b"not ours", partition=partition)
    stranger.flush(10)

    produce(settings, broker, count=10, seed=1)
    produce(settings, broker, count=10, seed=1)

    audit = audit_of(settings)
    assert (audit.acknowledged, audit.recovered) == (20, 0)
    assert [partition.first for partition in audit.partitions.values()] == [1, 1, 1, 1]


def test_recreated_topic_is_refused(broker: Broker, new_settings: NewSettings) -> None:
    """A topic of the same name and another id is a stranger: refused with the way out, and the audit stays."""
    settings = new_settings("audit-recreated")
    produce(settings, broker, count=10, seed=1)
    before = settings.audit_file.read_bytes()
    admin = AdminClient(confluent_config(broker))
    admin.delete_topics([settings.topic])[settings.topic].result()
    wait_until(lambda: topics.describe_topic(broker, settings.topic) is None)

    with pytest.raises(AuditRefused, match=r"recreated, or is another one.*indutech reset.*INDUTECH_DATA_DIR"):
        produce(settings, broker, count=10, seed=1)

    assert settings.audit_file.read_bytes() == before
    assert sum(topics.end_offsets(broker, settings.topic).values()) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"topic": "x"}'])
def test_damaged_audit_is_refused(broker: Broker, new_settings: NewSettings, content: bytes) -> None:
    """An audit that cannot be read is named and kept, never silently begun anew."""
    settings = new_settings("audit-damaged")
    settings.audit_file.parent.mkdir(parents=True)
    settings.audit_file.write_bytes(content)

    with pytest.raises(AuditRefused, match="cannot be read"):
        produce(settings, broker, count=10, seed=1)

    assert settings.audit_file.read_bytes() == content


def test_audit_that_cannot_be_written(broker: Broker, new_settings: NewSettings) -> None:
    """Nothing is sent when the audit has no place: one sentence says why."""
    settings = new_settings("audit-nowhere")
    settings.audit_file.parent.write_text("a file where the folder should be")

    with pytest.raises(AuditRefused, match="cannot be written"):
        produce(settings, broker, count=10, seed=1)

    assert sum(topics.end_offsets(broker, settings.topic).values()) == 0


def test_file_holds_the_sums(broker: Broker, new_settings: NewSettings) -> None:
    """Whoever reads the JSON without us finds topic, ids, sums and partitions in it."""
    settings = new_settings("audit-json")
    topic = topics.ensure_topic(broker, settings)
    produce(settings, broker, count=40, seed=9)

    told = json.loads(settings.audit_file.read_text())
    assert (told["topic"], told["topic_id"], told["cluster_id"]) == (topic.name, topic.topic_id, topic.cluster_id)
    assert (told["sent"], told["acknowledged"], told["failed"], told["seeds"]) == (40, 40, 0, [9])
    assert sum(one["last_acknowledged"] + 1 for one in told["partitions"].values()) == 40
