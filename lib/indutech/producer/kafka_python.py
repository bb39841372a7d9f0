"""Sends with kafka-python, the client in pure Python: idempotent, with acks from all replicas."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
)
from kafka.partitioner import DefaultPartitioner

from indutech.kafka.connection import Broker, kafka_python_config
from indutech.kafka.readiness import BrokerNotReady
from indutech.producer.counts import Limits, Tally

# The client itself sets no limit on what waits in memory.
IN_FLIGHT_AT_MOST = 50_000
LINGER_MS = 20
SWEEPS_EVERY_S = 0.3
ONE_TICKET_ONLY = (MessageSizeTooLargeError, InvalidRecordError)


class KafkaPythonSender:
    """A `Sender`, as `counts` describes it."""

    def __init__(self, broker: Broker, topic: str, tally: Tally, limits: Limits) -> None:
        self._topic, self._tally = topic, tally
        self._waiting: deque[Any] = deque()
        self._swept = time.monotonic()
        try:
            self._producer = KafkaProducer(
                **kafka_python_config(broker),
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                batch_size=limits.batch_bytes,
                max_request_size=max(limits.message_bytes, 4 * limits.batch_bytes) + 4096,
                linger_ms=LINGER_MS,
                delivery_timeout_ms=round(limits.delivery_s * 1000),
                request_timeout_ms=round(limits.request_s * 1000),
                max_block_ms=round(limits.delivery_s * 1000),
                bootstrap_timeout_ms=round(limits.delivery_s * 1000),
                reconnect_backoff_max_ms=1000,
                partitioner=_CachedPartitioner(),
                metrics_enabled=False,  # nobody reads them, and each message would pay
            )
        except KafkaError as error:
            raise BrokerNotReady(
                f"The broker at {broker.bootstrap_servers} did not accept kafka-python ({error}). "
                "Check KAFKA_BOOTSTRAP_SERVERS and the security settings."
            ) from error

    def offer(self, messages: Sequence[tuple[bytes, bytes]]) -> int:
        """Queue as many of these (key, value) pairs as there is room for, and return how many."""
        taken = messages[: IN_FLIGHT_AT_MOST - len(self._waiting)]
        send, topic, remember = self._producer.send, self._topic, self._waiting.append
        for key, value in taken:
            try:
                remember(send(topic, value, key))
            except KafkaError as error:
                self._failed(error)
            self._tally.sent += 1
        return len(taken)

    def poll(self, wait_s: float) -> None:
        """Count the delivery reports that have come in; wait up to `wait_s` for one if there is none."""
        waiting, now = self._waiting, time.monotonic()
        while wait_s and waiting and not waiting[0].is_done and time.monotonic() < now + wait_s:
            time.sleep(0.002)
        while waiting and waiting[0].is_done:
            self._count(waiting.popleft())
        if waiting and now > self._swept + SWEEPS_EVERY_S:
            # The oldest may wait for its partition while those of other partitions have their report.
            self._swept = now
            self._waiting = deque(future for future in waiting if not (future.is_done and self._count(future)))

    def in_flight(self) -> int:
        """Return how many messages have no delivery report yet."""
        return len(self._waiting)

    def abandon(self) -> None:
        """Drop the messages without a delivery report and count them as failed."""
        self.close()
        self.poll(1.0)
        for _ in self._waiting:
            self._tally.fail("no delivery report from the broker when sending was stopped")
        self._waiting.clear()

    def close(self) -> None:
        """Close threads and connections."""
        try:
            self._producer.close(timeout=0)
        except KafkaTimeoutError:
            # It gives up on closing when something has no answer yet, and leaves its thread running.
            self._producer._sender.force_close()

    def _count(self, future: Any) -> bool:
        """Return True, so that it can be part of a condition."""
        if future.failed():
            self._failed(future.exception)
        else:
            at, tally = future.value, self._tally
            if at.partition >= len(tally.last):
                tally.room_for(at.partition)
            tally.acknowledged[at.partition] += 1
            tally.last[at.partition] = at.offset
        return True

    def _failed(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        self._tally.fail(reason)
        if not isinstance(error, ONE_TICKET_ONLY):
            self._tally.broken = self._tally.broken or reason


class _CachedPartitioner(DefaultPartitioner):  # type: ignore[misc]  # the library has no hints
    """The default partitioner (murmur2, like the Java client), which computes the partition of a key once."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[bytes, int], int] = {}

    def partition(
        self, topic: str, key: object, serialized_key: bytes, value: object, serialized_value: bytes, cluster: Any
    ) -> int:
        """Return the partition of a key, for the number of partitions that the topic has now."""
        known = serialized_key, len(cluster.partitions_for_topic(topic))
        if known not in self._partitions:
            self._partitions[known] = super().partition(topic, key, serialized_key, value, serialized_value, cluster)
        return self._partitions[known]
