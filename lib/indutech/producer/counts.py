"""The counts of one run of the producer, and the interface that a Kafka client needs to update them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

ERRORS_KEPT = 20
MESSAGE_BYTES = 1_048_588  # Kafka's default for max.message.bytes
MESSAGE_OVERHEAD = 200  # headers of the batch and of the record

M_contra = TypeVar("M_contra", contravariant=True)


@dataclass
class Tally:
    """Counts of one run; the lists have one entry per partition."""

    partitions: int
    sent: int = 0
    failed: int = 0
    acknowledged: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)  # last acknowledged offset, -1 before the first
    errors: list[str] = field(default_factory=list)  # the first few distinct reasons of failures
    broken: str = ""  # the error that makes it useless to continue

    def __post_init__(self) -> None:
        self.acknowledged = self.acknowledged or [0] * self.partitions
        self.last = self.last or [-1] * self.partitions

    def room_for(self, partition: int) -> None:
        """Add counters for a partition that was added to the topic during the run."""
        while len(self.last) <= partition:
            self.last.append(-1)
            self.acknowledged.append(0)

    def fail(self, reason: str) -> None:
        """Count one ticket that was not delivered, and keep the reason."""
        self.failed += 1
        if reason not in self.errors and len(self.errors) < ERRORS_KEPT:
            self.errors.append(reason)


@dataclass(frozen=True)
class Limits:
    """Limits on sizes and times."""

    message_bytes: int  # largest key and value together that the topic accepts
    delivery_s: float  # a message without a delivery report by then has failed
    request_s: float

    @classmethod
    def of(cls, config: Mapping[str, str], broker_timeout_s: float) -> Self:
        """Return the limits that follow from the settings of a topic, and from how long a broker is waited for."""
        accepted = int(config.get("max.message.bytes", MESSAGE_BYTES)) - MESSAGE_OVERHEAD
        # Three broker timeouts: a broker that pauses for one of them is waited for.
        return cls(accepted, delivery_s=3 * broker_timeout_s, request_s=broker_timeout_s)

    @property
    def batch_bytes(self) -> int:
        """The largest batch, before compression, that the topic accepts for certain."""
        return min(1 << 20, self.message_bytes)


class Sender(Protocol[M_contra]):
    """A Kafka client that sends in the background and adds the delivery reports to a tally."""

    def offer(self, messages: Sequence[M_contra]) -> int:
        """Queue as many of these messages as there is room for, and return how many."""

    def poll(self, wait_s: float) -> None:
        """Count the delivery reports that have come in; wait up to `wait_s` for one if there is none."""

    def in_flight(self) -> int:
        """Return how many messages have no delivery report yet."""

    def abandon(self) -> None:
        """Drop the messages without a delivery report and count them as failed."""

    def close(self) -> None:
        """Close threads and connections."""
