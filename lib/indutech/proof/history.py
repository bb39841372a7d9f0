"""The history of audits, one JSON line each: since when something is wrong, and what was known before it expired."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indutech.proof import ranges
from indutech.proof.ranges import Range
from indutech.proof.sources.unit import Ints
from indutech.system.errors import InduTechError

Kept = Mapping[str, Sequence[Range]]


class HistoryUnreadable(InduTechError):
    """The file is there and is no history of audits."""


@dataclass(frozen=True)
class Entry:
    """One audit; partitions are text because JSON wants it so."""

    audited_at: str
    topic: str
    topic_id: str
    table: str
    version: str
    sentence: str
    exit_code: int
    reached: Mapping[str, int] = field(default_factory=dict)
    missing: Kept = field(default_factory=dict)
    duplicate: Kept = field(default_factory=dict)
    foreign: Kept = field(default_factory=dict)
    gaps: Kept = field(default_factory=dict)

    def missing_of(self, partition: int) -> Ints:
        """What was missing then."""
        return _array(self.missing, partition)

    def gaps_of(self, partition: int) -> Ints:
        """What was known then to be no record."""
        return _array(self.gaps, partition)

    def had(self, kind: str, partition: int, one: Range) -> bool:
        """Whether any offset of the range was wrong in this way."""
        return len(ranges.clipped(_array(getattr(self, kind), partition), one[0], one[1] + 1)) > 0


@dataclass(frozen=True)
class History:
    """Earlier audits of one table and topic, oldest first."""

    file: Path | None
    entries: list[Entry]

    @property
    def newest(self) -> Entry | None:
        """The last audit, whichever topic of that name it saw."""
        return self.entries[-1] if self.entries else None

    def newest_of(self, topic_id: str) -> Entry | None:
        """The last audit if it saw this very topic; what it knew of another one is worth nothing."""
        return self.newest if self.newest and self.newest.topic_id == topic_id else None

    def since(self, kind: str, partition: int, one: Range, topic_id: str) -> str:
        """Since when a range is wrong, as far as the history goes."""
        same = [entry for entry in self.entries if entry.topic_id == topic_id]
        if not same:
            return ""
        wrong: Entry | None = None
        for entry in reversed(same):
            if not entry.had(kind, partition, one):
                then = _then(entry, kind, partition, one)
                return f"{f'seen since {wrong.audited_at}, ' if wrong else 'new: '}{then} at {entry.audited_at}"
            wrong = entry
        return f"seen since {same[0].audited_at}, the first audit"

    def append(self, entry: Entry) -> None:
        """Write one more line."""
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(entry)) + "\n")


def read(file: Path | None, table: str, topic: str) -> History:
    """The earlier audits of this table and topic; one file may hold those of several.

    Raises:
        HistoryUnreadable: a line is none of ours.
    """
    if file is None or not file.exists():
        return History(file, [])
    entries = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise HistoryUnreadable(
                f"Line {number} of {file} is no audit: take the line out, or name another file with --history."
            ) from error
        if (entry.table, entry.topic) == (table, topic):
            entries.append(entry)
    return History(file, entries)


def _array(kept: Kept, partition: int) -> Ints:
    return ranges.array((low, high) for low, high in kept.get(str(partition), []))


def _then(entry: Entry, kind: str, partition: int, one: Range) -> str:
    if kind != "missing":
        return f"not {kind}"
    return "stored" if one[0] < entry.reached.get(str(partition), 0) else "pending"
