"""`indutech doctor` finds what is wrong with a set-up, names the safe step, and changes nothing."""

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from indutech.jvm import jars, java
from indutech.jvm.java import JavaMissing
from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import identity, layout
from indutech.lake.writer_lock import sole_writer
from indutech.proof import doctor
from indutech.proof.doctor import Level
from indutech.system.settings import Settings
from tests import lakes
from tests.topic_reader import start_cli, wait_until

pytestmark = pytest.mark.java  # the first check asks Java for its version

NewSettings = Callable[..., Settings]


def problems(settings: Settings) -> dict[str, str]:
    """Subject → sentence and next step of each problem."""
    found = doctor.examine(settings).findings
    return {one.subject: f"{one.says} {one.next_step}".strip() for one in found if one.level is Level.PROBLEM}


def notes(settings: Settings) -> dict[str, str]:
    """Subject → sentence and next step of each note."""
    found = doctor.examine(settings).findings
    return {one.subject: f"{one.says} {one.next_step}".strip() for one in found if one.level is Level.NOTE}


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    """A data folder that was never used, and the embedded broker that does not run."""
    return Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "données [1]")


@pytest.fixture
def healthy(broker: Broker, new_settings: NewSettings, request: pytest.FixtureRequest) -> Settings:
    """A lake of its topic with one committed micro-batch, on the session's real broker."""
    settings = new_settings(f"doctor-{abs(hash(request.node.name))}")
    topic = topics.ensure_topic(broker, settings)
    known = identity.admit(settings, topic, topics.start_offsets(broker, topic.name))
    lakes.store(settings, "tickets", "2026-01-01", 0, range(0))
    lakes.commit(settings, 0, dict.fromkeys(range(topic.partitions), 0))
    identity.claim(settings, known)
    return settings


def test_a_set_up_that_was_never_used_has_no_problem(empty: Settings) -> None:
    """A new folder and no broker are where everybody begins; nothing is created by looking."""
    assert problems(empty) == {}
    assert "does not run" in notes(empty)["broker"]
    assert not empty.data_dir.exists()


def test_a_healthy_set_up_has_no_problem(healthy: Settings) -> None:
    """Broker, topic, lake and checkpoint are named as they are."""
    findings = {one.subject: one for one in doctor.examine(healthy).findings}

    assert {one.level for one in findings.values()} == {Level.OK}
    assert findings["topic"].says.startswith(f"{healthy.topic} has 4 partitions")
    assert findings["offsets"].says == "Everything in the topic is stored."


