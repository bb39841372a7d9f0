"""`indutech plant up`: starts all parts in order, watches them, and ends them in the reverse order with three proofs.

It holds a lease on each part, as any user of an embedded server does: if it is killed, all of them end by themselves.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from indutech.kafka import broker as brokers
from indutech.kafka import topics
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
LOOKS_EVERY_S = 3.0


class PlantRuns(InduTechError):
    """A plant is up in this folder already."""


@dataclass
class Plant:
    """A plant that `plant up` has begun to start: how far it is, and what it was seen to take at most."""

    settings: Settings
    began: str
    phase: state.Phase = "starting"
    peak_mb: int = 0
    seen: PlantState | None = None
    _noting: threading.Lock = field(default_factory=threading.Lock)

    def now(self, phase: state.Phase) -> None:
        """Say how far it is, for other processes too."""
        with self._noting:
            self.phase = phase
            state.note(self.settings, self.phase, self.began, self.peak_mb)

    def look(self) -> PlantState:
        """Return how it is, and write that down for other processes."""
        seen = state.look(self.settings)
        with self._noting:
            self.peak_mb = max(self.peak_mb, seen.memory_mb)
            self.seen = replace(seen, phase=self.phase, peak_mb=self.peak_mb)
            state.note(self.settings, self.phase, self.began, self.peak_mb)
        return self.seen

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Look again and again while the block runs, in a thread beside it: what starts and ends takes memory too."""
        ended = threading.Event()

        def look_until_ended() -> None:
            while not ended.wait(LOOKS_EVERY_S):
                self.look()

        with ThreadPoolExecutor(1) as beside:
            looking = beside.submit(look_until_ended)
            try:
                yield
            finally:
                ended.set()
        looking.result()


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
    plant = Plant(settings, began)
    with _only_plant(plant), plant.measured(), ExitStack() as servers:
        says("Looking whether an earlier run left anything")
        ending.end_leftovers(settings)
        parts.write_variables(settings)
        says("Starting the S3 server, Kafka and MQTT")
        reached = servers.enter_context(store.connected(settings))
        broker = servers.enter_context(brokers.connected(settings))
        address = servers.enter_context(mqtt.reached(settings))
        for product in (TICKETS, READINGS):
            topics.ensure_topic(broker, settings.for_product(product))
        with ExitStack() as carriers:
            streams, *others = parts.carriers(settings)
            says("Starting Spark, the ERP and the capture of its changes")
            carriers.enter_context(embedded_server.used(parts.at_once(streams)))  # it takes as long as the ERP
            servers.enter_context(erp.captured(settings, traffic.clients))
            for program in (*others, streams):
                says(f"Starting {program.name}")
                carriers.enter_context(embedded_server.used(program))
            with ExitStack() as sources:
                for program in parts.sources(settings, traffic):
                    says(f"Starting {program.name}")
                    sources.enter_context(embedded_server.used(program))
                plant.now("up")
                watch(plant)
                last = plant.look()
                plant.now("ending")
                says("Ending the traffic")
            says("Waiting until all that was sent is stored")
            proofs.send_what_waits(settings, address)
            proofs.wait_until_captured(settings)
            proofs.wait_until_stored(reached, broker, lambda: embedded_server.status(streams).running)
            says("Ending the streams")
        says("Proving tickets, readings and clients")
        proved = proofs.prove(reached, broker)
        write_json(settings.data_dir / PROOFS, {"pid": os.getpid(), **asdict(proved)})
        says("Ending the servers")
    return proved, replace(last, peak_mb=plant.peak_mb)


def watching(plant: Plant, stop: Callable[[], bool]) -> Iterator[PlantState]:
    """Yield what was seen of the plant, again and again until `stop`."""
    while not stop():
        if plant.seen and plant.seen.phase == "up":
            yield plant.seen
        wait_for(stop, LOOKS_EVERY_S)


def proofs_of(settings: Settings, pid: int) -> Proofs | None:
    """Return the proofs that a `plant up` has left; None if it ended before it had any."""
    try:
        told = json.loads((settings.data_dir / PROOFS).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Proofs(tuple(told["lines"]), told["exit_code"], told["details"]) if told["pid"] == pid else None


@contextmanager
def _only_plant(plant: Plant) -> Iterator[None]:
    settings = plant.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = leases.try_lock(settings.data_dir / state.LOCK)
    if lock is None:
        running = state.look(settings)
        raise PlantRuns(
            f"The plant in {settings.data_dir} is up (process {running.pid}): `indutech plant status` shows it, "
            "`indutech plant down` ends it."
        )
    try:
        plant.now("starting")
        yield
    finally:
        os.close(lock)
