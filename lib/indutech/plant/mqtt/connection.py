"""Connects to the MQTT broker: the one that is named, or an embedded one that its users share and the last one ends."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from indutech.plant.mqtt import server
from indutech.plant.mqtt.server import MqttNotReady
from indutech.system import leases, supervisor
from indutech.system.settings import Settings

ANSWERS_WITHIN_S = 30.0
STOPS_WITHIN_S = 10.0
KEEPALIVE_S = 15  # a link that is cut without a word is noticed after one and a half times this


class _Died(MqttNotReady):
    """The embedded broker ended before it answered."""


@dataclass(frozen=True)
class Address:
    """Where an MQTT broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class MqttStatus:
    """What `indutech mqtt status` tells."""

    running: bool
    embedded: bool
    address: str | None
    program: str | None
    pid: int | None
    leases: list[int]  # process ids of the lease holders
    kept: bool  # `start` was asked for it, so only `stop` ends it
    data_dir: Path


def new_client(client_id: str, *, clean_session: bool, manual_ack: bool = False) -> paho.Client:
    """Return a client that connects once: whoever uses it makes another, so that nothing of a dead one is sent."""
    return paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=clean_session,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )


@contextlib.contextmanager
def session(client: paho.Client, address: Address, within_s: float, *subscribed: str) -> Iterator[threading.Event]:
    """Connect, subscribe, and give an event that is set once the connection is gone; disconnect at the end.

    Raises:
        MqttNotReady: nobody answers in that time, or the broker refuses.
    """
    ready, gone = threading.Event(), threading.Event()
    refusal: list[str] = []

    def connected(_c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            refusal.append(str(reason))
            gone.set()
        elif subscribed:
            client.subscribe([(topic, 1) for topic in subscribed])
        else:
            ready.set()

    client.on_connect = connected
    client.on_subscribe = lambda *_: ready.set()
    client.on_disconnect = lambda *_: gone.set()
    try:
        client.connect_timeout = within_s
        client.connect(address.host, address.port, KEEPALIVE_S)
    except OSError as error:
        raise _nobody(address, str(error)) from error
    client.loop_start()
    try:
        deadline = time.monotonic() + within_s
        while not ready.wait(0.05):
            if gone.is_set() or time.monotonic() > deadline:
                raise _nobody(address, refusal[0] if refusal else "it closed the connection or said nothing")
        yield gone
    finally:
        client.disconnect()
        client.loop_stop()


@contextlib.contextmanager
def reached(settings: Settings) -> Iterator[Address]:
    """Give the address of the broker; an embedded one starts if need be and stops with its last user.

    Raises:
        MqttNotReady: the embedded one does not start. One that is named is not asked: whoever sends can wait for it.
    """
    if settings.mqtt_broker:
        yield _named(settings.mqtt_broker)
        return
    held, address = _take_lease(settings)
    try:
        yield address
    finally:
        held.release()
        _wait_for_the_end(settings)


def start(settings: Settings) -> Address:
    """Start the embedded broker and keep it until `stop`."""
    if settings.mqtt_broker:
        raise MqttNotReady(f"INDUTECH_MQTT_BROKER names {settings.mqtt_broker}: unset it to use an embedded broker.")
    held, address = _take_lease(settings)
    try:
        (settings.mqtt_dir / "kept").touch()
    finally:
        held.release()
    return address


def stop(settings: Settings) -> bool:
    """End what `start` began; return whether the broker is down, which it is not while others use it."""
    (settings.mqtt_dir / "kept").unlink(missing_ok=True)
    return _wait_for_the_end(settings)


def status(settings: Settings) -> MqttStatus:
    """Return what is known, without starting anything."""
    folder = settings.mqtt_dir
    if settings.mqtt_broker:
        answers = _answers(_named(settings.mqtt_broker))
        return MqttStatus(answers, False, settings.mqtt_broker, None, None, [], False, folder)
    if not supervisor.is_supervised(folder):
        return MqttStatus(False, True, None, None, None, [], False, folder)
    return MqttStatus(
        running=True,
        embedded=True,
        address=str(_of(folder)),
        program=server.program(folder),
        pid=next(iter(supervisor.pids_of(folder, server.STATE)), None),
        leases=leases.holders(folder / "leases"),
        kept=(folder / "kept").exists(),
        data_dir=folder,
    )


def _named(broker: str) -> Address:
    host, _, port = broker.rpartition(":")
    return Address(host, int(port))


def _of(folder: Path) -> Address:
    return Address("127.0.0.1", server.port_of(folder))


def _take_lease(settings: Settings) -> tuple[leases.Lease, Address]:
    folder = settings.mqtt_dir
    try:
        return supervisor.leased(folder, 2 * ANSWERS_WITHIN_S + STOPS_WITHIN_S, lambda: _running(folder))
    except TimeoutError as error:
        raise MqttNotReady(
            f"Another process has been starting or stopping the MQTT broker for too long ({error}): try again."
        ) from error
    except KeyboardInterrupt:
        _wait_for_the_end(settings)  # it may have been starting
        raise
    except OSError as error:
        raise MqttNotReady(f"The embedded MQTT broker cannot keep its data in {folder}: {error}.") from error


def _running(folder: Path) -> Address:
    """Return the address of this folder's broker, started if need be; the caller holds the folder's lock."""
    if supervisor.is_supervised(folder):
        with contextlib.suppress(_Died):  # it was about to end; then we start it again
            return _answering(folder)
    try:
        _launch(folder, new_ports=False)
        return _answering(folder)
    except _Died:
        if "in use" not in server.log_tail(folder, 50):
            raise
    _launch(folder, new_ports=True)  # somebody took the port between our look and the broker's
    return _answering(folder)


def _launch(folder: Path, *, new_ports: bool) -> None:
    supervisor.forget(folder)
    server.kill_orphan(folder)
    server.prepare(folder, new_ports=new_ports)
    server.launch(folder)


def _answering(folder: Path) -> Address:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while not _answers(address := _of(folder)):
        if not supervisor.is_supervised(folder):
            raise _Died(
                f"The embedded MQTT broker stopped while starting: {server.log_tail(folder)} "
                f"(the whole log: {server.log_file(folder)})."
            )
        if time.monotonic() > deadline:
            raise MqttNotReady(
                f"The embedded MQTT broker does not answer within {ANSWERS_WITHIN_S:.0f} s: look at "
                f"{server.log_file(folder)}."
            )
        time.sleep(0.05)
    (folder / "answered").touch()  # from now on the supervisor starts it again if it dies
    return address


def _answers(address: Address) -> bool:
    try:
        with session(new_client("", clean_session=True), address, 2.0):
            return True
    except MqttNotReady:
        return False


def _wait_for_the_end(settings: Settings) -> bool:
    return supervisor.has_ended(settings.mqtt_dir, STOPS_WITHIN_S)


def _nobody(address: Address, why: str) -> MqttNotReady:
    return MqttNotReady(
        f"No MQTT broker answers at {address} ({why}): check INDUTECH_MQTT_BROKER, or unset it to use an embedded one."
    )
