"""Reach a broker within a bound, or say in one sentence which of the usual causes prevents it."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from indutech.kafka import tls
from indutech.kafka.connection import Broker, confluent_config
from indutech.system.errors import InduTechError

ANSWERS_WITHIN_S = 30  # to one question
ADVERTISED_WITHIN_S = 2
SILENCES = (
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError.REQUEST_TIMED_OUT,
)
MISSING_RIGHTS = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)
HANGS_UP_FOR_GOOD = 0.6  # of the time that we would wait: a container's port is open before the broker in it is


class BrokerNotReady(InduTechError):
    """No broker answers, or one answers that cannot be used from here."""


class RightMissing(InduTechError):
    """The broker knows the user, and does not let them do this."""


def wait_until_it_answers(
    broker: Broker, timeout_s: float, advice: str, still_worth_it: Callable[[], None] = lambda: None
) -> None:
    """Return once the broker at that address has told which brokers there are, and they accept connections.

    What time does not heal (a certificate, a password, plain against encrypted) is told at once. `advice` ends the
    message of a failure that it does; `still_worth_it` is called between attempts and may raise.

    Raises:
        BrokerNotReady: with the address, the time waited and the cause.
    """
    deadline = time.monotonic() + timeout_s
    address = broker.bootstrap_servers
    while isinstance(found := _open_address(address, deadline), str):
        still_worth_it()
        if time.monotonic() > deadline:
            raise BrokerNotReady(f"No broker answered at {address} within {timeout_s:g} s ({found}). {advice}")
        time.sleep(0.05)
    _refuse_bad_tls(broker, found)
    hangs_up_since = None
    timeouts = iter((1.0, 2.0))  # a refusal is heard at once, but told only when the question ends
    while not (advertised := _brokers_known_to(broker, min(next(timeouts, 5.0), deadline - time.monotonic()))).hosts:
        still_worth_it()
        if not broker.embedded:  # ours is spoken to as it was made; if it refuses, it is not up yet
            _refuse_bad_login(broker, advertised.told)
            _refuse_unencrypted(broker, found)
            hangs_up_since = (hangs_up_since or time.monotonic()) if advertised.hung_up else None
            if hangs_up_since and time.monotonic() - hangs_up_since > HANGS_UP_FOR_GOOD * timeout_s:
                raise BrokerNotReady(_why_it_hangs_up(broker, found))
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"Something listens at {address}, but did not answer as a Kafka broker "
                f"within {timeout_s:g} s: it is another service, or a broker that is starting or overloaded. {advice}"
            )
    deadline = min(deadline, time.monotonic() + ADVERTISED_WITHIN_S)  # it is up already; this does not heal by itself
    while isinstance(found := _open_address(",".join(advertised.hosts), deadline), str):
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"The broker at {address} answers, but tells clients to use {', '.join(advertised.hosts)}, "
                f"which cannot be reached from here ({found}): correct its advertised listeners. {advice}"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def asking(broker: Broker) -> Iterator[Any]:
    """Give an admin client, which must outlive its answers, and turn silence and refusals into one sentence."""
    try:
        yield AdminClient(confluent_config(broker))
    except KafkaException as error:
        if error.args[0].code() in SILENCES:
            raise BrokerNotReady(
                f"The broker at {broker.bootstrap_servers} stopped answering ({error.args[0].str()}): "
                "see that it is up, then try again."
            ) from error
        if error.args[0].code() in MISSING_RIGHTS:
            raise RightMissing(right_missing(broker, error.args[0].str().rstrip("."))) from error
        raise


def right_missing(broker: Broker, what: str) -> str:
    """Return the sentence for a user who may not do something."""
    who = f"the user {broker.security.username}" if broker.security.username else "a client without a user"
    return (
        f"The broker at {broker.bootstrap_servers} does not let {who} do this ({what}): "
        "set KAFKA_SASL_USERNAME to a user who may, or have the right given (`indutech broker prepare`)."
    )


@dataclass(frozen=True)
class _Answer:
    hosts: list[str]  # host:port of each broker of the cluster, as its clients are told
    told: list[KafkaError]  # what the client heard meanwhile
    hung_up: bool  # the connection broke; otherwise there was an answer, or silence


def _open_address(addresses: str, deadline: float) -> tuple[str, int] | str:
    """Return the first address that accepts a connection, otherwise why the last one does not."""
    why = "no address given"
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise BrokerNotReady(f"{address.strip()!r} is not host:port: check KAFKA_BOOTSTRAP_SERVERS.")
        host = host.strip("[]")
        try:
            timeout_s = min(3.0, max(0.2, deadline - time.monotonic()))
            socket.create_connection((host, int(port)), timeout=timeout_s).close()
        except socket.gaierror:
            why = f"the name {host} is unknown"
        except TimeoutError:
            why = f"{host} does not reply"
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        else:
            return host, int(port)
    return why


def _refuse_bad_tls(broker: Broker, place: tuple[str, int]) -> None:
    if broker.security.over_tls and (fault := tls.fault(*place, broker.security.ca_file)):
        raise BrokerNotReady(f"The broker at {broker.bootstrap_servers} {fault}.")


def _refuse_unencrypted(broker: Broker, place: tuple[str, int]) -> None:
    if not broker.security.over_tls and tls.is_spoken(*place):
        wanted = "SASL_SSL" if broker.security.has_user else "SSL, or to SASL_SSL if it has users"
        raise BrokerNotReady(
            f"The broker at {broker.bootstrap_servers} speaks TLS, and KAFKA_SECURITY_PROTOCOL="
            f"{broker.security.protocol} does not: set it to {wanted}."
        )


def _refuse_bad_login(broker: Broker, told: list[KafkaError]) -> None:
    """Raise if the broker refused the user; what librdkafka passes on is the broker's, which is never the password."""
    refusals = [error.str().lower() for error in told if error.code() == KafkaError._AUTHENTICATION]
    if not refusals:
        return
    security, address = broker.security, broker.bootstrap_servers
    if "mechanism" in refusals[0] and "credentials" not in refusals[0]:
        raise BrokerNotReady(
            f"The broker at {address} does not offer {security.mechanism}: set KAFKA_SASL_MECHANISM "
            "to one that it does (SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN)."
        )
    raise BrokerNotReady(
        f"The broker at {address} refused the user {security.username}: the password or the name is wrong; "
        "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE (or KAFKA_SASL_PASSWORD)."
    )


