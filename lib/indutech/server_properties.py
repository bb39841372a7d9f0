"""What the embedded broker is told: its settings, its ports and what it logs."""

import re
import socket
from pathlib import Path

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "log.dirs": "data",  # relative to the folder it is started in: a comma in a path would mean two folders
    "num.partitions": "4",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # After a crash the controller waits this long, 9 s by default, before it takes the broker back.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "8388608",  # 128 MiB by default, a quarter of this heap
}

LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def write(folder: Path, new_ports: bool) -> None:
    """Write the files that Kafka reads when it starts in this folder."""
    settings = SETTINGS | _listeners(*(_free_ports() if new_ports else _ports(folder)))
    (folder / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in settings.items()), "ascii")
    (folder / "log4j2.properties").write_text(LOGGING, "ascii")


def port_of(folder: Path) -> int:
    """Return the port that the broker in this folder listens on."""
    return _ports_written(folder)[0]


def _listeners(port: int, controller_port: int) -> dict[str, str]:
    listeners = f"BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
    }


def _ports(folder: Path) -> tuple[int, int]:
    """Return the ports of the last time if they are free, so that clients find the broker again; otherwise new ones."""
    last = _ports_written(folder)
    return (last[0], last[1]) if len(last) == 2 and all(map(_is_free, last)) else _free_ports()


def _ports_written(folder: Path) -> list[int]:
    try:
        written = (folder / "server.properties").read_text("ascii")
    except FileNotFoundError:
        return []
    listeners = re.search(r"^listeners=(.*)$", written, re.MULTILINE)
    return [int(port) for port in re.findall(r":(\d+)", listeners[1])] if listeners else []


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
