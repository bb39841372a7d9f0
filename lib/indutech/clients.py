"""How each of the three Kafka clients is told where the broker is and what it asks for: the one place that knows."""

import logging
from dataclasses import dataclass
from typing import Any

from indutech.security import PLAINTEXT, Security

LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True)
class Broker:
    """Where a broker is, whether it is ours, and how it is spoken to."""

    bootstrap_servers: str  # host:port, comma separated
    embedded: bool
    security: Security = PLAINTEXT


def kafka_python_config(broker: Broker) -> dict[str, Any]:
    """Return the keyword arguments of kafka-python's producer, consumer and admin client."""
    # It narrates reconnections as warnings and errors on stderr; ours say what matters, once, with the address.
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    security = broker.security
    return {
        "bootstrap_servers": broker.bootstrap_servers.split(","),
        "security_protocol": security.protocol,
        "ssl_cafile": str(security.ca_file) if security.ca_file else None,
        "sasl_mechanism": security.mechanism,
        "sasl_plain_username": security.username,
        "sasl_plain_password": _plain(security),
    }


def confluent_config(broker: Broker) -> dict[str, Any]:
    """Return the configuration of confluent-kafka's producer, consumer and admin client."""
    security = broker.security
    wanted = {
        "bootstrap.servers": broker.bootstrap_servers,
        "security.protocol": security.protocol,
        "ssl.ca.location": str(security.ca_file) if security.ca_file else None,
        "sasl.mechanism": security.mechanism,
        "sasl.username": security.username,
        "sasl.password": _plain(security),
        "log_level": 0,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def spark_options(broker: Broker) -> dict[str, str]:
    """Return the options of Spark's Kafka source."""
    options = {"kafka.bootstrap.servers": broker.bootstrap_servers, "kafka.security.protocol": broker.security.protocol}
    if broker.security.ca_file:
        options |= {
            "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": str(broker.security.ca_file),
        }
    if broker.security.mechanism:
        options |= {
            "kafka.sasl.mechanism": broker.security.mechanism,
            "kafka.sasl.jaas.config": jaas_config(broker.security),
        }
    return options


def jaas_config(security: Security, *more: str) -> str:
    """Return the user in Java's own form; Java's Kafka clients never log this setting."""
    user = f"username={_quoted(security.username or '')} password={_quoted(_plain(security) or '')}"
    return " ".join([LOGIN_MODULES[security.mechanism or ""], "required", user, *more]) + ";"


def _plain(security: Security) -> str | None:
    return security.password.get_secret_value() if security.password else None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