def test_no_java(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence is that of every command that needs one."""

    def nowhere() -> Path:
        raise JavaMissing("Kafka and Spark need Java 17 or 21 and this machine has none: install one.")

    monkeypatch.setattr(java, "java_home", nowhere)
    assert "install one" in problems(empty)["Java"]


def test_jars_not_fetched_yet(empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache is filled by `make setup`; looking downloads nothing."""
    monkeypatch.setenv("INDUTECH_CACHE_DIR", str(tmp_path / "cache"))
    assert problems(empty)["jars"].endswith("make setup")
    assert not (tmp_path / "cache").exists()


def test_a_jar_that_was_changed(empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A jar whose content is not the locked one is named."""
    monkeypatch.setenv("INDUTECH_CACHE_DIR", str(tmp_path))
    first = jars.locked(jars.KAFKA_SERVER)[0]
    first.path.parent.mkdir(parents=True)
    first.path.write_bytes(b"not this")
    assert first.coordinate in problems(empty)["jars"]


def test_nobody_answers(empty: Settings) -> None:
    """The address and the setting are named, and what needs a broker is said not to be looked at."""
    settings = empty.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    assert "127.0.0.1:1" in problems(settings)["broker"]
    assert "KAFKA_BOOTSTRAP_SERVERS" in problems(settings)["broker"]
    assert "Not looked at" in notes(settings)["topic"]


def test_something_else_listens(empty: Settings) -> None:
    """A port that accepts and says nothing is told within the bound."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = empty.model_copy(update={"bootstrap_servers": f"127.0.0.1:{silent.getsockname()[1]}"})
        assert "did not answer as a Kafka broker" in problems(settings)["broker"]


def test_a_compacted_topic(broker: Broker, new_settings: NewSettings) -> None:
    """It cannot carry a proof, because Kafka deletes records from it."""
    from confluent_kafka.cimpl import NewTopic

    from indutech.kafka.readiness import asking

    settings = new_settings("doctor-compacted")
    with asking(broker) as admin:
        wanted = NewTopic(settings.topic, num_partitions=1, config={"cleanup.policy": "compact"})
        admin.create_topics([wanted])[settings.topic].result()
    wait_until(lambda: topics.describe_topic(broker, settings.topic) is not None)

    assert "cleanup.policy=delete" in problems(settings)["topic"]
    assert "message.timestamp.type=CreateTime" in notes(settings)["topic"]


def test_the_topic_was_recreated(broker: Broker, healthy: Settings) -> None:
    """Same name, another id: its offsets name other messages."""
    topics.delete_topic(broker, healthy.topic)
    wait_until(lambda: topics.describe_topic(broker, healthy.topic) is None)
    topics.ensure_topic(broker, healthy)

    assert "created again" in problems(healthy)["lake and checkpoint"]
    assert "INDUTECH_DATA_DIR" in problems(healthy)["lake and checkpoint"]


def test_the_checkpoint_was_deleted_alone(healthy: Settings) -> None:
    """A new checkpoint would number its micro-batches from 0 again."""
    shutil.rmtree(healthy.checkpoint_dir)
    assert "Restore the checkpoint" in problems(healthy)["lake and checkpoint"]


def test_the_lake_was_deleted_alone(healthy: Settings) -> None:
    """The checkpoint remembers offsets that nobody holds any more."""
    shutil.rmtree(healthy.lake_dir)
    assert "Restore the lake, or run `indutech reset`" in problems(healthy)["lake and checkpoint"]


def test_a_checkpoint_file_was_cut(healthy: Settings) -> None:
    """The file is named, once, whichever check met it first."""
    file = healthy.checkpoint_dir / "offsets" / "0"
    file.write_text("v1\n")
    [says] = [one.says for one in doctor.examine(healthy).findings if one.level is Level.PROBLEM]
    assert str(file) in says


def test_offsets_have_expired(broker: Broker, healthy: Settings) -> None:
    """Records that the broker deleted before they were stored are named with their range."""
    from confluent_kafka import TopicPartition

    from indutech.kafka.readiness import asking
    from tests.topics_filled import send

    partition, _ = send(broker, healthy, [(b"1234", b"x")] * 5)[0]
    assert notes(healthy)["offsets"].startswith("5 messages wait")

    with asking(broker) as admin:
        [deleted] = admin.delete_records([TopicPartition(healthy.topic, partition, 3)]).values()
        deleted.result()
    assert f"Partition {partition}: the broker has deleted offsets 0 to 2" in problems(healthy)["offsets"]


def test_leftovers_of_a_killed_writer(healthy: Settings) -> None:
    """They are named with the command that removes them, and not while somebody writes."""
    left = layout.root(healthy, "tickets") / ".spark-staging-1"
    left.mkdir(parents=True)
    assert "indutech stream --once" in notes(healthy)["leftovers"]

    with sole_writer(healthy):
        assert "leftovers" not in notes(healthy)
        assert "is writing" in notes(healthy)["processes"]
    assert left.exists()


def test_a_full_disk(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little space is a problem before Spark meets it."""
    usage = shutil.disk_usage(empty.data_dir.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**6))
    assert "INDUTECH_DATA_DIR" in problems(empty)["disk space"]


def test_a_folder_that_is_no_folder(tmp_path: Path) -> None:
    """A file in the place of the data folder cannot hold data, whoever asks."""
    (tmp_path / "file").write_text("")
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "file")
    assert str(tmp_path / "file") in problems(settings)["data folder"]


def test_a_broker_without_its_supervisor(tmp_path: Path) -> None:
    """An embedded broker whose supervisor was killed is found by its process, and the next start ends it."""
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "orphelin")
    brokers.start(settings)
    pid = brokers.status(settings).pid
    assert pid
    supervisor = psutil.Process(pid).parent()
    assert supervisor
    os.kill(supervisor.pid, 9)
    try:
        wait_until(lambda: not brokers.status(settings).running)
        assert f"process {pid}" in problems(settings)["processes"]
    finally:
        psutil.Process(pid).kill()


def test_the_audit_is_about_another_topic(healthy: Settings, broker: Broker) -> None:
    """An audit that cannot be read is named with its file."""
    healthy.audit_file.parent.mkdir(parents=True)
    healthy.audit_file.write_text("{")
    assert str(healthy.audit_file) in problems(healthy)["producer's audit"]


@pytest.fixture
def command_line(healthy: Settings) -> Callable[..., tuple[int, str]]:
    """Run the command as a user does; give its exit code and what it prints."""

    def run(*arguments: str) -> tuple[int, str]:
        process = start_cli(healthy, "doctor", *arguments)
        out, err = process.communicate(timeout=60)
        assert err == ""
        return process.returncode, out

    return run


def test_the_command_prints_and_exits(healthy: Settings, command_line: Callable[..., tuple[int, str]]) -> None:
    """Exit 0 without a problem, 1 with one; --json is one object."""
    code, text = command_line()
    assert code == 0
    assert text.rstrip().endswith("No problem found.")

    shutil.rmtree(healthy.checkpoint_dir)
    code, text = command_line("--json")
    told = json.loads(text)
    assert code == 1
    assert told["healthy"] is False
    assert {"subject", "level", "says", "next_step"} == set(told["findings"][0])


def test_it_starts_nothing(healthy: Settings) -> None:
    """A diagnosis leaves no process behind."""
    before = set(psutil.Process().children(recursive=True))
    doctor.examine(healthy)

    assert set(psutil.Process().children(recursive=True)) <= before
