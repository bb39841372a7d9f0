"""The bridge from MQTT to Kafka: a reading a message, acknowledged to MQTT and confirmed to its gateway only once
Kafka has reported the delivery of its whole batch.

Whatever dies before that, the batch comes again, from the MQTT broker or from the gateway. Readings that Kafka had got
already then stand twice in the topic: `indutech reconcile` counts them, and `curated` has each once.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import paho.mqtt.client as paho
from filelock import FileLock, Timeout

from indutech.kafka import topics as kafka_topics
from indutech.kafka.connection import Broker
from indutech.plant.mqtt import connection, topics
from indutech.plant.mqtt.connection import Address
from indutech.plant.mqtt.server import MqttNotReady
from indutech.plant.mqtt.store import LINE
from indutech.producer.audit_log import AuditWriter
from indutech.producer.confluent import Marked, MarkedSender
from indutech.producer.counts import Limits, Tally
from indutech.producer.produce import SendingBroke
from indutech.system import progress as progress_display
from indutech.system.errors import InduTechError
from indutech.system.progress import Position
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets.product import Product

CLIENT_ID = "indutech-bridge"  # the same each time, so that an MQTT broker keeps what came while it was away
RECONNECT_S = 0.5
_CONNECT_WITHIN_S = 5.0
_TICK_S = 0.02


class SecondBridge(InduTechError):
    """Another bridge of this data folder runs."""


@dataclass
class BridgeResult:
    """What one run did; `copies` are batches that arrived again while Kafka had not confirmed them yet.

    `too_large` readings do not fit into a message of the topic: they are in a file, and nowhere else.
    """

    topic: str
    batches: int = 0
    readings: int = 0
    copies: int = 0
    too_large: int = 0
    too_large_file: str | None = None
    connections: int = 0
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The run in one line."""
        said = [f"{self.readings:,} readings in {self.batches:,} batches acknowledged by topic {self.topic}"]
        said += [f"{self.copies:,} batches came twice at the same time and were sent once"] if self.copies else []
        said += [f"{self.too_large:,} too large for the topic, all in {self.too_large_file}"] if self.too_large else []
        said += [f"{self.connections:,} connections"] if self.connections != 1 else []
        return "; ".join([*said, f"{self.seconds:.1f} s"]) + "."

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON prints it."""
        return asdict(self)


def run(
    settings: Settings,
    broker: Broker,
    address: Address,
    *,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> BridgeResult:
    """Carry batches from MQTT to the topic until `stop` returns True; an MQTT broker that is away is waited for.

    Raises:
        SecondBridge: another one of this data folder runs.
        SendingBroke: Kafka stopped acknowledging; what it did not confirm, the gateways still have.
        RightMissing: the user of the settings may not write to the topic.
        AuditRefused: the audit in the data folder is of another topic.
    """
    topic = kafka_topics.ensure_topic(broker, settings)
    kafka_topics.refuse_without("WRITE", broker, topic)
    result = BridgeResult(settings.topic)
    tally = Tally(topic.partitions)
    limits = Limits.of(topic.config, settings.broker_timeout_s)
    began = time.monotonic()
    with ExitStack() as stack:
        stack.callback(_only_bridge(settings).release)
        ends = kafka_topics.end_offsets(broker, topic.name)
        audit_writer = stack.enter_context(AuditWriter(settings, topic, ends, tally, seed=None))
        sender = stack.enter_context(closing(MarkedSender(broker, topic.name, tally, limits)))
        bridge = stack.enter_context(closing(_Bridge(settings, sender, limits, result)))
        stack.enter_context(
            progress_display.shown(lambda: Position("Carrying", result.readings, None, "in Kafka"), wanted=progress)
        )
        deadline: float | None = None
        while not tally.broken:
            if stop():  # what Kafka has been given is still waited for
                deadline = deadline or time.monotonic() + settings.broker_timeout_s
                if not bridge.under_way or time.monotonic() > deadline:
                    break
            bridge.step(address, takes=deadline is None)
            audit_writer.write_if_due()
    result.seconds = round(time.monotonic() - began, 3)
    if tally.broken:
        raise SendingBroke(
            f"Kafka at {broker.bootstrap_servers} stopped acknowledging ({tally.broken}): {result.readings:,} readings "
            "are acknowledged and confirmed. Nothing is lost: the gateways keep the rest and send it again. See that "
            "Kafka is up, then start the bridge again."
        )
    return result


@dataclass
class _Pending:
    """A batch of which Kafka has not reported everything yet."""

    left: int
    arrivals: list[tuple[paho.Client, int]] = field(default_factory=list)  # each to be acknowledged to MQTT


class _Bridge:
    """One connection to MQTT after the other; what came over one that is gone still goes to Kafka."""

    def __init__(self, settings: Settings, sender: MarkedSender, limits: Limits, result: BridgeResult) -> None:
        self._product, self._sender, self._limits, self._result = products.of(settings), sender, limits, result
        self._file = settings.audit_file.parent / "too-large.jsonl"
        self._arrived: deque[tuple[paho.Client, paho.MQTTMessage]] = deque()
        self._pending: dict[str, _Pending] = {}
        self._done: deque[str] = deque()
        self._confirmed: deque[str] = deque()  # topics of batches whose gateway has to hear of it
        self._stack = ExitStack()
        self._client: paho.Client | None = None
        self._retry_at = 0.0

    @property
    def under_way(self) -> int:
        """Return how many batches Kafka has not reported yet."""
        return len(self._pending)

    def step(self, address: Address, *, takes: bool) -> None:
        """Hand over what has arrived, and answer for what Kafka has; waits a moment if there is nothing to do."""
        if not self._connected():
            self._connect(address)
        if takes and self._arrived:
            self._take(*self._arrived.popleft())
            self._sender.poll(0)
        else:
            self._sender.poll(_TICK_S)
        while self._done:
            self._finish(self._done.popleft())
        while self._confirmed and self._connected():
            self._confirm(self._confirmed.popleft())

    def close(self) -> None:
        """End the connection."""
        self._stack.close()
        self._client = None

    def _connected(self) -> bool:
        return self._client is not None and not self._gone.is_set()

    def _connect(self, address: Address) -> None:
        if time.monotonic() < self._retry_at:
            return
        self.close()
        self._retry_at = time.monotonic() + RECONNECT_S
        client = connection.new_client(CLIENT_ID, clean_session=False, manual_ack=True)
        client.on_message = lambda client, _user, message: self._arrived.append((client, message))
        stack = ExitStack()
        with suppress(MqttNotReady):
            self._gone = stack.enter_context(connection.session(client, address, _CONNECT_WITHIN_S, topics.READINGS))
            self._client, self._stack = client, stack
            self._result.connections += 1

    def _take(self, client: paho.Client, message: paho.MQTTMessage) -> None:
        if pending := self._pending.get(message.topic):
            pending.arrivals.append((client, message.mid))
            self._result.copies += 1
            return
        lines = [line for line in bytes(message.payload).split(LINE) if self._fits(line)]
        pending = self._pending[message.topic] = _Pending(len(lines), [(client, message.mid)])
        if not lines:
            self._done.append(message.topic)

        def acknowledged(_partition: int, _offset: int) -> None:
            pending.left -= 1
            if not pending.left:
                self._done.append(message.topic)

        marked = [Marked(_key(self._product, line), line, None, acknowledged) for line in lines]
        while marked:
            marked = marked[self._sender.offer(marked) :]
            self._sender.poll(_TICK_S if marked else 0)
        self._result.readings += len(lines)
        self._result.batches += 1

    def _fits(self, line: bytes) -> bool:
        """Tell whether the topic can take it; what it cannot is written down, or its gateway would send it for ever."""
        if len(line) + len(_key(self._product, line) or b"") <= self._limits.message_bytes:
            return True
        with self._file.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._result.too_large += 1
        self._result.too_large_file = str(self._file)
        return False

    def _finish(self, topic: str) -> None:
        for client, message_id in self._pending.pop(topic).arrivals:
            if client is self._client:
                client.ack(message_id, 1)
        self._confirmed.append(topic)

    def _confirm(self, topic: str) -> None:
        if self._client and (gateway := topics.sender(topic)):
            self._client.publish(topics.confirmed(gateway[0]), str(gateway[1]).encode(), qos=1)


def _key(product: Product[Any], line: bytes) -> bytes | None:
    """Return the key of a message: whether the rest of it is right is not the bridge's to say."""
    try:
        return str(orjson.loads(line)[product.key]).encode()
    except (orjson.JSONDecodeError, KeyError, TypeError, UnicodeEncodeError):
        return None


def _only_bridge(settings: Settings) -> FileLock:
    file: Path = settings.product_dir / "bridge.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondBridge(
            f"Another bridge of {settings.product_dir} runs: stop it first, or use another INDUTECH_DATA_DIR."
        ) from None
    return lock
