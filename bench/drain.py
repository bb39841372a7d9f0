"""Draining a topic: our stream with everything it promises, beside what others would write, and Spark's raw read.

All drain the same messages, one in a thousand of them cut. They take turns; each drain is a process of its own that
warms up on a smaller topic first, and the memory of its JVM and Python is watched.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure, of_rounds
from bench.own_broker import own_broker
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.tickets import generator

TICKETS, WARM_UP_TICKETS, PARTITIONS, ROUNDS = 5_000_000, 3_000_000, 4, 3
BAD_EVERY = 1_000
RAW, BY_HAND, USUAL, OURS = "Spark reads, nothing else", "written by hand", "the usual job", "our stream"
JOBS = {RAW: "raw_read", BY_HAND: "by_hand", USUAL: "usual", OURS: "ours"}
SECTION = "stream"
MOST_MEMORY_MIB = 3 * 1024
# What the project wants, of our rate; where it is not reached, docs/performance.md says why.
AT_LEAST = {USUAL: 2.5, BY_HAND: 1.2, RAW: 0.4}
AT_LEAST_PER_CORE = 140_000


@dataclass(frozen=True)
class Drain:
    """One timed drain; memory is the peak of JVM and Python together."""

    job: str
    tickets: int
    seconds: float
    stored: int
    peak_mib: float

    @property
    def tickets_per_s(self) -> float:
        """Messages read per second, good and bad."""
        return self.tickets / self.seconds


def run(console: Console) -> list[Figure]:
    """Fill a topic, let each job drain it in turn, print the table, return the figures."""
    drains: dict[str, list[Drain]] = {job: [] for job in JOBS}
    with own_broker() as (settings, broker):
        filled(console, broker, PARTITIONS, TICKETS, WARM_UP_TICKETS)
        for number in range(ROUNDS):
            for job in JOBS:
                with console.status(f"{job}, round {number + 1} of {ROUNDS}"):
                    drains[job].append(
                        timed(job, PARTITIONS, TICKETS, broker, settings.data_dir / f"{JOBS[job]}-{number}")
                    )
    console.print(_table(drains))
    return _figures(drains)


def _figures(drains: Mapping[str, list[Drain]]) -> list[Figure]:
    rates = {job: [drain.tickets_per_s for drain in rounds] for job, rounds in drains.items()}
    ours, cores = statistics.median(rates[OURS]), psutil.cpu_count() or 1
    memory = [drain.peak_mib for drain in drains[OURS]]
    return [
        Figure(SECTION, "tickets drained, each time", TICKETS, "tickets"),
        *(of_rounds(SECTION, job, rounds, "tickets/s") for job, rounds in rates.items()),
        Figure(SECTION, f"{OURS}, per core", ours / cores, "tickets/s", at_least=AT_LEAST_PER_CORE),
        *(
            Figure(SECTION, f"{OURS} / {job}", ours / statistics.median(rates[job]), "x", at_least=least)
            for job, least in AT_LEAST.items()
        ),
        of_rounds(SECTION, f"memory, {OURS}", memory, "MiB", at_most=MOST_MEMORY_MIB),
    ]


def _table(drains: Mapping[str, list[Drain]]) -> Table:
    table = Table(
        title=f"Draining {TICKETS:,} tickets from {PARTITIONS} partitions, 1 in {BAD_EVERY:,} bad, warm, "
        f"{psutil.cpu_count()} cores; tickets/s\nMiB: peak of JVM and Python together",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("job", *(f"round {number + 1}" for number in range(ROUNDS)), "median", "stored", "MiB"):
        table.add_column(name, justify="left" if name == "job" else "right", no_wrap=True)
    for job, rounds in drains.items():
        rates = [drain.tickets_per_s for drain in rounds]
        peak = max(drain.peak_mib for drain in rounds)
        cells = [f"{rate:,.0f}" for rate in (*rates, statistics.median(rates))]
        table.add_row(job, *cells, "–" if job == RAW else f"{rounds[0].stored:,}", f"{peak:,.0f}")
    return table


def topic_of(partitions: int) -> str:
    return f"bench-{partitions}"


def filled(console: Console, broker: Broker, partitions: int, tickets: int, warm_up_tickets: int) -> None:
    """Make the topic of so many partitions, and the smaller one that its jobs warm up on."""
    with console.status(f"filling {partitions} partition(s) with {tickets:,} tickets"):
        fill(broker, topic_of(partitions), partitions, tickets)
        fill(broker, topic_of(partitions) + "-warm-up", partitions, warm_up_tickets)


def fill(broker: Broker, topic: str, partitions: int, count: int) -> None:
    admin = AdminClient(confluent_config(broker))
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(30)
    producer = producer_of(broker)
    if send(producer, topic, _messages(count)):
        raise RuntimeError(f"{topic} could not be filled")


def producer_of(broker: Broker) -> Producer:
    """librdkafka as `indutech produce --load` sets it: idempotent, lz4, the same partition for a key as in Java."""
    return Producer(
        {
            **confluent_config(broker),
            "enable.idempotence": True,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 500_000,
        }
    )


def send(producer: Producer, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> int:
    """Send keys and values as fast as the client takes them; return how many were not delivered in two minutes."""
    for key, value in messages:
        while True:
            try:
                producer.produce(topic, key=key, value=value)
                break
            except BufferError:
                producer.poll(0.1)
    return int(producer.flush(120))


def _messages(count: int) -> Iterator[tuple[bytes, bytes]]:
    sent = 0
    for block in generator.ticket_messages(count, seed=1):
        for key, value in block:
            sent += 1
            yield key, value[:-9] if sent % BAD_EVERY == 0 else value


def timed(
    job: str,
    partitions: int,
    tickets: int,
    broker: Broker,
    out: Path,
    environment: Mapping[str, str] | None = None,
    program: str = sys.executable,
) -> Drain:
    """Let a job drain the topic of so many partitions into a folder; `program` is its Python."""
    command = [
        program,
        "-m",
        f"bench.jobs.{JOBS.get(job, job)}",
        broker.bootstrap_servers,
        topic_of(partitions),
        str(out),
    ]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ, **(environment or {})}
        ) as process,
    ):
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.2)
        answer = process.stdout.read() if process.stdout else ""
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{job} on {partitions} partition(s) failed:\n{said.read()[-2_000:]}")
    told = json.loads(answer.splitlines()[-1])
    return Drain(job, tickets, told["seconds"], told["stored"], peak / 2**20)


def resident(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0
