"""Draining a topic: our stream, with everything it promises, beside the job that everybody writes first.

Both drain the same messages, one in a thousand of them cut, from a topic with four partitions and from one with one.
Each drain is a process of its own that warms up on a smaller topic first; its JVM and its Python are watched.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.system.settings import Settings
from indutech.tickets import generator

TICKETS = 3_000_000
WARM_UP_TICKETS = 300_000
BAD_EVERY = 1_000
PARTITIONS = (4, 1)
OURS, USUAL = "our stream", "the usual job"


@dataclass(frozen=True)
class Drain:
    """One timed drain; memory is the peak of JVM and Python together."""

    job: str
    partitions: int
    seconds: float
    stored: int
    peak_mib: float

    @property
    def tickets_per_s(self) -> float:
        """Messages read per second, good and bad."""
        return TICKETS / self.seconds


def run(console: Console) -> list[Drain]:
    """Fill the topics, drain them in turn, print the table."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None)
        with brokers.connected(settings) as broker:
            with console.status(f"filling the topics with {TICKETS:,} tickets each"):
                for partitions in PARTITIONS:
                    fill(broker, topic_of(partitions), partitions, TICKETS)
                    fill(broker, topic_of(partitions) + "-warm-up", partitions, WARM_UP_TICKETS)
            drains = []
            for partitions in PARTITIONS:
                for job in (USUAL, OURS):
                    with console.status(f"{job}, {partitions} partition(s)"):
                        drains.append(timed(job, partitions, broker, Path(folder)))
    console.print(_table(drains))
    return drains


def _table(drains: list[Drain]) -> Table:
    table = Table(
        title=f"Draining {TICKETS:,} tickets, 1 in {BAD_EVERY:,} bad, warm, {psutil.cpu_count()} cores\n"
        "MiB: peak of JVM and Python together; ratio: ours to the usual job",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("topic", "job", "tickets/s", "seconds", "stored", "MiB", "ratio"):
        table.add_column(name, justify="left" if name == "job" else "right", no_wrap=True)
    usual = {drain.partitions: drain.seconds for drain in drains if drain.job == USUAL}
    for drain in drains:
        ratio = f"{usual[drain.partitions] / drain.seconds:.2f} x" if drain.job == OURS else ""
        cells = (f"{drain.tickets_per_s:,.0f}", f"{drain.seconds:.1f}", f"{drain.stored:,}", f"{drain.peak_mib:,.0f}")
        table.add_row(f"{drain.partitions} part.", drain.job, *cells, ratio)
    return table


def topic_of(partitions: int) -> str:
    return f"bench-{partitions}"


def fill(broker: Broker, topic: str, partitions: int, count: int) -> None:
    admin = AdminClient(confluent_config(broker))
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(30)
    producer = Producer(
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
    for key, value in _messages(count):
        while True:
            try:
                producer.produce(topic, key=key, value=value)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(120):
        raise RuntimeError(f"{topic} could not be filled")


def _messages(count: int) -> Iterator[tuple[bytes, bytes]]:
    sent = 0
    for block in generator.ticket_messages(count, seed=1):
        for key, value in block:
            sent += 1
            yield key, value[:-9] if sent % BAD_EVERY == 0 else value


def timed(job: str, partitions: int, broker: Broker, folder: Path) -> Drain:
    out = folder / f"{'ours' if job == OURS else 'usual'}-{partitions}"
    program = "bench.drain_ours" if job == OURS else "bench.drain_usual"
    command = [sys.executable, "-m", program, broker.bootstrap_servers, topic_of(partitions), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.2)
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{job} on {partitions} partition(s) failed with exit code {process.returncode}")
    told = json.loads(answer.splitlines()[-1])
    return Drain(job, partitions, told["seconds"], told["stored"], peak / 2**20)


def _resident(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        return sum(process.memory_info().rss for process in [parent, *parent.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0
