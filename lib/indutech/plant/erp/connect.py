"""Kafka Connect with Debezium's connector, in one process: its configuration, its command line, and what it says.

It reads the log of the ERP's database and sends each change to a topic for each table. How far it is, it keeps in a
file; after a kill it may send again what it had sent since it last wrote there.
"""

import contextlib
import json
import os
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from indutech.jvm import jars, java
from indutech.kafka.connection import Broker, spark_options
from indutech.plant.erp import database, postgres
from indutech.plant.erp.postgres import ErpNotReady
from indutech.plant.erp.tables import CAPTURED, Table
from indutech.system import ports, supervisor

STATE = "connect.json"  # which process it is
MARK = "worker.properties"
CONFIGURATION = "connector.properties"
OFFSETS = "offsets"  # how far it is; written by Kafka Connect
NAME = "erp"
LARGEST_LOG_BYTES = 5_000_000
SCHEMA = "public"
_STOPS_WITHIN_S = 10.0

WORKER = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "offset.storage.file.filename": OFFSETS,
    "offset.flush.interval.ms": "1000",  # what it has sent since then comes again after a kill
    "plugin.discovery": "service_load",
    "producer.enable.idempotence": "true",
    "producer.max.in.flight.requests.per.connection": "1",
    "producer.compression.type": "lz4",
    "producer.linger.ms": "5",
}
CONNECTOR = {
    "name": NAME,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "tasks.max": "1",
    "database.hostname": "127.0.0.1",
    "database.user": postgres.CAPTURE,
    "database.dbname": postgres.DATABASE,
    "plugin.name": "pgoutput",
    "slot.name": database.SLOT,
    "publication.name": database.PUBLICATION,
    "publication.autocreate.mode": "disabled",
    "snapshot.mode": "initial",
    "table.include.list": ",".join(f"{SCHEMA}.{table.name}" for table in CAPTURED),
    "tombstones.on.delete": "false",  # for compacted topics, which ours are not
    "skipped.operations": "none",  # TRUNCATE too: by default it would not be sent
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "heartbeat.interval.ms": "1000",  # so that how far it is does not wait for the next change of these tables
    "heartbeat.action.query": "SELECT pg_logical_emit_message(false, 'heartbeat', '')",
    "poll.interval.ms": "100",
    "message.prefix.exclude.list": "heartbeat",
    "topic.creation.default.partitions": "1",  # of the topic of heartbeats; those of the tables are made before
    "topic.creation.default.replication.factor": "-1",
}
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.debezium.name = io.debezium.connector.postgresql
logger.debezium.level = info
"""


@dataclass(frozen=True)
class Task:
    """What Kafka Connect says of the capture: RUNNING, FAILED or another of its words, and why."""

    state: str
    why: str = ""


def topic_of(topics: str, table: Table) -> str:
    """Return the topic of a table's changes."""
    return f"{topics}.{SCHEMA}.{table.name}"


def prepare(folder: Path, erp: Path, broker: Broker, topics: str, *, new_ports: bool) -> None:
    """Write what Kafka Connect reads when it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    [port] = ports.as_last_time([] if new_ports else _port_written(folder), 1)
    security = {name.removeprefix("kafka."): value for name, value in spark_options(broker).items()}
    clients = {f"{client}{name}": value for client in ("", "producer.", "admin.") for name, value in security.items()}
    worker = {**WORKER, **clients, "listeners": f"http://127.0.0.1:{port}"}
    _write_properties(folder / MARK, worker)
    connector = {**CONNECTOR, "database.port": str(postgres.port_of(erp)), "topic.prefix": topics}
    _write_properties(folder / CONFIGURATION, connector)
    (folder / "log4j2.properties").write_text(LOGGING, "ascii")
    if (log := log_file(folder)).exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".previous.log"))


def launch(folder: Path, erp: Path) -> None:
    """Start it under a supervisor; returns at once."""
    command = [
        *(sys.executable, "-P", "-m", "indutech.plant.erp.worker", str(erp), str(java.find_java())),
        # Java's first compiler only: it starts sooner, and takes thousands of changes a second all the same.
        *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"),
        "-XX:-UsePerfData",
        *("-Djava.awt.headless=true", "-Dfile.encoding=UTF-8", "-Dlog4j2.configurationFile=log4j2.properties"),
        *("org.apache.kafka.connect.cli.ConnectStandalone", MARK, CONFIGURATION),
    ]
    class_path = os.pathsep.join(str(jar) for jar in jars.kafka_connect_jars())
    environment = {
        **os.environ,
        "CLASSPATH": class_path,
        "LC_ALL": "C.UTF-8",
        "PGPASSFILE": str(postgres.password_file(erp)),
    }
    how: Any = {"state": STATE, "mark": MARK, "env": environment, "log": log_file(folder)}
    if not supervisor.launch(folder, command, **how, stops_within_s=_STOPS_WITHIN_S):
        raise ErpNotReady(f"The Kafka Connect in {folder} is being stopped by somebody else: try again.")


def task(folder: Path) -> Task:
    """Ask Kafka Connect how the capture is; UNREACHABLE if it does not answer."""
    try:
        [port] = _port_written(folder)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/connectors/{NAME}/status", timeout=2) as answer:
            told = json.load(answer)
    except (OSError, ValueError):
        return Task("UNREACHABLE")
    for one in [*told["tasks"], told["connector"]]:
        if one["state"] == "FAILED":
            return Task("FAILED", " ".join(one.get("trace", "").splitlines()[:1]))
    return Task(told["tasks"][0]["state"] if told["tasks"] else "STARTING")


def snapshot_is_whole(folder: Path) -> bool:
    """Tell whether the file in which Kafka Connect keeps its place says that the first snapshot was finished.

    The place belongs to the topics that the configuration names: with others, it begins anew.
    """
    try:
        written = (folder / OFFSETS).read_bytes()
        configured = (folder / CONFIGURATION).read_text("utf-8")
    except FileNotFoundError:
        return False
    [topics] = [line.partition("=")[2] for line in configured.splitlines() if line.startswith("topic.prefix=")]
    return f'"server":"{topics}"'.encode() in written and b'"lsn' in written and b'"snapshot"' not in written


def log_file(folder: Path) -> Path:
    """Return where Kafka Connect writes what it does."""
    return folder / "connect.log"


def kill_orphan(folder: Path) -> None:
    """Kill a Kafka Connect whose supervisor was killed, if that process is still the one of this folder."""
    for pid in supervisor.pids_of(folder, STATE):
        with contextlib.suppress(psutil.Error, OSError):
            found = psutil.Process(pid)
            if Path(found.cwd()).samefile(folder) and CONFIGURATION in found.cmdline():
                found.kill()
                found.wait(10)


def _port_written(folder: Path) -> list[int]:
    try:
        written = (folder / MARK).read_text("utf-8")
    except FileNotFoundError:
        return []
    return [int(line.rpartition(":")[2]) for line in written.splitlines() if line.startswith("listeners=")]


def _write_properties(file: Path, settings: dict[str, str]) -> None:
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # a broker's password may be among them
    part.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    part.replace(file)
