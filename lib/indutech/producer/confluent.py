"""Sends with confluent-kafka, the faster client: idempotent, acks from all replicas, the partitions of kafka-python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from indutech.kafka.connection import Broker, confluent_config
from indutech.producer.counts import Limits, Tally

IN_FLIGHT_AT_MOST = 100_000
LINGER_MS = 20
ANY_PARTITION = -1  # the partitioner chooses
ONE_TICKET_ONLY = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD)


class _Client:
    """What both senders of this module are: the client with its settings, and the delivery reports."""

    def __init__(self, broker: Broker, topic: str, tally: Tally, limits: Limits) -> None:
        self._topic, self._tally = topic, tally
        self._producer = Producer(
            {
                **confluent_config(broker),
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "partitioner": "murmur2_random",  # kafka-python's; the default here is CRC32
                "batch.size": limits.batch_bytes,
                "message.max.bytes": max(limits.message_bytes, limits.batch_bytes) + 4096,
                "linger.ms": LINGER_MS,
                "queue.buffering.max.messages": IN_FLIGHT_AT_MOST,
                "message.timeout.ms": round(limits.delivery_s * 1000),
                "request.timeout.ms": round(limits.request_s * 1000),
                "socket.timeout.ms": round(limits.request_s * 1000),
                "reconnect.backoff.max.ms": 1000,
            }
        )
        self._answered = self._counter()

    def poll(self, wait_s: float) -> None:
        """Count the delivery reports that have come in; wait up to `wait_s` for one if there is none."""
        self._producer.poll(wait_s)

    def in_flight(self) -> int:
        """Return how many messages have no delivery report yet."""
        return self._tally.sent - self._tally.failed - sum(self._tally.acknowledged)

    def abandon(self) -> None:
        """Drop the messages without a delivery report and count them as failed."""
        self._producer.purge()
        self._producer.flush(1.0)

    def close(self) -> None:
        """Close threads and connections."""
        self._producer.purge()
        self._producer.close(0)

    def _counter(self) -> Any:
        """Return the delivery callback: a closure over two lists is the cheapest that was measured."""
        tally = self._tally
        last, acknowledged = tally.last, tally.acknowledged

        def answered(error: Any, message: Any) -> None:
            if error is None:
                partition = message.partition()
                try:
                    acknowledged[partition] += 1
                except IndexError:
                    tally.room_for(partition)
                    acknowledged[partition] += 1
                last[partition] = message.offset()
                return
            tally.fail(error.str())
            if error.code() not in ONE_TICKET_ONLY and not tally.broken:
                tally.broken = error.str()

        return answered


class ConfluentSender(_Client):
    """A `Sender`, as `counts` describes it."""

    def offer(self, messages: Sequence[tuple[bytes, bytes]]) -> int:
        """Queue as many of these (key, value) pairs as there is room for, and return how many."""
        produce, topic, answered = self._producer.produce, self._topic, self._answered
        taken = 0
        try:
            for key, value in messages:
                try:
                    produce(topic, value, key, ANY_PARTITION, answered)  # by position: by name takes half as long again
                except KafkaException as error:
                    answered(error.args[0], None)
                taken += 1
        except BufferError:
            pass  # no more room
        finally:
            self._tally.sent += taken
        return taken


@dataclass(frozen=True)
class Marked:
    """A message, perhaps with one header, and what to call with its partition and offset once it is acknowledged."""

    key: bytes | None
    value: bytes
    header: tuple[str, bytes] | None
    acknowledged: Callable[[int, int], None]


class MarkedSender(_Client):
    """A `Sender` of messages each of which hears where it stands."""

    def offer(self, messages: Sequence[Marked]) -> int:
        """Queue as many of these messages as there is room for, and return how many."""
        taken = 0
        try:
            for one in messages:
                report = self._report(one)
                try:
                    headers = [one.header] if one.header else None
                    self._producer.produce(self._topic, one.value, one.key, ANY_PARTITION, report, headers=headers)
                except KafkaException as error:
                    report(error.args[0], None)
                taken += 1
        except BufferError:
            pass  # no more room
        finally:
            self._tally.sent += taken
        return taken

    def _report(self, one: Marked) -> Any:
        def report(error: Any, message: Any) -> None:
            self._answered(error, message)
            if error is None:
                one.acknowledged(message.partition(), message.offset())

        return report
