"""Offsets that the broker deleted before they were stored: the stream stops and names them, or goes on and notes them.

Whoever goes on says so (`indutech stream --accept-expired`); the ranges are then kept in `expired.json` beside the
lake, and a reconciliation counts them as expired rather than lost.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class OffsetsExpired(InduTechError):
    """The broker has deleted messages that were not stored yet, or the note of those is damaged."""


@dataclass(frozen=True)
class Expired:
    """One range of offsets, first and last included, and when somebody accepted that it is gone."""

    partition: int
    first: int
    last: int
    accepted_at: str = ""

    def __str__(self) -> str:
        return f"partition {self.partition}, offsets {self.first:,} to {self.last:,}"


def expired_file(settings: Settings) -> LakePath:
    """Where accepted ranges are kept."""
    return files.root(settings) / "expired.json"


def find(settings: Settings, known: Identity, topic_starts: Mapping[int, int]) -> list[Expired]:
    """The offsets between the last one that is committed and the first one that the broker still has."""
    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(known.topic)
    found = []
    for partition, start in sorted(topic_starts.items()):
        next_wanted = committed.get(partition, known.first_offset(partition))
        if start > next_wanted:
            found.append(Expired(partition, next_wanted, start - 1))
    return found


def refuse(settings: Settings, found: Sequence[Expired]) -> None:
    """Stop the stream if any offset has expired that nobody has accepted yet.

    Raises:
        OffsetsExpired: it names each range.
    """
    if not found:  # then the note need not be read: the store may be what has failed
        return
    noted = {(one.partition, one.first, one.last) for one in accepted(settings)}
    new = [one for one in found if (one.partition, one.first, one.last) not in noted]
    if new:
        count = sum(one.last - one.first + 1 for one in new)
        raise OffsetsExpired(
            f"The broker has deleted {count:,} messages that were not stored yet: {'; '.join(map(str, new))}. They are "
            "lost, and nothing else is: raise retention.ms or retention.bytes of the topic, then go on with "
            "`indutech stream --accept-expired`, which notes them for the proof."
        )


def accept(settings: Settings, found: Sequence[Expired]) -> None:
    """Note these ranges as gone."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    kept = {(one.partition, one.first, one.last): one for one in accepted(settings)}
    for one in found:
        kept.setdefault((one.partition, one.first, one.last), Expired(one.partition, one.first, one.last, now))
    files.write_json(expired_file(settings), {"expired": [asdict(one) for one in kept.values()]})


def accepted(settings: Settings) -> list[Expired]:
    """The ranges that somebody has accepted.

    Raises:
        OffsetsExpired: the note is there and cannot be read.
    """
    path = expired_file(settings)
    try:
        return [Expired(**one) for one in json.loads(path.read_text())["expired"]]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        raise OffsetsExpired(
            f"The note of expired offsets {path} cannot be read ({error}): restore it from a copy."
        ) from error
