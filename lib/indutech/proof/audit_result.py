"""What an audit found: counts per partition, the ranges that are wrong with their whereabouts, and one verdict."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from indutech.proof.history import Entry
from indutech.proof.ranges import Range

Kind = Literal["missing", "duplicate", "foreign"]
MEANING: dict[Kind, str] = {
    "missing": "the topic has a record there, the table has no row",
    "duplicate": "more than one row",
    "foreign": "rows that this topic cannot have given: a partition or an offset that it does not have",
}


@dataclass(frozen=True)
class PartitionAudit:
    """One partition, in offsets; ranges name their first and last offset, both included.

    `reached` is the offset up to which everything must be there. `gaps` have no record (transaction markers, aborted
    records); `expired` lie before the first row and are deleted from the topic; `unverifiable` are holes between rows,
    deleted from the topic, so that nobody can say any more whether there was a record.
    """

    partition: int
    start: int
    end: int
    reached: int
    rows: int
    dead_letters: int
    known: bool = True  # whether the topic has this partition
    missing: list[Range] = field(default_factory=list)
    duplicate: list[Range] = field(default_factory=list)
    foreign: list[Range] = field(default_factory=list)
    pending: list[Range] = field(default_factory=list)
    gaps: list[Range] = field(default_factory=list)
    expired: list[Range] = field(default_factory=list)
    unverifiable: list[Range] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """One range of offsets that is wrong: which, where it stands or should stand, and since when."""

    kind: Kind
    partition: int
    first: int
    last: int
    where: list[str]
    since: str


@dataclass(frozen=True)
class Audit:
    """What was found. Counts are offsets; `missing` and `duplicate` are their sums over the partitions."""

    topic: str
    topic_id: str
    told_by: str
    table: str
    shape: str
    columns: str
    version: str
    dead_letter: str
    audited_at: str
    rows: int
    dead_letters: int
    missing: int
    duplicate: int
    foreign: int
    pending: int
    gaps: int
    expired: int
    unverifiable: int
    rows_without_place: int
    recreated: str
    strict: bool
    partitions: list[PartitionAudit]
    findings: list[Finding]
    findings_not_named: int
    unreadable: dict[str, str]

    @property
    def exit_code(self) -> int:
        """0: each offset once. 1: missing, duplicate, foreign, unreadable or unplaced. 2: only something pending."""
        wrong = (self.missing, self.duplicate, self.foreign, self.rows_without_place, self.unreadable, self.recreated)
        if any(wrong):
            return 1
        return 2 if self.pending else 0

    @property
    def verdict(self) -> str:
        """The answer in a few words."""
        return {0: "proven", 1: "not proven", 2: "proven as far as it was stored"}[self.exit_code]

    @property
    def sentence(self) -> str:
        """The audit in one line."""
        counts = {
            "dead letters": self.dead_letters,
            "foreign": self.foreign,
            "pending": self.pending,
            "gaps": self.gaps,
            "expired": self.expired,
            "unverifiable": self.unverifiable,
            "rows without partition or offset": self.rows_without_place,
            "unreadable": len(self.unreadable),
        }
        more = "".join(f", {count:,} {name}" for name, count in counts.items() if count)
        return f"{self.rows:,} rows, {self.missing:,} missing, {self.duplicate:,} duplicate{more}"

    def as_dict(self) -> dict[str, Any]:
        """The audit as JSON prints it."""
        return {"exit_code": self.exit_code, "verdict": self.verdict, **asdict(self)}


def entry_of(audit: Audit) -> Entry:
    """What the history keeps of an audit."""

    def kept(name: str) -> Mapping[str, list[Range]]:
        return {str(part.partition): getattr(part, name) for part in audit.partitions if getattr(part, name)}

    return Entry(
        audited_at=audit.audited_at,
        topic=audit.topic,
        topic_id=audit.topic_id,
        table=audit.table,
        version=audit.version,
        sentence=audit.sentence,
        exit_code=audit.exit_code,
        reached={str(part.partition): part.reached for part in audit.partitions},
        missing=kept("missing"),
        duplicate=kept("duplicate"),
        foreign=kept("foreign"),
        gaps=kept("gaps"),
    )
