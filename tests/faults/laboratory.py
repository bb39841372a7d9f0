"""Starts the real programs, each in a process and session of its own, hurts them, and lets them settle."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pyspark.sql import SparkSession

from indutech.kafka import topics
from indutech.kafka.broker import Broker, BrokerNotReady
from indutech.kafka.readiness import wait_until_it_answers
from indutech.lake import identity
from indutech.lake.checkpoint import Checkpoint
from indutech.proof import reconcile
from indutech.system.settings import Settings
from indutech.tickets import generator
from tests.faults import oracle
from tests.topics_filled import Place, send

ALTERED = Path(__file__).with_name("altered_stream.py")
LONGEST_START_S = 120  # of Spark, on a machine that is busy with other tests
LONGEST_DRAIN_S = 300


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything it said."""
        return self.out + self.err


@dataclass
class Laboratory:
    """One topic, one data folder, and the programs that work on them."""

    settings: Settings
    broker: Broker
    spark: SparkSession | None
    draws: random.Random
    ends: ExitStack  # of the test
    more_environment: dict[str, str] = field(default_factory=dict)
    injected: int = 0
    known: oracle.Truth = field(default_factory=oracle.Truth)
    _acknowledged: dict[int, int] = field(default_factory=dict)
    _hurt_at: float = field(default_factory=time.monotonic)

    def hurt(self, times: int = 1) -> None:
        """Note that a fault was injected: the time of recovery begins."""
        self.injected += times
        self._hurt_at = time.monotonic()

    def send(self, messages: Iterable[tuple[bytes | None, bytes | None]]) -> list[Place]:
        """Send these keys and values with a client of the test, and remember what was acknowledged."""
        places = send(self.broker, self.settings, messages)
        for partition, offset in places:
            self._acknowledged[partition] = max(offset, self._acknowledged.get(partition, -1))
        return places

    def send_tickets(self, count: int, seed: int) -> list[Place]:
        """Send generated tickets."""
        return self.send(message for block in generator.ticket_messages(count, seed) for message in block)

    def indutech(self, *arguments: str, seconds: float = LONGEST_DRAIN_S, **environment: str) -> Ended:
        """Run a command to its end."""
        with self.running(*arguments, **environment) as process:
            return ended(process, seconds)

    def produce(self, *arguments: str, **environment: str) -> dict:
        """Send tickets with the real producer; its result as it prints it."""
        done = self.indutech("produce", "--json", *arguments, **environment)
        assert done.code == 0, done.said
        return dict(json.loads(done.out))

    def stream_once(self, **environment: str) -> Ended:
        """Store what the topic holds."""
        return self.indutech("stream", "--once", **environment)

    @contextmanager
    def running(
        self, *arguments: str, altered: str = "", before: Callable[[], None] | None = None, **environment: str
    ) -> Iterator["subprocess.Popen[str]"]:
        """A command that runs until the block ends, by SIGKILL at the latest, in a session of its own.

        Args:
            altered: how `altered_stream.py` changes the stream, if at all.
            before: called in the new process before the command.
        """
        program = [str(ALTERED), altered] if altered else ["-m", "indutech"]
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            env={**os.environ, **self.environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=before,
        )
        try:
            yield process
        finally:
            kill_all(process)
            process.wait(30)

    def environment(self) -> dict[str, str]:
        """The settings as a user would set them."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.settings.bootstrap_servers or "",
            "KAFKA_TOPIC": self.settings.topic,
            "INDUTECH_DATA_DIR": str(self.settings.data_dir),
            "INDUTECH_MAX_BATCH_TICKETS": str(self.settings.max_batch_tickets),
            "INDUTECH_BROKER_TIMEOUT_S": str(self.settings.broker_timeout_s),
            "INDUTECH_TRIGGER_S": str(self.settings.trigger_s),
            "INDUTECH_DRIVER_MEMORY": "1g",
            **self.more_environment,
        }

    def committed(self) -> int:
        """The newest committed micro-batch, -1 without one."""
        newest = Checkpoint(self.settings.checkpoint_dir).last_committed()
        return -1 if newest is None else newest

    def broker_answers(self) -> bool:
        """Whether the broker answers now."""
        try:
            wait_until_it_answers(self.broker, 1, "")
        except BrokerNotReady:
            return False
        return True

    def end(self) -> int:
        """How many offsets the topic has, in all its partitions; none while there is no topic."""
        if topics.describe_topic(self.broker, self.settings.topic) is None:
            return 0
        return sum(topics.end_offsets(self.broker, self.settings.topic).values())

    def waiting(self) -> int:
        """How many offsets of the topic are not committed yet."""
        backlog = identity.backlog(self.settings, self.broker)
        assert backlog, f"there is no topic {self.settings.topic}"
        return backlog.waiting

    def until_stored(self, process: "subprocess.Popen[str]", seconds: float = LONGEST_DRAIN_S) -> None:
        """Wait until a running stream has stored all that was sent."""
        wait_until(lambda: self.waiting() == 0, seconds, "everything is stored", process)

    def settle(self) -> float:
        """Let a stream store what is left, if anything is; return the seconds since the last injection."""
        if self.waiting():
            done = self.stream_once()
            assert done.code == 0, done.said
        return time.monotonic() - self._hurt_at

    def recovered(self) -> float:
        """The seconds since the last injection."""
        return time.monotonic() - self._hurt_at

    def forget(self) -> None:
        """The topic is another one now: what was sent before is not there any more."""
        self.known, self._acknowledged = oracle.Truth(), {}

    def move_to(self, name: str) -> None:
        """Use another data folder, beside the one so far."""
        folder = self.settings.data_dir.with_name(f"{self.settings.data_dir.name} {name}")
        self.settings = self.settings.model_copy(update={"data_dir": folder})

    def learn(self) -> None:
        """Remember what the topic holds now: for faults that delete from it."""
        oracle.truth(self.broker, self.settings.topic, self.known)

    def judge(self) -> oracle.Verdict:
        """Ask the oracle, and whether `reconcile`, which counts in its own way, says the same."""
        self.learn()
        verdict = oracle.judge(self.settings, self.broker, self.known, self.spark, self._acknowledged)
        proof = reconcile.prove(self.settings, self.broker, full=True)
        told = (proof.stored, proof.quarantined, proof.lost + proof.expired, proof.twice)
        found = (verdict.stored, verdict.quarantined, verdict.lost, verdict.twice)
        if told != found:
            verdict.findings.append(f"reconcile says {told}, the oracle {found}")
        return verdict


def ended(process: "subprocess.Popen[str]", seconds: float = LONGEST_DRAIN_S) -> Ended:
    """Wait for the end of a program."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def kill_all(process: "subprocess.Popen[str]") -> None:
    """SIGKILL to a program and all that it has started, in the same instant."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def java_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The Java processes in the session of a program."""
    found = []
    for one in psutil.process_iter(["name", "status"]):
        with suppress(psutil.Error, ProcessLookupError):
            if one.info["name"] == "java" and one.info["status"] != "zombie" and os.getsid(one.pid) == process.pid:
                found.append(one)
    return found


def wait_until(
    happened: Callable[[], object],
    seconds: float,
    what: str,
    process: "subprocess.Popen[str] | None" = None,
) -> None:
    """Wait, with a deadline, until something is true; fail at once if the program that should do it has ended."""
    deadline = time.monotonic() + seconds
    while not happened():
        if process and process.poll() is not None:
            raise AssertionError(f"it ended before {what}: {ended(process, 10)}")
        assert time.monotonic() < deadline, f"after {seconds} s it is still not true that {what}"
        time.sleep(0.02)
