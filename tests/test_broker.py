"""The embedded broker lives as long as somebody needs it, and no longer."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker, BrokerNotReady
from indutech.kafka.connection import confluent_config
from indutech.kafka.embedded import properties
from indutech.kafka.readiness import wait_until_it_answers
from indutech.system import ports, supervisor
from indutech.system.settings import Settings

USER = """
import sys
from pathlib import Path
from indutech.kafka import broker
from indutech.system.settings import Settings
with broker.connected(Settings(_env_file=None, bootstrap_servers=None, data_dir=Path(sys.argv[1]))) as connected:
    print(connected.bootstrap_servers, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def own(java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a broker of this test's own, in a folder with spaces, accents and a comma; nothing may remain."""
    # These brokers live for seconds: without Java's second compiler they start with 40 % less work.
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
    monkeypatch.setenv("LC_ALL", "C")  # where Java, left alone, cannot open a path with an accent
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "à part, s'il vous plaît")
    yield settings
    assert brokers.stop(settings)
    wait_until(lambda: not processes_of(settings), 5, "no process is left")


def processes_of(settings: Settings) -> list[psutil.Process]:
    """Return the processes that work in the folder of this broker: supervisor and JVM."""
    alive = [one for one in psutil.process_iter(["cwd", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE]
    return [one for one in alive if one.info["cwd"] == str(settings.broker_dir)]


def wait_until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait, with a deadline, until something is true."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"after {seconds} s it is still not true that {what}"
        time.sleep(0.05)


def a_user(settings: Settings) -> "subprocess.Popen[str]":
    """Start another process that uses the broker until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(settings.data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def address_told_by(user: "subprocess.Popen[str]") -> str:
    """Wait until the other process is connected."""
    assert user.stdout
    return user.stdout.readline().strip()


def send(broker: Broker, topic: str, count: int) -> None:
    """Send records and wait until the broker has acknowledged each."""
    failed: list[object] = []
    producer = Producer({**confluent_config(broker), "acks": "all", "enable.idempotence": True})
    for number in range(count):
        producer.produce(topic, str(number), partition=0, on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(30) == 0
    assert not failed


def test_users_share_one_broker_and_the_death_of_the_last_ends_it(own: Settings) -> None:
    """Two who start at once get one broker; who leaves does not take it away; a killed last user leaves nothing."""
    first, second = a_user(own), a_user(own)
    [address] = {address_told_by(first), address_told_by(second)}
    status = brokers.status(own)
    assert (status.running, status.bootstrap_servers, status.kept) == (True, address, False)
    assert status.leases == sorted([first.pid, second.pid])
    assert len(processes_of(own)) == 2  # one supervisor, one JVM

    # A terminal's Ctrl-C goes to a process group: the broker is in none of theirs.
    assert not {first.pid, second.pid} & {os.getpgid(one.pid) for one in processes_of(own)}

    first.communicate(timeout=30)
    assert brokers.status(own).leases == [second.pid]
    assert len(processes_of(own)) == 2

    second.kill()
    second.communicate()
    wait_until(lambda: processes_of(own) == [], 5, "no process is left")


def test_started_broker_stays_until_stop_and_keeps_its_data(own: Settings) -> None:
    """`start` outlives its command and its users, `stop` waits for them; a restart has the same address and topics."""
    started = brokers.start(own)
    pid = brokers.status(own).pid
    with brokers.connected(own) as broker:
        assert broker == started
        topic = topics.ensure_topic(broker, own)
        send(broker, topic.name, 10)
    time.sleep(5 * supervisor.LOOKS_EVERY_S)  # without the lease it would be stopping by now
    with brokers.connected(own):
        assert (brokers.status(own).kept, brokers.status(own).pid) == (True, pid)
        assert brokers.stop(own) is False
        assert brokers.status(own).running
    # A user that leaves last waits for the end: nothing is left now, not only soon.
    assert processes_of(own) == []

    with brokers.connected(own) as again:
        assert again == started
        assert topics.describe_topic(again, own.topic) == topic
        assert topics.end_offsets(again, own.topic)[0] == 10


def test_killed_broker_comes_back_with_what_it_acknowledged(own: Settings) -> None:
    """A SIGKILLed broker answers again, with what it acknowledged; a SIGKILLed supervisor takes it along."""
    with brokers.connected(own) as broker:
        topic = topics.ensure_topic(broker, own)
        send(broker, topic.name, 100)
        killed = brokers.status(own).pid
        psutil.Process(killed).kill()
        wait_until(lambda: brokers.status(own).pid != killed, 5, "another JVM runs")

        wait_until_it_answers(broker, 60, "")
        assert topics.existing_offsets(broker, topic.name, 0, 0, 99) == set(range(100))

        [owner] = [one for one in processes_of(own) if one.pid != brokers.status(own).pid]
        owner.kill()
        wait_until(lambda: processes_of(own) == [], 20, "no process is left")
        assert brokers.status(own).running is False


def test_deleted_data_ends_the_broker(own: Settings) -> None:
    """When its data is deleted under it, the broker goes away instead of being started again and again."""
    brokers.start(own)
    ours = processes_of(own)
    assert len(ours) == 2
    shutil.rmtree(own.broker_dir / "data")

    assert psutil.wait_procs(ours, timeout=20)[1] == []
    assert brokers.status(own).running is False
    assert not (own.broker_dir / "kept").exists()


def test_broker_that_cannot_start_says_why(own: Settings) -> None:
    """A failure is told at once, with the end of the log and where the log is; nothing is left running."""
    (own.broker_dir / "data").mkdir(parents=True)
    (own.broker_dir / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=77\n")

    with pytest.raises(BrokerNotReady, match=r"(?s)node.*77.*broker\.log") as refused:
        brokers.start(own)

    assert "\n" not in str(refused.value)
    assert brokers.status(own).running is False


def test_lost_port_is_replaced(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker whose port was taken between our look and its start starts on another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answers = iter([[port, *ports.free(1)], ports.free(2)])
        monkeypatch.setattr(ports, "as_last_time", lambda *_: next(answers))
        with brokers.connected(own) as broker:
            assert broker.bootstrap_servers != f"127.0.0.1:{port}"


def external(address: str, timeout_s: float = 1) -> Settings:
    """Return settings that name a broker."""
    return Settings(_env_file=None, bootstrap_servers=address, broker_timeout_s=timeout_s)


def test_named_broker_is_used_as_it_is(broker: Broker, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """With KAFKA_BOOTSTRAP_SERVERS set no broker is started, and the clients print nothing."""
    before = brokers.status(settings).leases
    with brokers.connected(external(broker.bootstrap_servers)) as named:
        assert named == Broker(broker.bootstrap_servers, embedded=False)
        assert brokers.status(settings).leases == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("127.0.0.1:1", "connection refused"),
        ("nobody.invalid:9092", "the name nobody.invalid is unknown"),
        ("127.0.0.1:1,nobody.invalid:9092", "within 1 s"),
    ],
)
def test_unreachable_broker_is_one_sentence(address: str, cause: str) -> None:
    """Within the time given, one sentence has the address, the cause and the name of the setting."""
    began = time.monotonic()
    with pytest.raises(BrokerNotReady) as refused, brokers.connected(external(address)):
        pass

    assert time.monotonic() - began < 4
    for part in (address, cause, "KAFKA_BOOTSTRAP_SERVERS"):
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


def test_something_else_at_the_port_is_recognised(capfd: pytest.CaptureFixture[str]) -> None:
    """A service that is no Kafka, or wants TLS, is told apart from silence."""
    with socket.create_server(("127.0.0.1", 0)) as service:

        def hang_up() -> None:
            while True:
                try:
                    service.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        address = f"127.0.0.1:{service.getsockname()[1]}"
        named = brokers.connected(external(address))
        with pytest.raises(BrokerNotReady, match="did not answer as a Kafka broker"), named:
            pass
        service.shutdown(socket.SHUT_RDWR)
    assert capfd.readouterr() == ("", "")


def test_address_without_port_is_explained() -> None:
    """A host alone is not tried for twenty seconds."""
    named = brokers.connected(external("redpanda", 20))
    with pytest.raises(BrokerNotReady, match="'redpanda' is not host:port"), named:
        pass


def test_unreachable_advertised_address_is_told(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that sends clients elsewhere, the usual mistake with containers, is told apart from one that is down."""
    original = properties._listeners
    monkeypatch.setattr(
        properties,
        "_listeners",
        lambda *ports: original(*ports) | {"advertised.listeners": "BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2"},
    )

    with pytest.raises(BrokerNotReady, match=r"tells clients to use 127\.0\.0\.1:1, which cannot be reached"):
        brokers.start(own)


def test_start_with_a_named_broker_is_refused() -> None:
    """There is nothing to start when the settings name a broker."""
    with pytest.raises(brokers.InduTechError, match="unset it"):
        brokers.start(external("127.0.0.1:1"))
