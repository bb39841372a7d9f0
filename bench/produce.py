"""Producing: kafka-python with the project's settings beside `--load`, in turns, generation and audit included."""

import statistics
import tempfile
import time
from pathlib import Path

import psutil
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.producer import produce
from indutech.system.settings import Settings
from indutech.tickets import generator

ROUNDS = 3
WARM_UP_TICKETS = 20_000
PLAIN, LOAD = "kafka-python", "--load"
TICKETS = {PLAIN: 200_000, LOAD: 1_000_000}  # each takes about as long


def run(console: Console) -> list[Figure]:
    """Send to fresh topics of a broker of our own, print the table, return the medians."""
    rates: dict[str, list[int]] = {PLAIN: [], LOAD: []}
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None)
        with brokers.connected(settings) as broker:
            for turn in range(ROUNDS + 1):
                for client in (PLAIN, LOAD):
                    with console.status(f"{client}, round {turn} of {ROUNDS}" if turn else f"{client}, warming up"):
                        rate = _rate(settings, broker, client, turn)
                    if turn:
                        rates[client].append(rate)
    alone = _generation_alone()
    console.print(_table(rates, alone))
    plain, load = (statistics.median(rates[client]) for client in (PLAIN, LOAD))
    return [
        Figure("produce", PLAIN, plain, "tickets/s"),
        Figure("produce", LOAD, load, "tickets/s", at_least=200_000),
        Figure("produce", f"{LOAD} / {PLAIN}", load / plain, "x", at_least=4),
    ]


def _rate(settings: Settings, broker: Broker, client: str, turn: int) -> int:
    name = f"bench-{client.strip('-')}-{turn}"
    mine = settings.model_copy(update={"topic": name, "data_dir": settings.data_dir / name})
    count = TICKETS[client] if turn else WARM_UP_TICKETS
    return produce.produce(mine, broker, count=count, seed=1, load=client == LOAD, progress=False).tickets_per_s


def _generation_alone() -> float:
    began = time.perf_counter()
    count = sum(len(batch) for batch in generator.ticket_messages(TICKETS[LOAD] // 2, seed=1))
    return count / (time.perf_counter() - began)


def _table(rates: dict[str, list[int]], alone: float) -> Table:
    table = Table(
        title=f"Producing to 4 partitions, lz4, acks=all, idempotent, warm, {psutil.cpu_count()} cores; tickets/s",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("client", "tickets", *(f"round {turn + 1}" for turn in range(ROUNDS)), "median"):
        table.add_column(name, justify="left" if name == "client" else "right", no_wrap=True)
    for client, measured in rates.items():
        cells = [f"{rate:,.0f}" for rate in (*measured, statistics.median(measured))]
        table.add_row(client, f"{TICKETS[client]:,}", *cells)
    table.add_row("making only", f"{TICKETS[LOAD] // 2:,}", *[""] * ROUNDS, f"{alone:,.0f}")
    return table
