"""How long an urgent ticket waits until its team's topic has it: in real-time mode, and in micro-batches.

Each way runs in a process of its own, with `indutech stream` beside it, which stores the same tickets in the lake.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.lake import identity
from indutech.producer import produce
from indutech.proof import reconcile
from indutech.stream import urgent
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

RATE, WARM_UP_S, SEED = 2_000, 10, 17
COMMIT_EVERY_S = 60
# Real-time mode is measured from one commit to the next, so that what waits for a commit is in its share.
WAYS = {
    "real time": (["indutech", "route", "--commit", str(COMMIT_EVERY_S)], COMMIT_EVERY_S),
    "micro-batches": (["bench.route_in_micro_batches"], 20),
}
PROMISED_P99_MS = 150
_DEADLINE_S = 90


class RouteNotMeasured(InduTechError):
    """A process of the measurement did not route or store everything in time."""


def run(console: Console) -> list[Figure]:
    """Route and store the same tickets in both ways, one after the other; print the waits and the lake's proof."""
    table = Table(
        title=f"From the broker's stamp of a ticket to that of its routed record, {RATE:,} tickets/s, warm, "
        "the lake's stream beside; ms",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("way", "seconds", "urgent", "half", "95 %", "99 %", "99.9 %", "longest", "repeats", "lake"):
        table.add_column(name, justify="left" if name in ("way", "lake") else "right")
    found = []
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None)
        with brokers.connected(settings) as broker:
            for way, (command, seconds) in WAYS.items():
                own = settings.model_copy(
                    update={
                        "data_dir": Path(folder) / way,
                        "topic": way.replace(" ", "-"),
                        "bootstrap_servers": broker.bootstrap_servers,
                    }
                )
                with console.status(f"{way}, {seconds} s"):
                    waits, repeats, lake = _measured(own, broker, command, seconds)
                half, most, p99, p999 = (float(waits.quantile(share)) for share in (0.5, 0.95, 0.99, 0.999))
                table.add_row(
                    *(way, str(seconds), f"{len(waits):,}", f"{half:,.0f}", f"{most:,.0f}", f"{p99:,.0f}"),
                    *(f"{p999:,.0f}", f"{waits.max():,.0f}", f"{repeats:,}", lake),
                )
                bound = PROMISED_P99_MS if way == "real time" else None
                found += [
                    Figure("real-time", f"half, {way}", half, "ms"),
                    Figure("real-time", f"99 %, {way}", p99, "ms", at_most=bound),
                ]
    console.print(table)
    return found


def _measured(settings: Settings, broker: Broker, command: list[str], seconds: int) -> tuple[pd.Series, int, str]:
    """What urgent tickets waited after the warm-up, how many came twice, and what the lake's proof says."""
    topics.ensure_topic(broker, settings)
    with _beside(settings, ["indutech", "stream"], "stream"), _beside(settings, command, "route") as says:
        _until(lambda: "Routing" in says.read_text(), says)
        produce.produce(settings, broker, count=RATE * WARM_UP_S, rate=RATE, seed=SEED, progress=False)
        measured_from = topics.end_offsets(broker, settings.topic)
        produce.produce(settings, broker, count=RATE * seconds, rate=RATE, seed=SEED + 1, progress=False)
        _until(lambda: _all_stored(settings, broker), says)
        sent = _urgent(broker, settings.topic)
        _until(lambda: sent <= set(_waits(broker, settings).index), says)
    waits = _waits(broker, settings)
    first = waits[~waits.index.duplicated()]  # of a repeat, the record that came first
    measured = [offset >= measured_from[partition] for partition, offset in first.index]
    proof = reconcile.prove(settings, broker)
    return first[measured], len(waits) - len(first), f"{proof.stored:,} stored, {proof.lost} lost, {proof.twice} twice"


def _urgent(broker: Broker, topic: str) -> set[tuple[int, int]]:
    """The places of the urgent tickets in their topic, found without Spark."""
    words = {priority.value for priority in urgent.URGENT}
    found = ((one, orjson.loads(one.value() or b"")["priority"]) for one in _records(broker, [topic]))
    return {(one.partition() or 0, one.offset() or 0) for one, priority in found if priority in words}


def _waits(broker: Broker, settings: Settings) -> pd.Series:
    """Milliseconds for each routed record, by the place of its ticket, in the order of the broker's stamps."""
    rows = []
    for record in _records(broker, list(urgent.team_topics(settings.topic).values())):
        headers = {name: int(value) for name, value in record.headers() or []}
        stamp = record.timestamp()[1]
        place = headers[urgent.PARTITION], headers[urgent.OFFSET]
        rows.append((stamp, place, stamp - headers[urgent.STAMP]))
    rows.sort()
    return pd.Series([wait for *_, wait in rows], index=pd.Index([place for _, place, _ in rows], tupleize_cols=False))


def _records(broker: Broker, names: list[str]) -> list[Message]:
    ends = {(name, partition): end for name in names for partition, end in topics.end_offsets(broker, name).items()}
    consumer = Consumer({**confluent_config(broker), "group.id": "bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in ends])
    found: list[Message] = []
    deadline = time.monotonic() + _DEADLINE_S
    while len(found) < sum(ends.values()) and time.monotonic() < deadline:
        found += [one for one in consumer.consume(10_000, timeout=0.5) if one.error() is None]
    consumer.close()
    return found


def _all_stored(settings: Settings, broker: Broker) -> bool:
    backlog = identity.backlog(settings, broker)
    return backlog is not None and not backlog.waiting


@contextmanager
def _beside(settings: Settings, command: list[str], name: str) -> Iterator[Path]:
    """Run a module in a process of its own, give the file of what it says, and kill it at the end."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    said = settings.data_dir / f"{name}.txt"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, **settings.as_environment()},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            yield said
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until(true: Callable[[], bool], says: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not true():
        if time.monotonic() > deadline:
            raise RouteNotMeasured(f"Not within {_DEADLINE_S} s; the route said: {says.read_text() or 'nothing'}")
        time.sleep(0.1)
