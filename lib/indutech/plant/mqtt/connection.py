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
from indutech.system import embedded_server
from indutech.system.embedded_server import Server
from indutech.system.settings import Settings

ANSWERS_WITHIN_S = 30.0
STOPS_WITHIN_S = 10.0
KEEPALIVE_S = 15  # a link that is cut without a word is noticed after one and a half times this


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
    restarts: int = 0  # how often it died and was started again


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
    with embedded_server.used(_server(settings)):
        yield _of(settings)


def start(settings: Settings) -> Address:
    """Start the embedded broker and keep it until `stop`."""
    if settings.mqtt_broker:
        raise MqttNotReady(f"INDUTECH_MQTT_BROKER names {settings.mqtt_broker}: unset it to use an embedded broker.")
    embedded_server.keep(_server(settings))
    return _of(settings)


def stop(settings: Settings) -> bool:
    """End what `start` began; return whether the broker is down, which it is not while others use it."""
    return embedded_server.stop(_server(settings))


def status(settings: Settings) -> MqttStatus:
    """Return what is known, without starting anything."""
    folder = settings.mqtt_dir
    if settings.mqtt_broker:
        answers = _answers(_named(settings.mqtt_broker))
        return MqttStatus(answers, False, settings.mqtt_broker, None, None, [], False, folder)
    found = embedded_server.status(_server(settings))
    where, what = (str(_of(settings)), server.program(folder)) if found.running else (None, None)
    return MqttStatus(found.running, True, where, what, found.pid, found.leases, found.kept, folder, found.restarts)


def _named(broker: str) -> Address:
    host, _, port = broker.rpartition(":")
    return Address(host, int(port))


def _of(settings: Settings) -> Address:
    return Address("127.0.0.1", server.port_of(settings.mqtt_dir))


def _server(settings: Settings) -> Server:
    folder = settings.mqtt_dir

    def launch(new_ports: bool) -> None:
        server.kill_orphan(folder)
        server.prepare(folder, new_ports=new_ports)
        server.launch(folder)

    return Server(
        "The embedded MQTT broker",
        folder,
        server.STATE,
        server.log_file(folder),
        launch,
        lambda: _answers(_of(settings)),
        MqttNotReady,
        answers_within_s=ANSWERS_WITHIN_S,
        stops_within_s=STOPS_WITHIN_S,
    )


def _answers(address: Address) -> bool:
    try:
        with session(new_client("", clean_session=True), address, 2.0):
            return True
    except MqttNotReady:
        return False


def _nobody(address: Address, why: str) -> MqttNotReady:
    return MqttNotReady(
        f"No MQTT broker answers at {address} ({why}): check INDUTECH_MQTT_BROKER, or unset it to use an embedded one."
    )
