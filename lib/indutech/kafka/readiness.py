"""Wait for a broker with a time limit, or say in one sentence why it cannot be used."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from indutech.kafka import tls
from indutech.kafka.connection import Broker, confluent_config
from indutech.system.errors import InduTechError

ANSWERS_WITHIN_S = 30  # request timeout
ADVERTISED_WITHIN_S = 2
ASKS_AGAIN_S = 1.0
NO_ANSWER = (
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
REFUSED_AFTER_SHARE = 0.6  # of the timeout: a container's port is open before the broker in it listens


class BrokerNotReady(InduTechError):
    """No broker answers, or it cannot be used from here."""


class RightMissing(InduTechError):
    """The user is authenticated, but lacks a right."""


def wait_until_it_answers(
    broker: Broker,
    timeout_s: float,
    advice: str,
    give_up_early: Callable[[], None] = lambda: None,
    nodes: int = 1,
) -> None:
    """Return once the broker has answered with the addresses of its cluster, and these accept connections.

    An error that waiting cannot repair (a certificate, a password, TLS on one side only) is raised at once. `advice`
    ends the message after a timeout; `give_up_early` is called between attempts and may raise; so many `nodes` have to
    be there.

    Raises:
        BrokerNotReady: with the address, the time waited and the cause.
    """
    deadline = time.monotonic() + timeout_s
    address = broker.bootstrap_servers
    while isinstance(found := _open_address(address, deadline), str):
        give_up_early()
        if time.monotonic() > deadline:
            raise BrokerNotReady(f"No broker answered at {address} within {timeout_s:g} s ({found}). {advice}")
        time.sleep(0.05)
    _refuse_bad_tls(broker, found)
    disconnects_since = None
    timeouts = iter((1.0, 2.0))  # short at first: a refusal is reported only when the request ends
    while (
        len((advertised := _brokers_known_to(broker, min(next(timeouts, 5.0), deadline - time.monotonic()))).hosts)
        < nodes
    ):
        give_up_early()
        if not broker.embedded:  # the embedded one is configured by us: if it refuses, it is still starting
            _refuse_bad_login(broker, advertised.errors)
            _refuse_unencrypted(broker, found)
            disconnects_since = (disconnects_since or time.monotonic()) if advertised.disconnected else None
            if disconnects_since and time.monotonic() - disconnects_since > REFUSED_AFTER_SHARE * timeout_s:
                raise BrokerNotReady(_why_it_disconnects(broker, found))
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"Something listens at {address}, but did not answer as a Kafka broker "
                f"within {timeout_s:g} s: it is another service, or a broker that is starting or overloaded. {advice}"
            )
    deadline = min(deadline, time.monotonic() + ADVERTISED_WITHIN_S)  # it is up already: waiting longer does not help
    while isinstance(found := _open_address(",".join(advertised.hosts), deadline), str):
        if time.monotonic() > deadline:
            raise BrokerNotReady(
                f"The broker at {address} answers, but tells clients to use {', '.join(advertised.hosts)}, "
                f"which cannot be reached from here ({found}): correct its advertised listeners. {advice}"
            )
        time.sleep(0.05)


@contextlib.contextmanager
def asking(broker: Broker) -> Iterator[Any]:
    """Give an admin client, to be kept until it has answered, and turn timeouts and refusals into one sentence."""
    admin, answered = AdminClient(confluent_config(broker)), threading.Event()
    threading.Thread(target=_ask_again, args=(admin, answered), daemon=True).start()
    try:
        yield admin
    except KafkaException as error:
        if error.args[0].code() in NO_ANSWER:
            raise BrokerNotReady(
                f"The broker at {broker.bootstrap_servers} stopped answering ({error.args[0].str()}): "
                "see that it is up, then try again."
            ) from error
        if error.args[0].code() in MISSING_RIGHTS:
            raise RightMissing(right_missing(broker, error.args[0].str().rstrip("."))) from error
        raise
    finally:
        answered.set()


def _ask_again(admin: Any, answered: threading.Event) -> None:
    """Let the client look for the cluster's controller again as long as an answer is not there.

    A broker that slept for longer than its session names none for a moment, and librdkafka asks only once: it would
    wait in vain until the end of its request timeout.
    """
    while not answered.wait(ASKS_AGAIN_S):
        with contextlib.suppress(KafkaException):
            admin.list_topics(timeout=ASKS_AGAIN_S)


def right_missing(broker: Broker, what: str) -> str:
    """Return the sentence for a user who may not do something."""
    who = f"the user {broker.security.username}" if broker.security.username else "a client without a user"
    return (
        f"The broker at {broker.bootstrap_servers} does not let {who} do this ({what}): "
        "set KAFKA_SASL_USERNAME to a user who may, or have the right given (`indutech broker prepare`)."
    )


@dataclass(frozen=True)
class _Answer:
    hosts: list[str]  # advertised listeners: host:port of each broker of the cluster
    errors: list[KafkaError]  # reported by the client meanwhile
    disconnected: bool  # the connection broke; otherwise there was an answer, or a timeout


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


def _refuse_bad_login(broker: Broker, errors: list[KafkaError]) -> None:
    """Raise if the broker refused the user; its message, which librdkafka passes on, never holds the password."""
    refusals = [error.str().lower() for error in errors if error.code() == KafkaError._AUTHENTICATION]
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


def _why_it_disconnects(broker: Broker, place: tuple[str, int]) -> str:
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
    errors: list[KafkaError] = []
    config: dict[str, Any] = {
        **confluent_config(broker),
        "reconnect.backoff.max.ms": 500,
        "error_cb": errors.append,
    }
    admin = AdminClient(config)
    try:
        metadata = admin.list_topics(timeout=max(0.5, timeout_s))
    except KafkaException as error:
        admin.poll(0)
        return _Answer([], [*errors, error.args[0]], error.args[0].code() == KafkaError._TRANSPORT)
    return _Answer([f"{one.host}:{one.port}" for one in metadata.brokers.values() if one.port > 0], errors, False)
