"""Reach a broker within a bound, or say in one sentence which of the usual causes prevents it."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from indutech.clients import Broker, confluent_config
from indutech.errors import InduTechError

ANSWERS_WITHIN_S = 30  # to one question
ADVERTISED_WITHIN_S = 2
SILENCES = (
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError.REQUEST_TIMED_OUT,
)


class BrokerNotReady(InduTechError):
    """No broker answers, or one answers that cannot be used from here."""


def wait_until_it_answers(
    broker: Broker, timeout_s: float, advice: str, still_worth_it: Callable[[], None] = lambda: None
) -> None:
    """Return once the broker at that address has told which brokers there are, and they accept connections.

    `advice` ends the message of a failure; `still_worth_it` is called between attempts and may raise.

    Raises:
        BrokerNotReady: with the address, the time waited and the cause.
    """
    deadline = time.monotonic() + timeout_s
    while (why := _why_closed(broker.bootstrap_servers, deadline)) is not None:
        still_worth_it()
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"No broker answered at {broker.bootstrap_servers} within {timeout_s:g} s ({why}). {advice}"
            )
        time.sleep(0.05)
    while not (advertised := _brokers_known_to(broker, deadline)):
        still_worth_it()
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"Something listens at {broker.bootstrap_servers}, but did not answer as a Kafka broker "
                f"within {timeout_s:g} s: another service, or one that expects TLS or a password. {advice}"
            )
    deadline = min(deadline, time.monotonic() + ADVERTISED_WITHIN_S)  # it is up already; this does not heal by itself
    while (why := _why_closed(",".join(advertised), deadline)) is not None:
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"The broker at {broker.bootstrap_servers} answers, but tells clients to use "
                f"{', '.join(advertised)}, which cannot be reached from here ({why}): correct its advertised "
                f"listeners. {advice}"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def asking(broker: Broker) -> Iterator[Any]:
    """Give an admin client, which must outlive its answers, and turn silence of the broker into one sentence."""
    try:
        yield AdminClient(confluent_config(broker))
    except KafkaException as error:
        if error.args[0].code() in SILENCES:
            raise BrokerNotReady(
                f"The broker at {broker.bootstrap_servers} stopped answering ({error.args[0].str()}): "
                "see that it is up, then try again."
            ) from error
        raise


def _why_closed(addresses: str, deadline: float) -> str | None:
    """Return None if one of the addresses accepts a connection, otherwise why the last one does not."""
    why = "no address given"
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise BrokerNotReady(f"{address.strip()!r} is not host:port: check KAFKA_BOOTSTRAP_SERVERS.")
        try:
            timeout_s = min(3.0, max(0.2, deadline - time.monotonic()))
            socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s).close()
        except socket.gaierror:
            why = f"the name {host} is unknown"
        except TimeoutError:
            why = f"{host} does not reply"
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        else:
            return None
    return why


def _brokers_known_to(broker: Broker, deadline: float) -> list[str]:
    """Return host:port of each broker of the cluster, as the one at this address tells its clients."""
    config: dict[str, Any] = {**confluent_config(broker), "reconnect.backoff.max.ms": 500}
    try:
        metadata = AdminClient(config).list_topics(timeout=min(5.0, max(0.5, deadline - time.monotonic())))
    except KafkaException:
        return []
    return [f"{one.host}:{one.port}" for one in metadata.brokers.values() if one.port > 0]
