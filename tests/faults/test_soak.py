"""The soak: stream, producer and broker are killed again and again while tickets arrive; nothing is lost or twice."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import psutil
import pytest
from pyspark.sql import SparkSession

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.system.settings import Settings
from tests.faults.laboratory import LONGEST_START_S, Laboratory, ended, java_of, kill_all, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]

STREAM_KILLS = int(os.environ.get("SOAK_STREAM_KILLS", "50"))
PRODUCER_KILLS = STREAM_KILLS * 2 // 5
BROKER_KILLS = STREAM_KILLS // 10
LONGEST_LIFE_S = 12.0  # of a stream
RATE = 2_000
WAYS = ("all at once", "Python first", "Java first")


class _Producers:
    """A producer at RATE tickets a second, killed and started again from a thread of its own."""

    def __init__(self, laboratory: Laboratory, draws: random.Random) -> None:
        self._laboratory, self._draws = laboratory, draws
        self.kills = 0
        self.failures: list[str] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Producers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    def _run(self) -> None:
        seed = 0
        while not self.over.is_set():
            seed += 1
            load = ["--load"] if seed % 2 else []
            with self._laboratory.running("produce", "--rate", str(RATE), "--seed", str(seed), *load) as process:
                lives_until = time.monotonic() + self._draws.uniform(2, 30)
                while time.monotonic() < lives_until and process.poll() is None and not self.over.is_set():
                    time.sleep(0.05)
                if process.poll() is not None:
                    done = ended(process, 10)
                    if "Traceback" in done.said:
                        self.failures.append(done.said)
                    continue  # the broker was away for longer than it waits
                if self.over.is_set() and self.kills >= PRODUCER_KILLS:
                    process.send_signal(signal.SIGTERM)
                    ended(process, 60)
                else:
                    kill_all(process)
                    self.kills += 1


def test_killed_again_and_again(
    new_settings: Callable[..., Settings], spark: SparkSession, draws: random.Random, record_fault: Callable[..., None]
) -> None:
    """50 SIGKILLs of the stream, 20 of the producer, 5 of the broker, at random moments of their lives."""
    settings = new_settings("soak", max_batch_tickets=20_000, trigger_s=0).model_copy(
        update={"bootstrap_servers": None}
    )
    with ExitStack() as ends:
        broker = ends.enter_context(brokers.connected(settings))
        topics.ensure_topic(broker, settings)
        laboratory = Laboratory(settings, broker, spark, draws, ends)
        start_s = _first_start(laboratory)
        broker_dies_at = set(draws.sample(range(STREAM_KILLS), BROKER_KILLS))
        stream_kills = broker_kills = 0
        with _Producers(laboratory, random.Random(draws.random())) as producers:  # noqa: S311
            while stream_kills < STREAM_KILLS or producers.kills < PRODUCER_KILLS:
                if stream_kills in broker_dies_at:
                    broker_dies_at.discard(stream_kills)
                    pid = brokers.status(settings).pid
                    assert pid, "the broker of before has not come back"
                    os.kill(pid, signal.SIGKILL)
                    broker_kills += 1
                longest = min(2 * start_s, LONGEST_LIFE_S)
                with laboratory.running("stream") as process:
                    if stream_kills % 5 == 4:  # however slow the machine, some die with a micro-batch behind them
                        committed = laboratory.committed()
                        with suppress(AssertionError):
                            wait_until(
                                lambda before=committed: laboratory.committed() > before, LONGEST_START_S, "", process
                            )
                        longest = 2.0
                    time.sleep(draws.uniform(0, longest))  # not a wait for something: the moment of death
                    if process.poll() is not None:  # it gave up, because the broker was away: no traceback
                        assert "Traceback" not in ended(process, 10).said
                        continue
                    _kill(process, draws.choice(WAYS))
                    stream_kills += 1
            laboratory.hurt(stream_kills + producers.kills + broker_kills)
        assert producers.failures == []
        wait_until(laboratory.broker_answers, 60, "the broker answers")
        recovery_s = laboratory.settle()
        verdict = laboratory.judge()
    record_fault(
        family=12,
        fault=f"soak: {stream_kills} SIGKILLs of the stream, {producers.kills} of the producer, {broker_kills} of the "
        f"broker, {RATE:,} tickets a second",
        injected=laboratory.injected,
        sent=verdict.sent,
        stored=verdict.stored,
        quarantined=verdict.quarantined,
        lost=verdict.lost,
        twice=verdict.twice,
        recovery_s=round(recovery_s, 1),
    )
    assert laboratory.committed() > 0
    assert verdict.findings == []
    assert (verdict.lost, verdict.twice) == (0, 0)


def _first_start(laboratory: Laboratory) -> float:
    """The seconds from the start of a stream to its first commit, on this machine as busy as it is."""
    laboratory.produce("--count", "1000", "--seed", "0")
    began = time.monotonic()
    with laboratory.running("stream") as process:
        wait_until(lambda: laboratory.committed() >= 0, LONGEST_START_S, "the stream commits", process)
        return time.monotonic() - began


def _kill(process: "subprocess.Popen[str]", way: str) -> None:
    """Kill Python and Java of a stream, in one of the orders in which it happens."""
    with suppress(psutil.Error):
        if way == "Java first":
            for one in java_of(process):
                one.kill()
            with suppress(Exception):
                process.wait(5)
        elif way == "Python first":
            process.kill()
            process.wait(5)
    kill_all(process)
