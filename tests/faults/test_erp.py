"""Kafka Connect and the broker are killed while the ERP is changed: the lake's clients are the source's, row by row."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.plant.erp import changes, comparison, connect, embedded, history, job, postgres
from indutech.plant.erp.comparison import Comparison
from indutech.plant.erp.tables import CLIENTS
from indutech.system.settings import Settings
from tests.faults.laboratory import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.java, pytest.mark.timeout(900)]

CHANGES = 5_000
RATE = 100.0
LONGEST_RECOVERY_S = 180.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder of its own, with a broker that may be killed."""
    return Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "données d'été")


@contextmanager
def traffic(settings: Settings, seed: int, count: int = 0) -> Iterator[list[changes.Changes]]:
    """Changes at a steady rate, in a thread of their own: so many, or as long as the block runs."""
    made: list[changes.Changes] = []
    over = threading.Event()
    folder = embedded.database_dir(settings)

    def change() -> None:
        made.append(changes.apply(folder, count or 10**6, seed, rate=RATE, stop=over.is_set))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield made
    finally:
        if not count:
            over.set()
        thread.join()


def compared(settings: Settings, broker: Broker) -> Comparison:
    """Read the source, wait until what it had is captured, store it, and compare."""
    captured = comparison.until_captured(settings, LONGEST_RECOVERY_S)

    def wait(seen: history.SourceSnapshot) -> None:
        assert captured(seen)
        job.run(settings, broker, once=True)

    return comparison.compare(settings, broker, CLIENTS, wait)


def kill_capture(settings: Settings) -> int:
    """SIGKILL to Kafka Connect; returns its process."""
    pid = embedded.status(settings).capture.pid
    assert pid, "Kafka Connect of before has not come back"
    os.kill(pid, signal.SIGKILL)
    return pid


def is_back(settings: Settings, killed: int) -> bool:
    """Whether another Kafka Connect runs the capture."""
    status = embedded.status(settings)
    return status.capture.pid not in (None, killed) and status.capture_state == "RUNNING"


def test_killed_again_and_again_the_clients_are_equal(
    settings: Settings, record_fault: Callable[..., None], draws: random.Random
) -> None:
    """5,000 changes, two SIGKILLs of Kafka Connect and one of the broker; equal at three moments and at the end."""
    moments: list[Comparison] = []
    with embedded.captured(settings) as broker:
        with traffic(settings, draws.randrange(10**6), CHANGES) as made:
            for victim in ("capture", "broker", "capture"):
                time.sleep(draws.uniform(3, 9))  # not a wait for something: the moment of death
                if victim == "broker":
                    pid = brokers.status(settings).pid
                    assert pid
                    os.kill(pid, signal.SIGKILL)
                    wait_until(
                        lambda pid=pid: brokers.status(settings).pid not in (None, pid), 60, "the broker is back"
                    )
                else:
                    killed = kill_capture(settings)
                    wait_until(lambda pid=killed: is_back(settings, pid), LONGEST_RECOVERY_S, "the capture is back")
                began = time.monotonic()
                moments.append(compared(settings, broker))
            recovery_s = time.monotonic() - began
        moments.append(compared(settings, broker))
        keys = history.read(settings, CLIENTS, "state")["client_id"].to_pylist()
    [done] = made
    record_fault(
        family=12,
        fault=f"rows of the ERP after {CHANGES:,} changes: Kafka Connect SIGKILLed twice, the broker once",
        injected=3,
        sent=moments[-1].source_rows,
        stored=moments[-1].lake_rows,
        quarantined=moments[-1].unreadable,
        lost=moments[-1].different,
        twice=len(keys) - len(set(keys)),
        recovery_s=round(recovery_s, 1),
    )
    assert done.committed == CHANGES
    assert [one.differences for one in moments] == [[], [], [], []]
    assert [one.exit_code for one in moments] == [0, 0, 0, 0]
    assert moments[0].events < moments[-1].events, "the moments are one and the same"
    assert len(keys) == len(set(keys)) == moments[-1].source_rows


def test_a_snapshot_that_is_killed(settings: Settings, draws: random.Random) -> None:
    """Clients that it had read are changed and deleted before it is taken anew: none of them stays as it was."""
    topic = connect.topic_of(settings.erp_topics, CLIENTS)
    with brokers.connected(settings) as broker, embedded.erp(settings) as folder:
        embedded.make_topics(broker, settings)
        sent_before = 0

        def some_of_it_is_sent() -> bool:
            nonlocal sent_before
            sent_before = topics.end_offsets(broker, topic)[0]
            return sent_before > 500 and (embedded.capture_dir(settings) / "answered").exists()

        killed: list[int] = []

        def kills() -> None:
            wait_until(some_of_it_is_sent, LONGEST_RECOVERY_S, "the snapshot has begun")
            killed.append(kill_capture(settings))

        killer = threading.Thread(target=kills)
        killer.start()
        with embedded.captured(settings):
            with traffic(settings, draws.randrange(10**6)) as made:
                killer.join()
                with postgres.connection(folder) as connected, connected.cursor() as cursor:
                    cursor.execute("DELETE FROM clients WHERE client_id BETWEEN 1000 AND 1100")
                wait_until(lambda: is_back(settings, killed[0]), LONGEST_RECOVERY_S, "the capture is back")
                compared(settings, broker)  # the snapshot is taken while the clients are changed
            found = compared(settings, broker)
            with history.connect(settings, CLIENTS) as lake:
                [[snapshots]] = lake.execute("SELECT count(DISTINCT source_lsn) FROM changes WHERE op = 'r'").fetchall()

    assert 500 < sent_before < 9_000, "the kill came after the snapshot"
    assert made[0].committed > 100
    assert snapshots == 2
    log = postgres.log_file(folder).read_text("utf-8")
    assert log.count("exported logical decoding snapshot") == 2, "the second snapshot was not that of a new slot"
    assert (found.differences, found.exit_code) == ([], 0)
    assert found.lake_rows == found.source_rows


def test_the_erp_itself_is_killed(settings: Settings, draws: random.Random) -> None:
    """PostgreSQL comes back with what it had committed, and the capture goes on by itself or is started again."""
    with embedded.captured(settings, 500) as broker:
        folder = embedded.database_dir(settings)
        changes.apply(folder, 300, draws.randrange(10**6))
        pid = embedded.status(settings).database.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: postgres.answers(folder), 60, "PostgreSQL is back")
        changes.apply(folder, 300, draws.randrange(10**6))

        found = compared(settings, broker)

        assert embedded.status(settings).capture_state == "RUNNING"
    assert (found.differences, found.exit_code) == ([], 0)
