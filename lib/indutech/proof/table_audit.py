"""The audit of any table against any topic, offset by offset.

Per partition, the table and its dead letters must hold each offset from the topic's start to the newest row exactly
once. Newer offsets are pending; those that the topic has deleted already, or never gave to a record, are no loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from indutech.proof import counting, ranges
from indutech.proof.audit_result import Audit, Finding, Kind, PartitionAudit
from indutech.proof.counting import Counted
from indutech.proof.history import Entry, History
from indutech.proof.ranges import Range
from indutech.proof.sources.unit import Ints, Source
from indutech.proof.topic_side import TopicSide
from indutech.proof.whereabouts import where_from, where_missing

_FINDINGS_NAMED = 100
_TAIL_ASKED = 100_000


@dataclass(frozen=True)
class Rules:
    """What the user says of the table: what counts as wrong, beyond what the offsets say."""

    complete: bool = False  # nothing may be pending: whatever wrote the table has come to its end
    from_first_row: bool = False  # the table began in the middle of the topic, on purpose
    strict: bool = False  # what cannot be verified any more counts as missing


def conclude(
    counted: Counted,
    table: Source,
    side: TopicSide,
    *,
    at: datetime,
    rules: Rules | None = None,
    dead_letter: Source | None = None,
    history: History | None = None,
) -> Audit:
    """Compare what was counted with what the topic has, name what is wrong, and look up since when."""
    rules, history = rules or Rules(), history or History(None, [])
    rows, dead_letters = counted.rows("table"), counted.rows("dead_letter")
    past = history.newest_of(side.topic_id)
    partitions = [
        _partition(p, counted, side, rules, past, rows.get(p, 0), dead_letters.get(p, 0)) for p in sorted(side.end)
    ]
    partitions += [
        PartitionAudit(p, 0, 0, 0, rows.get(p, 0), dead_letters.get(p, 0), known=False, foreign=ranges.listed(held))
        for p, held in sorted(counted.held.items())
        if p not in side.end
    ]
    named, not_named = _findings(partitions, counted, history, side.topic_id)
    sums = {
        name: sum(ranges.size(getattr(p, name)) for p in partitions)
        for name in ("missing", "duplicate", "foreign", "pending", "gaps", "expired", "unverifiable")
    }
    return Audit(
        topic=side.topic,
        topic_id=side.topic_id,
        told_by=side.told_by,
        table=table.name,
        shape=table.shape,
        columns=table.columns,
        version=table.version,
        dead_letter=dead_letter.name if dead_letter else "",
        audited_at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        rows=sum(rows.values()),
        dead_letters=sum(dead_letters.values()),
        **sums,
        rows_without_place=counted.rows_without_place,
        recreated=_recreated(partitions, history, side.topic_id),
        strict=rules.strict,
        partitions=partitions,
        findings=named,
        findings_not_named=not_named,
        unreadable={unit.described: why for unit, why in counted.unreadable.items()},
    )


def _partition(
    p: int, counted: Counted, side: TopicSide, rules: Rules, past: Entry | None, rows: int, dead_letters: int
) -> PartitionAudit:
    start, end = side.start[p], side.end[p]
    everything = counted.held.get(p, ranges.NONE)
    held = ranges.clipped(everything, 0, end)
    lowest = int(held[0, 0]) if len(held) else None
    newest = int(held[-1, 1]) + 1 if len(held) else start
    reached = end if rules.complete else max(newest, min(end, side.committed.get(p, 0)))
    must_begin = max(start, lowest) if rules.from_first_row and lowest is not None else start
    missing = ranges.listed(ranges.without(held, must_begin, max(reached, must_begin)))
    lost, gaps = side.told_apart(p, missing) if side.told_apart else (missing, [])
    pending, more_gaps = _tail(p, held, reached, side)
    # Below the topic's start the broker has no answer any more; an earlier audit may have one.
    before = ranges.listed(ranges.without(held, 0, min(start, lowest) if lowest is not None else start))
    holes = ranges.without(held, lowest, start) if lowest is not None and lowest < start else ranges.NONE
    if past and len(holes):
        lost = ranges.listed(ranges.shared(past.missing_of(p), holes)) + lost
        gaps = ranges.listed(ranges.shared(past.gaps_of(p), holes)) + gaps
        holes = ranges.apart(ranges.apart(holes, past.missing_of(p)), past.gaps_of(p))
    if rules.strict:
        lost, holes = ranges.listed(ranges.array(lost + ranges.listed(holes))), ranges.NONE
    return PartitionAudit(
        partition=p,
        start=start,
        end=end,
        reached=reached,
        rows=rows,
        dead_letters=dead_letters,
        missing=lost,
        duplicate=ranges.listed(ranges.clipped(counted.repeated.get(p, ranges.NONE), 0, end)),
        foreign=ranges.listed(ranges.clipped(everything, high=0)) + ranges.listed(ranges.clipped(everything, low=end)),
        pending=pending,
        gaps=gaps + more_gaps,
        expired=[] if rules.from_first_row else before,
        unverifiable=ranges.listed(holes),
    )


def _tail(p: int, held: Ints, reached: int, side: TopicSide) -> tuple[list[Range], list[Range]]:
    """What is not stored yet; the last transaction's marker is never stored and must not stay pending for ever."""
    pending = ranges.listed(ranges.without(held, reached, side.end[p]))
    stable = side.stable.get(p, side.end[p])
    asked = ranges.listed(ranges.without(held, reached, min(stable, side.end[p])))
    if not side.told_apart or ranges.size(asked) > _TAIL_ASKED:
        return pending, []
    _, gaps = side.told_apart(p, asked)
    return ranges.listed(ranges.apart(ranges.array(pending), ranges.array(gaps))), gaps


def _findings(
    partitions: Sequence[PartitionAudit], counted: Counted, history: History, topic_id: str
) -> tuple[list[Finding], int]:
    kinds: tuple[Kind, ...] = ("missing", "duplicate", "foreign")
    wrong: list[tuple[Kind, int, Range]] = [
        (kind, part.partition, one) for kind in kinds for part in partitions for one in getattr(part, kind)
    ]
    named = {kind: [one for one in wrong if one[0] == kind][:_FINDINGS_NAMED] for kind in kinds}
    asked: dict[int, list[Range]] = {}
    for _, p, one in named["duplicate"] + named["foreign"]:
        asked.setdefault(p, []).append(one)
    held_by = counting.holders(counted, asked)
    found = [
        Finding(
            kind,
            p,
            *one,
            where=where_missing(counted, p, one) if kind == "missing" else where_from(held_by[p, one]),
            since=history.since(kind, p, one, topic_id),
        )
        for kind in kinds
        for _, p, one in named[kind]
    ]
    return found, len(wrong) - len(found)


def _recreated(partitions: Sequence[PartitionAudit], history: History, topic_id: str) -> str:
    """A sentence if the topic is not the one whose records the table holds."""
    if (before := history.newest) and before.topic_id and topic_id and before.topic_id != topic_id:
        return (
            f"The topic has another id ({topic_id}) than at the audit of {before.audited_at} ({before.topic_id}): "
            "it was deleted and made again, and the table may hold records of both."
        )
    existing = [part.partition for part in partitions if part.known and any(low >= part.end for low, _ in part.foreign)]
    if existing:
        return (
            f"The table has offsets that lie beyond the end of the topic (partition {', '.join(map(str, existing))}): "
            "the topic was deleted and made again, or this is another topic."
        )
    return ""
