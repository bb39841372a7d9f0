"""What a micro-batch costs whatever is in it: a small topic drained in small micro-batches, with and without a change.

The ways alternate, each in a process of its own that starts cold, as the stream of somebody who tries it does.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.drain import fill
from bench.figures import Figure
from bench.own_broker import own_broker
from indutech.kafka.connection import Broker
from indutech.stream import batches, fast_path, job, session, transforms
from indutech.stream.metrics import read
from indutech.system.settings import Settings

TICKETS, A_BATCH, PARTITIONS, ROUNDS = 20_000, 1_000, 4, 3
TOPIC = "micro-batches"
SHIPPED, WAITING, ASKING = "as shipped", "fetches may wait for 500 ms", "columns built anew, with their places"


def run(console: Console) -> list[Figure]:
    """Drain the same topic in each way, in turns, and print what the first and the other micro-batches took."""
    first: dict[str, list[float]] = {way: [] for way in (SHIPPED, WAITING, ASKING)}
    others: dict[str, list[float]] = {way: [] for way in first}
    with own_broker() as (settings, broker):
        fill(broker, TOPIC, PARTITIONS, TICKETS)
        for number in range(ROUNDS):
            for way in first:
                with console.status(f"{way}, round {number + 1} of {ROUNDS}"):
                    seconds = _drained(broker, settings.data_dir / f"{number} {way}", way)
                first[way].append(seconds[0])
                others[way].append(statistics.median(seconds[1:]))
    table = Table(
        title=f"{TICKETS:,} tickets on {PARTITIONS} partitions in micro-batches of {A_BATCH:,}, started cold; "
        f"seconds, median of {ROUNDS} rounds",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("way", "first micro-batch", "each other (median)"):
        table.add_column(name, justify="left" if name == "way" else "right")
    for way in first:
        table.add_row(way, f"{statistics.median(first[way]):.2f}", f"{statistics.median(others[way]):.2f}")
    console.print(table)
    return [
        Figure("micro-batches", "first, fetches waiting / as shipped", _ratio(first, WAITING), "x"),
        Figure("micro-batches", "others, columns anew / as shipped", _ratio(others, ASKING), "x"),
    ]


def _ratio(seconds: dict[str, list[float]], way: str) -> float:
    return statistics.median(seconds[way]) / statistics.median(seconds[SHIPPED])


def _drained(broker: Broker, folder: Path, way: str) -> list[float]:
    command = [sys.executable, "-m", "bench.on_request.micro_batches", broker.bootstrap_servers, str(folder), way]
    return [
        float(one) for one in json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    ]


def _as_before(way: str) -> None:
    """Undo one change, in this process."""
    if way == WAITING:
        job.KAFKA_READS["kafka.fetch.max.wait.ms"] = "500"  # Kafka's default
    if way == ASKING:
        session.PLAIN_COLUMNS.clear()
        for module in (batches, fast_path, transforms):
            for name, value in vars(module).items():
                if getattr(value, "__wrapped__", None) and value.__module__ == module.__name__:
                    setattr(module, name, value.__wrapped__)


if __name__ == "__main__":
    address, place, asked = sys.argv[1:]
    _as_before(asked)
    own = Settings(
        _env_file=None, bootstrap_servers=address, topic=TOPIC, data_dir=Path(place), max_batch_tickets=A_BATCH
    )
    job.run(own, Broker(address, embedded=False), once=True)
    print(json.dumps([one["seconds"] for one in read(own.metrics_file)]))
