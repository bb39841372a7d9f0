"""The ERP and the capture of its changes, as its users share them: started with the first, stopped with the last."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.plant.erp import connect, database, postgres
from indutech.plant.erp.postgres import ErpNotReady
from indutech.plant.erp.tables import CAPTURED, MOST_CLIENTS
from indutech.system import embedded_server
from indutech.system.embedded_server import Server
from indutech.system.settings import Settings


def database_dir(settings: Settings) -> Path:
    """Where PostgreSQL keeps its data."""
    return settings.erp_dir / "postgres"


def capture_dir(settings: Settings) -> Path:
    """Where Kafka Connect keeps its configuration and its place."""
    return settings.erp_dir / "connect"


@dataclass(frozen=True)
class ErpStatus:
    """What `indutech erp status` tells."""

    database: embedded_server.Status
    capture: embedded_server.Status
    capture_state: str | None  # RUNNING, FAILED and so on, as Kafka Connect says it
    why: str
    port: int | None
    data_dir: Path


@contextlib.contextmanager
def erp(settings: Settings, clients: int = MOST_CLIENTS) -> Iterator[Path]:
    """Give the folder of an ERP that answers, made and filled if it is new; it stops with its last user."""
    with embedded_server.used(_postgres(settings)):
        database.make(database_dir(settings), clients)
        yield database_dir(settings)


@contextlib.contextmanager
def captured(settings: Settings, clients: int = MOST_CLIENTS) -> Iterator[Broker]:
    """Give the broker to which the changes of the ERP are sent while the block runs."""
    with brokers.connected(settings) as broker, erp(settings, clients):
        make_topics(broker, settings)
        with embedded_server.used(_connect(settings, broker)):
            yield broker


def start(settings: Settings, clients: int = MOST_CLIENTS) -> ErpStatus:
    """Start the ERP, the capture of its changes and, if none is named, a broker; keep them until `stop`."""
    if not settings.bootstrap_servers and not brokers.status(settings).kept:
        brokers.start(settings)
        settings.erp_dir.mkdir(parents=True, exist_ok=True)
        (settings.erp_dir / "keeps-broker").touch()  # nobody else did, so `stop` ends it too
    with captured(settings, clients) as broker:
        embedded_server.keep(_postgres(settings))
        embedded_server.keep(_connect(settings, broker))
        return status(settings)


def stop(settings: Settings) -> list[str]:
    """End what `start` began, in the order in which they need each other; return what others still use."""
    still_used = []
    broker = Broker(settings.bootstrap_servers or "", embedded=not settings.bootstrap_servers)
    for server in (_connect(settings, broker), _postgres(settings)):
        if not embedded_server.stop(server):
            still_used.append(server.name)
    if (mark := settings.erp_dir / "keeps-broker").exists():
        mark.unlink()
        if not brokers.stop(settings.model_copy(update={"bootstrap_servers": None})):
            still_used.append("The embedded broker")
    return still_used


def status(settings: Settings) -> ErpStatus:
    """Return what is known about the ERP and the capture of its changes, without starting anything."""
    broker = Broker(settings.bootstrap_servers or "", embedded=not settings.bootstrap_servers)
    database_, capture = embedded_server.status(_postgres(settings)), embedded_server.status(_connect(settings, broker))
    task = connect.task(capture_dir(settings)) if capture.running else None
    return ErpStatus(
        database=database_,
        capture=capture,
        capture_state=task.state if task else None,
        why=task.why if task else "",
        port=postgres.port_of(database_dir(settings)) if database_.running else None,
        data_dir=settings.erp_dir,
    )


def make_topics(broker: Broker, settings: Settings) -> None:
    """Make a topic for the changes of each table: one partition, so that they stay in the order of the log."""
    for table in CAPTURED:
        name = connect.topic_of(settings.erp_topics, table)
        topics.ensure_topic(broker, settings.model_copy(update={"topic": name, "topic_partitions": 1}))


def _postgres(settings: Settings) -> Server:
    folder = database_dir(settings)

    def launch(new_ports: bool) -> None:
        postgres.kill_orphan(folder)
        postgres.prepare(folder, new_ports=new_ports)
        postgres.launch(folder)

    return Server(
        name="The embedded PostgreSQL",
        folder=folder,
        state=postgres.STATE,
        log=postgres.log_file(folder),
        launch=launch,
        answers=lambda: postgres.answers(folder),
        not_ready=ErpNotReady,
    )


def _connect(settings: Settings, broker: Broker) -> Server:
    folder, erp_folder = capture_dir(settings), database_dir(settings)

    def launch(new_ports: bool) -> None:
        connect.kill_orphan(folder)
        connect.prepare(folder, erp_folder, broker, settings.erp_topics, new_ports=new_ports)
        connect.launch(folder, erp_folder)

    return Server(
        name="Kafka Connect",
        folder=folder,
        state=connect.STATE,
        log=connect.log_file(folder),
        launch=launch,
        answers=lambda: connect.task(folder).state == "RUNNING",
        not_ready=ErpNotReady,
    )
