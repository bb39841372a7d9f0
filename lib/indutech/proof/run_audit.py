"""Runs an audit: opens the tables, counts them, asks the topic in the right order, keeps the history."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from indutech.kafka.broker import Broker
from indutech.proof import audit_result, counting, history, table_audit, topic_side
from indutech.proof.audit_result import Audit
from indutech.proof.sources import opening
from indutech.proof.sources.columns import Columns
from indutech.proof.sources.unit import Source, TableUnreadable, UnitVanished
from indutech.proof.table_audit import Rules
from indutech.proof.topic_side import TopicSide

_TRIES = 5


@dataclass(frozen=True)
class Question:
    """What is to be audited."""

    table: str
    topic: str
    columns: Columns | None = None
    dead_letter: str | None = None
    group: str | None = None
    history: Path | None = None
    rules: Rules = field(default_factory=Rules)


def against(question: Question, broker: Broker, at: datetime) -> Audit:
    """Audit against the topic as this broker has it.

    Raises:
        TableUnreadable: a table cannot be opened, or its files vanish faster than they are read.
        TopicUnknown: the topic is not there.
    """
    # What the group has committed must be in a table opened later; the end of the topic is asked last of all.
    topic_side.described(broker, question.topic)
    committed = topic_side.ask_group(broker, question.topic, question.group) if question.group else None
    return _run(question, lambda: topic_side.ask(broker, question.topic, committed), at)


def offline(question: Question, ranges: str, at: datetime) -> Audit:
    """Audit against offsets said by hand, `PARTITION:START:END[:COMMITTED]`.

    Raises:
        TableUnreadable: a table cannot be opened, or its files vanish faster than they are read.
        TopicUnknown: the ranges cannot be understood.
    """
    side = topic_side.by_hand(question.topic, ranges)
    return _run(question, lambda: side, at)


def _run(question: Question, side: Callable[[], TopicSide], at: datetime) -> Audit:
    past = history.read(question.history, question.table, question.topic)
    for _ in range(_TRIES):
        try:
            audit = _once(question, side, at, past)
        except UnitVanished as error:
            vanished = error  # compacted or expired after it was listed: the new list has its successor
            continue
        past.append(audit_result.entry_of(audit))
        return audit
    raise TableUnreadable(
        f"Files of {question.table} are deleted faster than they can be read, the last one {vanished}: "
        "audit when no compaction runs."
    )


def _once(question: Question, side: Callable[[], TopicSide], at: datetime, past: history.History) -> Audit:
    table = opening.open_source(question.table, question.columns, question.topic)
    aside = _dead_letter(question)
    counted = counting.count([*table.units, *(aside.units if aside else [])])
    return table_audit.conclude(counted, table, side(), at=at, rules=question.rules, dead_letter=aside, history=past)


def _dead_letter(question: Question) -> Source | None:
    """The dead letters, if there are any; their columns may be the table's, or others."""
    if not question.dead_letter:
        return None
    try:
        return opening.open_source(question.dead_letter, question.columns, question.topic, "dead_letter")
    except TableUnreadable:
        if question.columns is None:
            raise
    return opening.open_source(question.dead_letter, None, question.topic, "dead_letter")
