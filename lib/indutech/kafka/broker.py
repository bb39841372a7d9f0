"""Connects to the broker that KAFKA_BOOTSTRAP_SERVERS names, or to an embedded Apache Kafka that its users share."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indutech.kafka import connection, credentials
from indutech.kafka.connection import Broker
from indutech.kafka.credentials import ADMIN
from indutech.kafka.embedded import process, properties
from indutech.kafka.readiness import BrokerNotReady, wait_until_it_answers
from indutech.system import leases, supervisor
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

__all__ = ["Broker", "BrokerNotReady", "BrokerStatus", "connected", "start", "status", "stop"]

CHECK_SETTING = "Check KAFKA_BOOTSTRAP_SERVERS, or unset it to use the embedded broker."
STOPS_WITHIN_S = 35
EMBEDDED_ANSWERS_WITHIN_S = 60


class _Died(BrokerNotReady):
    """The embedded broker ended before it answered."""


@dataclass(frozen=True)
class BrokerStatus:
    """What `indutech broker status` tells."""

    running: bool
    embedded: bool
    bootstrap_servers: str | None
    pid: int | None  # of the first node
    leases: list[int]  # process ids of the lease holders
    kept: bool  # `start` was asked for it, so only `stop` ends it
    data_dir: Path
    secured: bool = False  # ours speaks TLS only, and to users only
    pids: tuple[int, ...] = ()  # of every node
    restarts: int = 0  # how often a node died and was started again


@contextlib.contextmanager
def connected(settings: Settings) -> Iterator[Broker]:
    """Give a broker that answers; an embedded one starts if need be and stops with its last user.

    Raises:
        BrokerNotReady: one sentence with the address, the cause and the next step.
        SecurityMisconfigured: the settings of TLS or SASL contradict each other.
    """
    if settings.bootstrap_servers:
        yield _external(settings, settings.broker_timeout_s)
        return
    _refuse_security(settings)
    if _is_secured(settings):
        raise InduTechError(
            f"The embedded broker of {settings.data_dir} lets in users only: `indutech broker start`, then load the "
            f"settings of one, such as `set -a; . {credentials.variables_file(settings, 'producer')}; set +a`."
        )
    held, broker = _take_lease(settings)
    try:
        yield broker
    finally:
        held.release()
        _wait_for_the_end(settings)


def start(settings: Settings, *, secure: bool = False, nodes: int | None = None) -> Broker:
    """Start the embedded broker and keep it until `stop`.

    Of three `nodes` one may die: each record has three copies, and is acknowledged when two are written. A broker keeps
    the number of nodes that it began with.
    With `secure` it speaks TLS only and lets in users only; it stays so at later starts, because its data knows them.
    The broker returned is then the administrator's, and each user's settings are in a file of the secrets folder.
    """
    if settings.bootstrap_servers:
        raise InduTechError(
            f"KAFKA_BOOTSTRAP_SERVERS names the broker {settings.bootstrap_servers}, "
            "so there is none to start: unset it to use the embedded one."
        )
    _refuse_security(settings)
    _refuse_other_nodes(settings, nodes)
    secure = _becomes_secured(settings, secure)
    if secure:
        credentials.make(settings)
    held, broker = _take_lease(settings, secure=secure, nodes=nodes or 1)
    try:
        (settings.broker_dir / "kept").touch()
    finally:
        held.release()
    if secure:
        credentials.write_variables(settings, broker.bootstrap_servers)
    return broker


def stop(settings: Settings) -> bool:
    """End what `start` began; return whether the embedded broker is down, which it is not while others use it."""
    (settings.broker_dir / "kept").unlink(missing_ok=True)
    return _wait_for_the_end(settings)


def status(settings: Settings) -> BrokerStatus:
    """Return what is known about the broker, without starting anything."""
    folder = settings.broker_dir
    if settings.bootstrap_servers:
        try:
            running = bool(_external(settings, min(3.0, settings.broker_timeout_s)))
        except BrokerNotReady:
            running = False
        return BrokerStatus(running, False, settings.bootstrap_servers, None, [], False, folder)
    if not process.is_supervised(folder):
        return BrokerStatus(False, True, None, None, [], False, folder)
    users = leases.holders(folder / "leases")
    return BrokerStatus(
        running=True,
        embedded=True,
        bootstrap_servers=_place(folder),
        pid=next(iter(_pids(folder)), None),
        leases=users,
        kept=(folder / "kept").exists(),
        data_dir=folder,
        secured=_is_secured(settings),
        pids=_pids(folder),
        restarts=supervisor.restarts_of(folder, process.STATE),
    )


def existing(settings: Settings) -> Broker | None:
    """Return the broker that is there, and None if none is named and the embedded one does not run: nothing is started.

    Raises:
        BrokerNotReady: one is named or runs, and does not answer within the timeout of the settings.
        SecurityMisconfigured: the settings of TLS or SASL contradict each other.
    """
    if settings.bootstrap_servers:
        return _external(settings, settings.broker_timeout_s)
    if not process.is_supervised(settings.broker_dir):
        return None
    broker = _address(settings)
    wait_until_it_answers(broker, settings.broker_timeout_s, f"Look at {process.log_file(settings.broker_dir)}.")
    return broker


def orphan(settings: Settings) -> int | None:
    """Return the process of an embedded broker whose supervisor was killed; the next start ends it."""
    folder = settings.broker_dir
    if process.is_supervised(folder):
        return None
    return next((pid for pid in _pids(folder) if process.is_broker_of(folder, pid)), None)


def _external(settings: Settings, timeout_s: float) -> Broker:
    broker = Broker(settings.bootstrap_servers or "", embedded=False, security=connection.from_settings(settings))
    wait_until_it_answers(broker, timeout_s, CHECK_SETTING)
    return broker


def _refuse_security(settings: Settings) -> None:
    if settings.security_protocol != "PLAINTEXT":
        raise connection.SecurityMisconfigured(
            f"KAFKA_SECURITY_PROTOCOL={settings.security_protocol} without KAFKA_BOOTSTRAP_SERVERS: name the broker, "
            "or unset it to use the embedded one, whose secured form is `indutech broker start --secure`."
        )


def _refuse_other_nodes(settings: Settings, nodes: int | None) -> None:
    folder = settings.broker_dir
    there = len(supervisor.node_folders(folder))
    if nodes not in (None, there) and process.is_formatted(folder):
        raise InduTechError(
            f"The broker data in {folder} was made for {there} node{'s' if there > 1 else ''}, not for {nodes}: "
            "`indutech reset` starts over, or set another INDUTECH_DATA_DIR."
        )


def _is_secured(settings: Settings) -> bool:
    return properties.is_secured(supervisor.node_folders(settings.broker_dir)[0])


def _becomes_secured(settings: Settings, secure: bool) -> bool:
    folder = settings.broker_dir
    if _is_secured(settings):
        if not credentials.password_file(settings, ADMIN).exists():
            raise InduTechError(
                f"The broker data in {folder} knows users whose passwords are gone from {settings.secrets_dir}: "
                "put that folder back, or start over with `indutech reset`."
            )
        return True
    if secure and (process.is_formatted(folder) or process.is_supervised(folder)):
        raise InduTechError(
            f"The broker data in {folder} was made without users: `indutech reset` starts over, or set another "
            "INDUTECH_DATA_DIR for the secured broker."
        )
    return secure


def _take_lease(settings: Settings, *, secure: bool = False, nodes: int = 1) -> tuple[leases.Lease, Broker]:
    folder = settings.broker_dir
    try:
        # Whoever holds it is starting or stopping the broker, and both have a time limit.
        longest_s = 2 * EMBEDDED_ANSWERS_WITHIN_S * max(nodes, len(supervisor.node_folders(folder))) + STOPS_WITHIN_S
        return supervisor.leased(folder, longest_s, lambda: _running(settings, secure, nodes))
    except TimeoutError as error:
        raise BrokerNotReady(
            f"Another process has been starting or stopping the broker for too long ({error}): try again."
        ) from error
    except KeyboardInterrupt:
        _wait_for_the_end(settings)  # it may have been starting
        raise
    except OSError as error:
        raise BrokerNotReady(f"The embedded broker cannot keep its data in {folder}: {error}.") from error


def _running(settings: Settings, secure: bool, nodes: int) -> Broker:
    """Return the broker of this folder, started if it was not running; the caller holds the folder's lock."""
    folder = settings.broker_dir
    if process.is_supervised(folder):
        with contextlib.suppress(_Died):  # it was about to end; then we start it again
            return _answering(settings)
    if not process.is_formatted(folder):
        process.make_nodes(folder, nodes)
    every_node = len(supervisor.node_folders(folder))
    try:
        _launch(settings, secure, new_ports=False)
        return _answering(settings, every_node)
    except _Died:
        if "already in use" not in process.log_tail(folder):
            raise
    _launch(settings, secure, new_ports=True)  # somebody took the port between our look and the broker's
    return _answering(settings, every_node)


