"""How each of the three Kafka clients is told where the broker is: the one place that knows."""

import logging
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Broker:
    """Where a broker is, and whether it is ours."""

    bootstrap_servers: str  # host:port, comma separated
    embedded: bool


def kafka_python_config(broker: Broker) -> dict[str, Any]:
    """Return the keyword arguments of kafka-python's producer, consumer and admin client."""
    # It narrates reconnections as warnings and errors on stderr; ours say what matters, once, with the address.
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
    return {"bootstrap_servers": broker.bootstrap_servers.split(",")}


def confluent_config(broker: Broker) -> dict[str, Any]:
    """Return the configuration of confluent-kafka's producer, consumer and admin client."""
    return {"bootstrap.servers": broker.bootstrap_servers, "log_level": 0}


def spark_options(broker: Broker) -> dict[str, str]:
    """Return the options of Spark's Kafka source."""
    return {"kafka.bootstrap.servers": broker.bootstrap_servers}
