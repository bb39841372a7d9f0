"""Producing: both of our clients, generation and audit included, beside what stands around them.

Below, the loop that everybody writes first: Faker and `json.dumps` for each ticket. Above, librdkafka with payloads
that are ready in memory, which nobody has who makes tickets.
"""

import itertools
import json
import random
import statistics
import time

import psutil
from faker import Faker
from kafka import KafkaProducer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.drain import producer_of, send
from bench.figures import Figure, of_rounds
from bench.own_broker import own_broker
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import kafka_python_config
from indutech.producer import produce
from indutech.system.settings import Settings
from indutech.tickets import generator
from indutech.tickets.contract import CLIENT_IDS, Priority, TicketType

ROUNDS = 5
WARM_UP_TICKETS = 20_000
LOOP, PLAIN, LOAD, READY = "a loop with Faker", "ours, kafka-python", "ours, --load", "librdkafka, ready payloads"
TICKETS = {LOOP: 20_000, PLAIN: 200_000, LOAD: 1_000_000, READY: 1_000_000}  # not too far apart in time
SECTION = "produce"


def run(console: Console) -> list[Figure]:
    """Send to fresh topics of a broker of our own, print the table, return the medians."""
    rates: dict[str, list[float]] = {client: [] for client in TICKETS}
    with own_broker() as (settings, broker):
        for turn in range(ROUNDS + 1):
            for client in TICKETS:
                with console.status(f"{client}, round {turn} of {ROUNDS}" if turn else f"{client}, warming up"):
                    rate = _rate(settings, broker, client, turn)
                if turn:
                    rates[client].append(rate)
    alone = _generation_alone()
    console.print(_table(rates, alone))
    loop, plain, load, ready = (statistics.median(rates[client]) for client in TICKETS)
    return [
        *(
            of_rounds(SECTION, client, rounds, "tickets/s", at_least=200_000 if client == LOAD else None)
            for client, rounds in rates.items()
        ),
        Figure(SECTION, "making tickets only", alone, "tickets/s"),
        Figure(SECTION, f"{LOAD} / {PLAIN}", load / plain, "x", at_least=4),
        Figure(SECTION, f"{LOAD} / {LOOP}", load / loop, "x", at_least=10),
        Figure(SECTION, f"{LOAD} / {READY}", load / ready, "x", at_least=0.8),
    ]


def _rate(settings: Settings, broker: Broker, client: str, turn: int) -> float:
    name = f"bench-{list(TICKETS).index(client)}-{turn}"
    mine = settings.model_copy(update={"topic": name, "data_dir": settings.data_dir / name})
    count = TICKETS[client] if turn else WARM_UP_TICKETS
    if client in (PLAIN, LOAD):
        return produce.produce(mine, broker, count=count, seed=1, load=client == LOAD, progress=False).tickets_per_s
    topics.ensure_topic(broker, mine)
    return (_loop if client == LOOP else _ready)(broker, name, count)


def _loop(broker: Broker, topic: str, count: int) -> float:
    """What a tutorial shows, kafka-python's defaults included."""
    faker, producer = Faker("fr_FR"), KafkaProducer(**kafka_python_config(broker))
    began = time.perf_counter()
    for _ in range(count):
        ticket = {
            "ticket_id": faker.uuid4(),
            "client_id": random.choice(CLIENT_IDS),  # noqa: S311
            "creation_date": f"{faker.date_time_this_year().isoformat(timespec='seconds')}Z",
            "request": faker.text(100),
            "type": random.choice(list(TicketType)),  # noqa: S311
            "priority": random.choice(list(Priority)),  # noqa: S311
        }
        producer.send(topic, json.dumps(ticket, ensure_ascii=False).encode())
    producer.flush()
    took = time.perf_counter() - began
    producer.close()
    return count / took


def _ready(broker: Broker, topic: str, count: int) -> float:
    messages = list(itertools.chain.from_iterable(generator.ticket_messages(count, seed=1)))
    producer = producer_of(broker)
    began = time.perf_counter()
    if left := send(producer, topic, messages):
        raise RuntimeError(f"{left} of {count} messages were not delivered")
    return count / (time.perf_counter() - began)


def _generation_alone() -> float:
    began = time.perf_counter()
    count = sum(len(batch) for batch in generator.ticket_messages(TICKETS[LOAD] // 2, seed=1))
    return count / (time.perf_counter() - began)


def _table(rates: dict[str, list[float]], alone: float) -> Table:
    table = Table(
        title=f"Producing to 4 partitions, lz4, acks=all, idempotent (the loop: defaults), warm, "
        f"{psutil.cpu_count()} cores; tickets/s of {ROUNDS} rounds",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("client", "tickets", "lowest", "median", "highest"):
        table.add_column(name, justify="left" if name == "client" else "right", no_wrap=True)
    for client, measured in rates.items():
        cells = [f"{rate:,.0f}" for rate in (min(measured), statistics.median(measured), max(measured))]
        table.add_row(client, f"{TICKETS[client]:,}", *cells)
    table.add_row("making only", f"{TICKETS[LOAD] // 2:,}", "", f"{alone:,.0f}", "")
    return table
