"""`indutech plant up`: starts all parts in order, watches them, and ends them in the reverse order with three proofs.

It holds a lease on each part, as any user of an embedded server does: if it is killed, all of them end by themselves.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.lake.store import connection as store
from indutech.plant.erp import embedded as erp
from indutech.plant.mqtt import connection as mqtt
from indutech.plant.together import ending, parts, proofs, state
from indutech.plant.together.parts import READINGS, TICKETS, Traffic
from indutech.plant.together.proofs import Proofs
from indutech.plant.together.state import PlantState
from indutech.system import embedded_server, leases
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.signals import wait_for
from indutech.system.state_files import write_json

PROOFS = "proofs.json"  # of the last run


class PlantRuns(InduTechError):
    """A plant is up in this folder already."""


@dataclass
class Plant:
    """A plant that is up, and what it was seen to take at most."""

    settings: Settings
    broker: Broker
    began: str
    peak_mb: int = 0

    def look(self, phase: state.Phase = "up") -> PlantState:
        """Return how it is, and write that down for other processes."""
        seen = state.look(self.settings)
        self.peak_mb = max(self.peak_mb, seen.memory_mb)
        state.note(self.settings, phase, self.began, self.peak_mb)
        return seen


def up(
    settings: Settings,
    traffic: Traffic,
    *,
    watch: Callable[[Plant], object],
    says: Callable[[str], object] = lambda _line: None,
) -> tuple[Proofs, PlantState]:
    """Start everything, call `watch`, and when it returns end everything; return the proofs and the last look.

    `settings` are those of the plant. Whatever interrupts the start, what has started by then is ended.

    Raises:
        PlantRuns: it is up already.
        InduTechError: a part does not start.
    """
    began = datetime.now(UTC).isoformat(timespec="seconds")
    with _only_plant(settings, began), ExitStack() as servers:
        says("Looking whether an earlier run left anything")
        ending.end_leftovers(settings)
        parts.write_variables(settings)
        says("Starting the S3 server, Kafka and MQTT")
        reached = servers.enter_context(store.connected(settings))
        broker = servers.enter_context(brokers.connected(settings))
        address = servers.enter_context(mqtt.reached(settings))
        for product in (TICKETS, READINGS):
            topics.ensure_topic(broker, settings.for_product(product))
        plant = Plant(settings, broker, began)
        with ExitStack() as carriers:
            streams, *others = parts.carriers(settings)
            says("Starting Spark, the ERP and the capture of its changes")
            carriers.enter_context(embedded_server.used(parts.at_once(streams)))  # it takes as long as the ERP
            servers.enter_context(erp.captured(settings, traffic.clients))
            for program in (*others, streams):
                says(f"Starting {program.name}")
                carriers.enter_context(embedded_server.used(program))
                plant.look("starting")
            with ExitStack() as sources:
                for program in parts.sources(settings, traffic):
                    says(f"Starting {program.name}")
                    sources.enter_context(embedded_server.used(program))
                plant.look()
                watch(plant)
                last = plant.look("ending")
                says("Ending the traffic")
            says("Waiting until all that was sent is stored")
            proofs.send_what_waits(settings, address)
            proofs.wait_until_captured(settings)
            proofs.wait_until_stored(reached, broker, lambda: embedded_server.status(streams).running)
            plant.look("ending")
            says("Ending the streams")
        says("Proving tickets, readings and clients")
        proved = proofs.prove(reached, broker)
        write_json(settings.data_dir / PROOFS, {"pid": os.getpid(), **asdict(proved)})
        says("Ending the servers")
    return proved, last


def watching(plant: Plant, stop: Callable[[], bool], every_s: float) -> Iterator[PlantState]:
    """Yield how the plant is, again and again until `stop`."""
    while not stop():
        yield plant.look()
        wait_for(stop, every_s)


def proofs_of(settings: Settings, pid: int) -> Proofs | None:
    """Return the proofs that a `plant up` has left; None if it ended before it had any."""
    try:
        told = json.loads((settings.data_dir / PROOFS).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Proofs(tuple(told["lines"]), told["exit_code"], told["details"]) if told["pid"] == pid else None


@contextmanager
def _only_plant(settings: Settings, began: str) -> Iterator[None]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = leases.try_lock(settings.data_dir / state.LOCK)
    if lock is None:
        running = state.look(settings)
        raise PlantRuns(
            f"The plant in {settings.data_dir} is up (process {running.pid}): `indutech plant status` shows it, "
            "`indutech plant down` ends it."
        )
    try:
        state.note(settings, "starting", began, 0)
        yield
    finally:
        os.close(lock)
