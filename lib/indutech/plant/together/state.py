"""How the plant is at this moment, seen from any process: its parts, what flows, and the memory that it takes.

Nothing is started. What `plant up` writes down of itself is in `up.json`; it counts only while its lock is held.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
from confluent_kafka import KafkaException

from indutech.kafka import broker as brokers
from indutech.kafka.connection import Broker
from indutech.lake import identity
from indutech.lake.store import connection as store
from indutech.plant.erp import change_log, tables
from indutech.plant.erp import embedded as erp
from indutech.plant.mqtt import connection as mqtt
from indutech.plant.mqtt import store as gateways
from indutech.plant.together.measured import MOST_MB
from indutech.plant.together.parts import READINGS, TICKETS, programs
from indutech.producer import audit
from indutech.system import embedded_server, leases
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.state_files import write_json

Phase = Literal["down", "starting", "up", "ending"]

LOCK = "up.lock"
_FILE = "up.json"
MIB = 1024**2
_NO_ANSWER = (InduTechError, KafkaException, OSError)  # of what is starting, ending or dead
WHAT = {
    "S3 server": "the bucket of the lake",
    "Kafka broker": "the topics",
    "MQTT broker": "between gateway and bridge",
    "PostgreSQL": "the ERP",
    "Kafka Connect": "captures the ERP's changes",
    "streams": "tickets, readings into the lake",
    "erp-store": "changes into the lake",
    "bridge": "readings from MQTT to Kafka",
    "gateway": "measures and keeps readings",
    "producer": "writes tickets",
    "erp-changes": "changes clients in the ERP",
    "plant up": "started all, watches all",
}


@dataclass(frozen=True)
class PartState:
    """One part: whether it runs, which process it is, how often it was started again, and what it takes."""

    name: str
    runs: bool
    pid: int | None = None
    restarts: int = 0
    memory_mb: int = 0
    says: str = ""

    @property
    def what(self) -> str:
        """What it does here."""
        return WHAT[self.name]


@dataclass(frozen=True)
class Flow:
    """What flows of one kind: how many the broker has acknowledged, how many are stored, and how many wait.

    Of what waits in a gateway, the broker knows nothing yet.
    """

    name: str
    acknowledged: int | None
    stored: int | None
    waiting: int


@dataclass(frozen=True)
class PlantState:
    """The whole: how far `plant up` is, each part, what flows, and the memory now, at most so far, and as stated."""

    phase: Phase
    pid: int | None
    began: str | None
    data_dir: Path
    parts: list[PartState] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    memory_mb: int = 0
    peak_mb: int = 0
    most_mb: int = MOST_MB

    @property
    def down(self) -> list[PartState]:
        """The parts that should run, as far as it has come, and do not."""
        return [part for part in self.parts if not part.runs] if self.phase == "up" else []

    @property
    def left(self) -> list[PartState]:
        """The parts that run although no `plant up` does."""
        return [part for part in self.parts if part.runs] if self.phase == "down" else []

    def as_dict(self) -> dict[str, Any]:
        """The state as JSON prints it."""
        return {**asdict(self), "down": [part.name for part in self.down]}


def note(settings: Settings, phase: Phase, began: str, peak_mb: int) -> None:
    """Write down what `plant up` is doing; the caller holds its lock."""
    told = {"pid": os.getpid(), "phase": phase, "began": began, "peak_mb": peak_mb}
    write_json(settings.data_dir / _FILE, told)


def look(settings: Settings) -> PlantState:
    """Return how the plant is now."""
    known = _known(settings) if leases.is_locked(settings.data_dir / LOCK) else {}
    reached, broker = _reached(settings)
    parts = list(_parts(settings, broker is not None, known.get("pid")))
    memory = sum(part.memory_mb for part in parts)
    return PlantState(
        phase=known.get("phase", "down"),
        pid=known.get("pid"),
        began=known.get("began"),
        data_dir=settings.data_dir,
        parts=parts,
        flows=list(_flows(reached, broker)) if reached and broker else [],
        memory_mb=memory,
        peak_mb=max(memory, known.get("peak_mb", 0)),
    )


def _known(settings: Settings) -> dict[str, Any]:
    try:
        return dict(json.loads((settings.data_dir / _FILE).read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _reached(settings: Settings) -> tuple[Settings | None, Broker | None]:
    """Return settings that reach the lake, and the broker; None for what does not answer."""
    reached = broker = None
    with suppress(*_NO_ANSWER):
        reached = store.known(settings)
    with suppress(*_NO_ANSWER):
        broker = brokers.existing(settings.model_copy(update={"broker_timeout_s": 2.0}))
    return reached, broker


def _parts(settings: Settings, kafka_answers: bool, up: int | None) -> Iterator[PartState]:
    s3, kafka, mqtt_ = store.status(settings), brokers.status(settings), mqtt.status(settings)
    yield _part("S3 server", s3.running, s3.pid, s3.restarts, s3.endpoint or "")
    says = kafka.bootstrap_servers or "" if kafka_answers else "does not answer" if kafka.running else ""
    yield _part("Kafka broker", kafka.running, kafka.pid, kafka.restarts, says)
    yield _part("MQTT broker", mqtt_.running, mqtt_.pid, mqtt_.restarts, mqtt_.program or "")
    erp_ = erp.status(settings)
    yield _part("PostgreSQL", erp_.database.running, erp_.database.pid, erp_.database.restarts)
    failed = erp_.capture_state == "FAILED"
    says = f"{erp_.capture_state}: {erp_.why}" if failed else erp_.capture_state or ""
    yield _part("Kafka Connect", erp_.capture.running and not failed, erp_.capture.pid, erp_.capture.restarts, says)
    for program in programs(settings):
        found = embedded_server.status(program)
        says = "" if found.running or not program.log.exists() else embedded_server.log_tail(program, 1)
        yield _part(program.name, found.running, found.pid, found.restarts, says)
    if up:
        yield _part("plant up", True, up)


def _part(name: str, runs: bool, pid: int | None, restarts: int = 0, says: str = "") -> PartState:
    return PartState(name, runs, pid, restarts, _memory_mb(pid) if pid else 0, says)


def _memory_mb(pid: int) -> int:
    """Return what a part takes with all that it started, and with its supervisor; memory that is shared counts once."""
    found = []
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        found = [root, *root.children(recursive=True)]
        parent = root.parent()
        if parent and "indutech.system.supervisor" in parent.cmdline():
            found.append(parent)
    return round(sum(map(_bytes, found)) / MIB)


def _bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error, AttributeError):
        return int(process.memory_full_info().pss)
    with suppress(psutil.Error):  # shared pages of another user's process, or of another system, count twice
        return int(process.memory_info().rss)
    return 0


def _flows(settings: Settings, broker: Broker) -> Iterator[Flow]:
    for product in (TICKETS, READINGS):
        own = settings.for_product(product)
        with suppress(*_NO_ANSWER):
            sent, backlog = audit.read_audit(own), identity.backlog(own, broker)
            if backlog:
                acknowledged = sent.acknowledged + sent.recovered if sent else 0
                yield Flow(product, acknowledged, backlog.stored, backlog.waiting)
    with suppress(*_NO_ANSWER):
        log = change_log.position(settings, broker, tables.CLIENTS)
        yield Flow("changes of clients", log.captured, log.stored, log.waiting)
    with suppress(*_NO_ANSWER):
        for name, waiting in gateways.waiting(settings.for_product(READINGS).gateways_dir).items():
            yield Flow(f"readings in {name}", None, None, waiting)
