"""The configuration files of the embedded broker: server properties, ports and logging."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from indutech.kafka.connection import Security, jaas_config
from indutech.system import ports

SETTINGS = {
    "process.roles": "broker,controller",
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

# Of three nodes: a record is acknowledged when two have it, so that any one may go without a loss and without a stop.
REPLICATED = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
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


def write(nodes: Sequence[Path], new_ports: bool, secured: dict[str, str]) -> None:
    """Write the files that Kafka reads when it starts in these folders; `secured` is empty or from `secured_by`."""
    chosen = [ports.as_last_time([] if new_ports else _ports_written(node), 2) for node in nodes]
    voters = ",".join(f"{number}@127.0.0.1:{controller}" for number, (_, controller) in enumerate(chosen, start=1))
    of_all = SETTINGS | (REPLICATED if len(nodes) > 1 else {}) | {"controller.quorum.voters": voters}
    for number, (node, own_ports) in enumerate(zip(nodes, chosen, strict=True), start=1):
        settings = of_all | {"node.id": str(number)} | _listeners(*own_ports) | secured
        file = node / "server.properties"
        file.touch(mode=0o600)  # a secured broker's settings hold its password
        file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), "ascii")
        (node / "log4j2.properties").write_text(LOGGING, "ascii")


def secured_by(certificate: str, authority: str, admin: Security) -> dict[str, str]:
    """Return the settings of a broker that speaks TLS only, lets in users only, and denies what no rule allows.

    Args:
        certificate: PEM file with the broker's key and certificate, seen from the broker's folder.
        authority: PEM file of who signed it, seen from there as well.
        admin: the user who may do everything; the broker itself comes to its own controller as this one.
    """
    # A controller knows SCRAM users only once it has read its own log, so it takes this one user by PLAIN, over TLS.
    password = admin.password.get_secret_value() if admin.password else ""
    to_controller = jaas_config(replace(admin, mechanism="PLAIN"), f'user_{admin.username}="{password}"')
    return {
        "listener.security.protocol.map": "BROKER:SASL_SSL,CONTROLLER:SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
        "listener.name.broker.scram-sha-256.sasl.jaas.config": jaas_config(admin),
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": to_controller,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{admin.username}",
        "allow.everyone.if.no.acl.found": "false",
    }


def is_secured(node: Path) -> bool:
    """Tell whether the node in this folder was made for users over TLS."""
    try:
        return "BROKER:SASL_SSL" in (node / "server.properties").read_text("ascii")
    except FileNotFoundError:
        return False


def port_of(node: Path) -> int:
    """Return the port that the node in this folder listens on."""
    return _ports_written(node)[0]


def _listeners(port: int, controller_port: int) -> dict[str, str]:
    listeners = f"BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    return {"listeners": listeners, "advertised.listeners": listeners}


def _ports_written(folder: Path) -> list[int]:
    try:
        written = (folder / "server.properties").read_text("ascii")
    except FileNotFoundError:
        return []
    listeners = re.search(r"^listeners=(.*)$", written, re.MULTILINE)
    return [int(port) for port in re.findall(r":(\d+)", listeners[1])] if listeners else []
