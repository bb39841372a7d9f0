"""What one run of the producer has sent and heard back, and what a client must offer to be counted by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

ERRORS_KEPT = 20


@dataclass
class Tally:
    """Counts of one run; the lists have one entry per partition."""

    partitions: int
    sent: int = 0
    failed: int = 0
    acknowledged: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)  # last acknowledged offset, -1 before the first
    errors: list[str] = field(default_factory=list)  # the first few distinct reasons of failures
    broken: str = ""  # why it is no use to go on

    def __post_init__(self) -> None:
        self.acknowledged = self.acknowledged or [0] * self.partitions
        self.last = self.last or [-1] * self.partitions

    def room_for(self, partition: int) -> None:
        """Make room for a partition that the topic was given during the run."""
        while len(self.last) <= partition:
            self.last.append(-1)
            self.acknowledged.append(0)

    def fail(self, reason: str) -> None:
        """Count one ticket that the broker did not acknowledge, and remember the reason."""
        self.failed += 1
        if reason not in self.errors and len(self.errors) < ERRORS_KEPT:
            self.errors.append(reason)


@dataclass(frozen=True)
class Limits:
    """How large and how late things may be."""

    message_bytes: int  # key and value of one message, as the topic accepts them
    delivery_s: float  # until a message that was not acknowledged counts as failed
    request_s: float

    @property
    def batch_bytes(self) -> int:
        """The largest batch, before compression, that the topic accepts for certain."""
        return min(1 << 20, self.message_bytes)


class Sender(Protocol):
    """A Kafka client that sends in the background and tells a tally what became of it."""

    def offer(self, messages: Sequence[tuple[bytes, bytes]]) -> int:
        """Take as many of these (key, value) as there is room for, and return how many."""

    def settle(self, wait_s: float) -> None:
        """Count the answers that came in; wait so long for one if there is none."""

    def unsettled(self) -> int:
        """Return how many messages have no answer yet."""

    def abandon(self) -> None:
        """Give up on what has no answer: it is counted as failed."""

    def close(self) -> None:
        """Free threads and connections."""
