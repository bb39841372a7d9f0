"""A gateway in the plant: keeps readings on its disk, sends them over MQTT, and lets go of what the bridge confirmed.

MQTT's own acknowledgement says only that the MQTT broker has a message, and a broker that is killed may forget it. So a
batch is sent until the bridge says that Kafka has it: when the link comes back, and after a while without an answer.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from indutech.plant.mqtt import connection, topics
from indutech.plant.mqtt.connection import Address
from indutech.plant.mqtt.server import MqttNotReady
from indutech.plant.mqtt.store import Batch, Store
from indutech.system import progress as progress_display
from indutech.system.progress import Position
from indutech.system.settings import Settings
from indutech.tickets import product as products

BATCH_READINGS = 200
BATCH_EVERY_S = 0.2  # a reading waits no longer than this for others of its batch
WINDOW = 32  # batches under way, so that a broker or bridge that is away is not buried when it comes back
WAITING_AT_MOST = 200  # batches, where no rate is asked for: generated readings can wait to be made
RESENT_AFTER_S, RESENT_AT_MOST_S = 5.0, 60.0  # without a confirmation; doubled each time
RECONNECT_S = 0.5
LAST_WAIT_S = 2.0  # after a signal, for the confirmation of what is under way
_CONNECT_WITHIN_S = 5.0
_TICK_S = 0.02


@dataclass
class SendResult:
    """What one run did: `measured` readings were kept, `confirmed` are in Kafka, `waiting` are still in the store.

    `before` were left by an earlier run. `resent` counts batches that were sent more than once.
    """

    gateway: str
    measured: int = 0
    before: int = 0
    confirmed: int = 0
    waiting: int = 0
    batches: int = 0
    resent: int = 0
    connections: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def sentence(self) -> str:
        """The run in one line."""
        said = [f"{self.measured:,} readings measured, {self.confirmed:,} confirmed to be in Kafka"]
        said += [f"{self.before:,} had waited since an earlier run"] if self.before else []
        said += [f"{self.resent:,} of {self.batches:,} batches sent again"] if self.resent else []
        said += [f"{self.connections:,} connections"] if self.connections != 1 else []
        said += [f"{self.waiting:,} wait in the store for the next run"] if self.waiting else []
        said += [f"{self.seconds:.1f} s"]
        return ("Stopped early: " if self.stopped else "") + "; ".join(said) + "."

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON prints it."""
        return asdict(self)


def store_file(settings: Settings, gateway: str) -> Path:
    """Return where a gateway keeps its readings."""
    return settings.gateways_dir / f"{gateway}.db"


