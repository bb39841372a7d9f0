"""The audit: a JSON file with what all runs of the producer sent and the broker acknowledged, per partition.

For each partition it has the offset at which the audit began, the number of acknowledged tickets and the last
acknowledged offset. A producer that was killed leaves tickets at the broker whose delivery report it did not write
down: the next start finds them there and counts them as `recovered`. Records that another program sent to the topic
are counted the same way; those that were there before the audit began are not.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from indutech.kafka.topics import Topic
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

SEEDS_KEPT = 50


class AuditRefused(InduTechError):
    """The audit cannot be read, cannot be written, or belongs to another topic."""


@dataclass(frozen=True)
class PartitionAudit:
    """What is known of one partition; `first` is the offset at which the audit began."""

    first: int
    last_acknowledged: int | None = None  # by a delivery report, or found at the broker after a run was killed
    acknowledged: int = 0
    recovered: int = 0

    def with_news(self, acknowledged: int, last: int) -> Self:
        """Add the delivery reports since the last call; `last` is -1 if there were none."""
        return replace(
            self, acknowledged=self.acknowledged + acknowledged, last_acknowledged=_later(self.last_acknowledged, last)
        )

    def with_recovered(self, end: int) -> Self:
        """Count the records up to the end offset that have no delivery report."""
        recovered = max(0, end - self.first - self.acknowledged)
        last = end - 1 if recovered else -1
        return replace(self, recovered=recovered, last_acknowledged=_later(self.last_acknowledged, last))


@dataclass(frozen=True)
class Audit:
    """All runs of the producer into one topic, added up.

    `sent` was handed to the client; `failed` was refused, or not acknowledged in time; `recovered` was found at the
    broker without a delivery report. `generated` and `replayed` split `sent` by origin.
    """

    topic: str
    topic_id: str
    cluster_id: str
    sent: int = 0
    failed: int = 0
    generated: int = 0
    replayed: int = 0
    runs: int = 0
    seeds: tuple[int, ...] = ()
    started_at: str = ""
    updated_at: str = ""
    partitions: Mapping[int, PartitionAudit] = field(default_factory=dict)

    @property
    def acknowledged(self) -> int:
        """Tickets with a delivery report."""
        return sum(partition.acknowledged for partition in self.partitions.values())

    @property
    def recovered(self) -> int:
        """Tickets found at the broker for which no run has a delivery report."""
        return sum(partition.recovered for partition in self.partitions.values())

    @property
    def last_acknowledged(self) -> dict[int, int]:
        """Partition → the last acknowledged offset; a partition without one is left out."""
        known = {number: partition.last_acknowledged for number, partition in self.partitions.items()}
        return {number: last for number, last in known.items() if last is not None}

    def belongs_to(self, topic: Topic) -> bool:
        """Tell whether this is the audit of that very topic: a recreated one has the same name and another id."""
        return (self.topic, self.topic_id, self.cluster_id) == (topic.name, topic.topic_id, topic.cluster_id)

    def as_dict(self) -> dict[str, Any]:
        """Return the audit as its file holds it, with the sums that follow from the partitions."""
        fields = asdict(self)
        partitions = fields.pop("partitions")
        return {**fields, "acknowledged": self.acknowledged, "recovered": self.recovered, "partitions": partitions}


def new_audit(topic: Topic, ends: Mapping[int, int]) -> Audit:
    """Return the audit of a topic into which nothing was sent from here yet."""
    return Audit(
        topic=topic.name,
        topic_id=topic.topic_id,
        cluster_id=topic.cluster_id,
        started_at=now(),
        partitions={number: PartitionAudit(first=end) for number, end in sorted(ends.items())},
    )


def read_audit(settings: Settings) -> Audit | None:
    """Return the audit of this data folder, or None if nothing was ever sent from it.

    Raises:
        AuditRefused: the file is there but cannot be read.
    """
    try:
        fields = json.loads(settings.audit_file.read_text("utf-8"))
        fields = {name: fields[name] for name in Audit.__dataclass_fields__}
        partitions = {int(number): PartitionAudit(**one) for number, one in fields.pop("partitions").items()}
        return Audit(**{**fields, "seeds": tuple(fields["seeds"]), "partitions": partitions})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AuditRefused(
            f"The audit {settings.audit_file} cannot be read ({type(error).__name__}: {error}). "
            "Restore it from a copy, or use another INDUTECH_DATA_DIR."
        ) from error


def now() -> str:
    """Return the time of day as the audit writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _later(known: int | None, last: int) -> int | None:
    return known if last < 0 else max(last, -1 if known is None else known)