def _launch(settings: Settings, secure: bool, *, new_ports: bool) -> None:
    folder = settings.broker_dir
    supervisor.forget(folder)
    for pid in _pids(folder):
        process.kill_orphan(folder, pid)
    process.prepare(folder, new_ports, credentials.security_of(settings, ADMIN) if secure else None)
    process.launch(folder)


def _answering(settings: Settings, nodes: int = 1) -> Broker:
    folder = settings.broker_dir

    def raise_if_it_died() -> None:
        if not process.is_supervised(folder):
            raise _Died(
                f"The embedded broker stopped while starting: {process.log_tail(folder)} "
                f"(the whole log: {process.log_file(folder)})."
            )

    broker = _address(settings)
    advice = f"It is the embedded one: look at {process.log_file(folder)}, or set a longer INDUTECH_BROKER_TIMEOUT_S."
    # Longer than for an external one: Java is slow on a busy machine, and its death is noticed at once.
    timeout_s = max(EMBEDDED_ANSWERS_WITHIN_S * nodes, settings.broker_timeout_s)
    wait_until_it_answers(broker, timeout_s, advice, raise_if_it_died, nodes)
    process.has_answered(folder)
    return broker


def _wait_for_the_end(settings: Settings) -> bool:
    return supervisor.has_ended(settings.broker_dir, STOPS_WITHIN_S)


def _address(settings: Settings) -> Broker:
    if not _is_secured(settings):
        return Broker(_place(settings.broker_dir), embedded=True)
    return Broker(_place(settings.broker_dir), embedded=True, security=credentials.security_of(settings, ADMIN))


def _place(folder: Path) -> str:
    return ",".join(f"127.0.0.1:{properties.port_of(node)}" for node in supervisor.node_folders(folder))


def _pids(folder: Path) -> tuple[int, ...]:
    return supervisor.pids_of(folder, process.STATE)