def send(
    settings: Settings,
    address: Address,
    *,
    count: int | None,
    rate: float | None = None,
    seed: int = 0,
    gateway: str = "gateway-1",
    wait_s: float | None = None,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> SendResult:
    """Measure readings, `rate` a second, and send them until all are confirmed, also those of earlier runs.

    No `count` means without end. After the last one is measured, confirmations are waited for `wait_s`, or until `stop`
    returns True; what is not confirmed stays in the store.

    Raises:
        StoreUnusable: the disk is full, or another process sends from this gateway's store.
    """
    if rate is not None and rate <= 0:
        raise ValueError(f"a rate must be more than 0 readings per second, not {rate}")
    with Store(store_file(settings, gateway)) as store:
        result = SendResult(gateway, before=store.readings)
        measuring = _Measuring(settings, count, rate, seed, store, result)
        delivery = _Delivery(f"{gateway}-{store.id}", store, result)
        began = time.monotonic()

        def position() -> Position:
            where = "" if delivery.is_connected else " (no link)"
            return Position(f"Sending{where}, {store.readings:,} wait", result.confirmed, count, "confirmed")

        deadline: float | None = None
        leaves: float | None = None
        with progress_display.shown(position, wanted=progress):
            while True:
                if stop():  # what is under way is still confirmed, or the next run would send it a second time
                    leaves = time.monotonic() + LAST_WAIT_S if leaves is None else leaves
                    if not delivery.under_way or time.monotonic() > leaves:
                        result.stopped = True
                        break
                else:
                    measuring.step()
                if measuring.ended and not store.batches:
                    break
                if measuring.ended and wait_s is not None:
                    deadline = deadline or time.monotonic() + wait_s
                    if time.monotonic() > deadline:
                        break
                delivery.step(address, takes=leaves is None)
                if not delivery.is_busy:
                    time.sleep(_TICK_S)
        delivery.close()
        result.waiting, result.seconds = store.readings, round(time.monotonic() - began, 3)
    return result


class _Measuring:
    """Takes readings when they are due, and keeps them."""

    def __init__(
        self, settings: Settings, count: int | None, rate: float | None, seed: int, store: Store, result: SendResult
    ) -> None:
        made = products.of(settings).messages(count, seed, None, BATCH_READINGS) if count != 0 else iter(())
        self._lines: Iterator[bytes] = (value for batch in made for _, value in batch)
        self._rate, self._store, self._result = rate, store, result
        self._began = self._last = time.monotonic()
        self.ended = count == 0

    def step(self) -> None:
        """Keep what is due, at most a second of it."""
        if self.ended:
            return
        now = time.monotonic()
        if self._rate is None:
            due = BATCH_READINGS if self._store.batches < WAITING_AT_MOST else 0
        else:
            due = int((now - self._began) * self._rate) - self._result.measured
            if due < BATCH_READINGS and now - self._last < BATCH_EVERY_S:
                return
        while due > 0 and (lines := list(islice(self._lines, min(due, BATCH_READINGS)))):
            self._store.add(lines)
            self._result.measured += len(lines)
            due -= len(lines)
            self._last = now
        self.ended = due > 0


@dataclass
class _Sent:
    """A batch that is under way."""

    batch: Batch
    due: float  # when it is sent again
    wait_s: float


class _Delivery:
    """One connection after the other: publishes what is in the store, and takes out what is confirmed."""

    def __init__(self, name: str, store: Store, result: SendResult) -> None:
        self._name, self._store, self._result = name, store, result
        self._sent: dict[int, _Sent] = {}
        self._last = 0  # the newest number that was sent over this connection
        self._newest_ever = 0
        self._heard: deque[int] = deque()
        self._stack = ExitStack()
        self._client: paho.Client | None = None
        self._retry_at = 0.0
        self.is_busy = False

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._client is not None and not self._gone.is_set()

    @property
    def under_way(self) -> int:
        """How many batches were sent over this connection and are not confirmed."""
        return len(self._sent) if self.is_connected else 0

    def step(self, address: Address, *, takes: bool) -> None:
        """Connect if need be, send what has room, send again what is due, and let go of what is confirmed.

        Unless it `takes`, nothing new is sent.
        """
        self.is_busy = False
        if not self.is_connected and not self._connect(address):
            return
        self._let_go()
        now = time.monotonic()
        for sent in [one for one in self._sent.values() if one.due <= now]:
            sent.wait_s = min(2 * sent.wait_s, RESENT_AT_MOST_S)
            sent.due = now + sent.wait_s
            self._publish(sent.batch)
        for batch in self._store.after(self._last, WINDOW - len(self._sent) if takes else 0):
            self._sent[batch.number] = _Sent(batch, now + RESENT_AFTER_S, RESENT_AFTER_S)
            self._last = batch.number
            self._publish(batch)
            self.is_busy = True

    def close(self) -> None:
        """End the connection."""
        self._stack.close()
        self._client = None

    def _connect(self, address: Address) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        self.close()
        self._retry_at = time.monotonic() + RECONNECT_S
        # A name of its own for each connection: the broker may not have noticed yet that the last one is gone.
        client = connection.new_client(f"{self._name}-{uuid.uuid4().hex[:6]}", clean_session=True)
        client.on_message = lambda _c, _u, message: self._heard.append(int(message.payload))
        stack = ExitStack()
        with suppress(MqttNotReady):
            self._gone = stack.enter_context(
                connection.session(client, address, _CONNECT_WITHIN_S, topics.confirmed(self._name))
            )
            self._client, self._stack = client, stack
            self._result.connections += 1
            self._sent.clear()  # whatever was under way is sent again
            self._last = 0
        return self._client is not None

    def _publish(self, batch: Batch) -> None:
        if self._client:
            self._client.publish(topics.batch(self._name, batch.number), batch.body, qos=1)
        if batch.number > self._newest_ever:
            self._newest_ever = batch.number
            self._result.batches += 1
        else:
            self._result.resent += 1

    def _let_go(self) -> None:
        confirmed = {self._heard.popleft() for _ in range(len(self._heard))}
        done = [self._sent.pop(number).batch for number in sorted(confirmed) if number in self._sent]
        if done:
            self._store.remove(done)
            self._result.confirmed += sum(batch.readings for batch in done)
            self.is_busy = True