def _why_it_hangs_up(broker: Broker, place: tuple[str, int]) -> str:
    security, address = broker.security, broker.bootstrap_servers
    if security.over_tls and not tls.is_spoken(*place):
        return f"What listens at {address} hangs up on TLS clients: unless it is still starting, it {tls.NOT_SPOKEN}."
    if security.has_user:
        wanted = "SSL" if security.over_tls else "PLAINTEXT"
        return (
            f"What listens at {address} hangs up on clients with a user: unless it is still starting, it has no users; "
            f"set KAFKA_SECURITY_PROTOCOL={wanted}, without KAFKA_SASL_ settings."
        )
    wanted = "SASL_SSL" if security.over_tls else "SASL_PLAINTEXT or SASL_SSL"
    return (
        f"What listens at {address} hangs up on clients without a user: unless it is still starting, "
        f"set KAFKA_SECURITY_PROTOCOL to {wanted}, with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE."
    )


def _brokers_known_to(broker: Broker, timeout_s: float) -> _Answer:
    told: list[KafkaError] = []
    config: dict[str, Any] = {
        **confluent_config(broker),
        "reconnect.backoff.max.ms": 500,
        "error_cb": told.append,
    }
    admin = AdminClient(config)
    try:
        metadata = admin.list_topics(timeout=max(0.5, timeout_s))
    except KafkaException as error:
        admin.poll(0)
        return _Answer([], [*told, error.args[0]], error.args[0].code() == KafkaError._TRANSPORT)
    return _Answer([f"{one.host}:{one.port}" for one in metadata.brokers.values() if one.port > 0], told, False)
