"""How long an urgent ticket waits until its team's topic has it: in real-time mode, and in micro-batches.

Each way runs in a process of its own, beside `indutech stream`, which stores the same tickets in the lake.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.own_broker import own_broker
from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.lake import identity
from indutech.producer import produce
from indutech.proof import reconcile
from indutech.stream import route, urgent
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

RATE, SEED = 2_000, 17
OFTEN_S = 10


@dataclass(frozen=True)
class Way:
    """One way to route: its module with arguments, and how long tickets are sent before and while it is measured."""

    name: str
    command: tuple[str, ...]
    warm_up_s: int
    seconds: int


REAL_TIME = Way("real time, between two commits", ("indutech", "route"), 20, 30)
COMMITTING = Way(
    f"real time, a commit every {OFTEN_S} s", ("indutech", "route", "--commit", str(OFTEN_S)), 2 * OFTEN_S, 2 * OFTEN_S
)
IN_BATCHES = Way("micro-batches", ("bench.jobs.route_in_micro_batches",), 10, 15)
PROMISED_P99_MS, PROMISED_SHARE = 150, 1.0
_DEADLINE_S = 90


class RouteNotMeasured(InduTechError):
    """A process of the measurement did not route or store everything in time."""


def run(console: Console) -> list[Figure]:
    """Route in each way, one after the other; print what tickets waited, and the proof of the lake beside."""
    table = Table(
        title=f"From the broker's stamp of an urgent ticket to that of its routed record, at {RATE:,} tickets/s; ms",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("way", "urgent", "half", "95 %", "99 %", "longest"):
        table.add_column(name, justify="left" if name == "way" else "right")
    with own_broker() as (settings, broker):
        settings = settings.model_copy(update={"bootstrap_servers": broker.bootstrap_servers})
        topics.ensure_topic(broker, settings)
        waits = {}
        with _beside(settings, ("indutech", "stream"), "stream") as says:
            for number, way in enumerate((REAL_TIME, COMMITTING, IN_BATCHES)):
                own = settings.model_copy(update={"data_dir": settings.data_dir / f"way-{number}"})
                with console.status(way.name):
                    found = waits[way] = _measured(own, broker, way)
                half, most, nearly_all = (f"{found.quantile(share):,.0f}" for share in (0.5, 0.95, 0.99))
                table.add_row(way.name, f"{len(found):,}", half, most, nearly_all, f"{found.max():,.0f}")
            _until(lambda: _all_stored(settings, broker), says)
        proof = reconcile.prove(settings, broker)
    console.print(table)
    console.print(f"The lake, stored beside: {proof.stored:,} tickets, {proof.lost} lost, {proof.twice} twice.")
    return _figures(waits)


def _figures(waits: Mapping[Way, pd.Series]) -> list[Figure]:
    """A commit holds tickets up for as long as the longest wait: that is the share of those that arrive meanwhile."""
    commit_ms = float(waits[COMMITTING].max())
    share = max(0.0, commit_ms - PROMISED_P99_MS) / 1000 / route.COMMIT_EVERY_S * 100
    return [
        Figure("real-time", "half, real time", float(waits[REAL_TIME].median()), "ms"),
        Figure("real-time", "99 %, real time", float(waits[REAL_TIME].quantile(0.99)), "ms", at_most=PROMISED_P99_MS),
        Figure("real-time", "longest wait for a commit", commit_ms, "ms"),
        Figure(
            *(
                "real-time",
                f"wait over {PROMISED_P99_MS} ms, a commit every {route.COMMIT_EVERY_S} s",
                share,
                "percent",
            ),
            at_most=PROMISED_SHARE,
        ),
        Figure("real-time", "99 %, micro-batches", float(waits[IN_BATCHES].quantile(0.99)), "ms"),
    ]


def _measured(settings: Settings, broker: Broker, way: Way) -> pd.Series:
    """What urgent tickets waited that were sent after the warm-up."""
    with _beside(settings, way.command, "route") as says:
        _until(lambda: "Routing" in says.read_text(), says)
        for seconds in (way.warm_up_s, way.seconds):
            since = topics.end_offsets(broker, settings.topic)
            produce.produce(
                settings, broker, count=RATE * seconds, rate=RATE, seed=SEED + sum(since.values()), progress=False
            )
            sent = _urgent(broker, settings.topic, since)
            _until(lambda sent=sent: sent <= set(_waits(broker, settings).index), says)  # type: ignore[misc]
    waits = _waits(broker, settings)
    return waits[[place in sent for place in waits.index]]


def _urgent(broker: Broker, topic: str, since: Mapping[int, int]) -> set[tuple[int, int]]:
    """The places of the urgent tickets in their topic from these offsets on, found without Spark."""
    words = {priority.value for priority in urgent.URGENT}
    found = ((one, orjson.loads(one.value() or b"")["priority"]) for one in _records(broker, [topic]))
    places = {(one.partition() or 0, one.offset() or 0) for one, priority in found if priority in words}
    return {(partition, offset) for partition, offset in places if offset >= since[partition]}


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
def _beside(settings: Settings, command: tuple[str, ...], name: str) -> Iterator[Path]:
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
