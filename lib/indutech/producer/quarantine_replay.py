"""Sends messages of the quarantine again, each once however often it is called or killed, if they are tickets now.

Before it sends, it writes to the log of `lake.replay_log` where the topic ends. A run that finds such a plan unfinished
reads the topic from there on and writes down what had been sent; only then does it send anything itself.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Self

from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.kafka.topics import Topic
from indutech.lake import identity, quarantine, replay_log
from indutech.lake.quarantine import Place, Refused, Selection
from indutech.lake.replay_log import HEADER, Replayed, ReplayLog
from indutech.producer.audit_log import AuditWriter
from indutech.producer.confluent import Marked, MarkedSender
from indutech.producer.counts import Limits, Tally
from indutech.producer.pacing import Run
from indutech.producer.produce import SendingBroke
from indutech.system import progress as progress_display
from indutech.system.progress import Position
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets.product import Product
from indutech.tickets.strict_json import Rejected

Mend = Callable[[bytes | None], bytes | Rejected | None]
PLANNED_AT_ONCE = 5_000
REFUSALS_KEPT = 20
# A request that a killed run had handed to the network may reach the topic after its end. A broker works off in
# milliseconds what it has received; see docs/decisions/0026 for one that is frozen at that very moment.
SETTLES_S = 0.5


@dataclass(frozen=True)
class StillRefused:
    """A selected message that is no ticket, today and after mending; its reason is the one of today."""

    partition: int
    offset: int
    reason: str


@dataclass
class ReplayResult:
    """What one run did: `selected` = `acknowledged` + `before` + `refused` + `failed`, and what a stop left over.

    `recovered` of `before` had been sent by a run that was killed, and were found in the topic by their header.
    """

    topic: str
    selected: int = 0
    acknowledged: int = 0
    before: int = 0
    recovered: int = 0
    failed: int = 0
    refused: int = 0
    refused_reasons: dict[str, int] = field(default_factory=dict)  # how often each
    still_refused: list[StillRefused] = field(default_factory=list)  # the first few
    errors: list[str] = field(default_factory=list)
    stopped: bool = False
    dry_run: bool = False

    @property
    def complete(self) -> bool:
        """Tell whether every selected message was sent again, by this run or an earlier one."""
        return self.acknowledged + self.before == self.selected

    @property
    def sentence(self) -> str:
        """The run in one line."""
        done = "would be sent again" if self.dry_run else f"sent again and acknowledged by topic {self.topic}"
        said = [f"{self.acknowledged:,} of {self.selected:,} selected messages {done}"]
        said += [f"{self.before:,} had been sent again before"] if self.before else []
        said += [f"{self.recovered:,} of a run that was killed, found in the topic"] if self.recovered else []
        said += [f"{self.refused:,} still refused"] if self.refused else []
        said += [f"{self.failed:,} failed"] if self.failed else []
        return ("Stopped early: " if self.stopped else "") + "; ".join(said) + "."

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON prints it."""
        return asdict(self)


def replay(
    settings: Settings,
    broker: Broker,
    selection: Selection,
    *,
    mend: Mend = lambda value: value,
    dry_run: bool = False,
    progress: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> ReplayResult:
    """Send the selected messages that are tickets now and were not sent again yet; `dry_run` only says which.

    Args:
        mend: returns the bytes to send for the bytes as received, or why they cannot be mended.

    Raises:
        SecondReplay: another process replays messages of this quarantine.
        ReplayLogDamaged: the log of replayed messages cannot be read or written.
        LakeIdentityMismatch: lake and topic do not belong together.
        SendingBroke: the broker stopped acknowledging; the next call goes on where this one stopped.
        AuditRefused: the audit in the data folder is of another topic.
        RightMissing: the user of the settings may not write to the topic.
    """
    topic = topics.ensure_topic(broker, settings)
    topics.refuse_without("WRITE", broker, topic)
    identity.check(settings, topic)
    result = ReplayResult(settings.topic, dry_run=dry_run)

    def position() -> Position:
        return Position("Replaying", result.acknowledged + result.before + result.refused, None, "looked at")

    with ExitStack() as stack:
        log = stack.enter_context(replay_log.sole_replay(settings))
        known = _recovered(settings, broker, topic, log, result)
        sending = None if dry_run else stack.enter_context(_Sending(settings, broker, topic, log, result, stop))
        stack.enter_context(progress_display.shown(position, wanted=progress))
        selected = quarantine.messages(settings, selection)
        while (chunk := list(islice(selected, PLANNED_AT_ONCE))) and not result.stopped:
            mended = dict(_right(products.of(settings), chunk, known, mend, result))
            if sending is None:
                result.acknowledged += len(mended)
            elif mended:
                sending.send(mended)
    return result


def _recovered(settings: Settings, broker: Broker, topic: Topic, log: ReplayLog, result: ReplayResult) -> Replayed:
    """Return what was sent again so far; what a killed run had sent is looked up in the topic, and written down."""
    known = replay_log.read(settings)
    if not replay_log.log_file(settings).exists() and (lake := identity.read(settings)):
        # Never replayed, or the log is gone with an earlier lake: the headers in the topic tell.
        known.unfinished_since = dict(lake.start_offsets)
    if known.unfinished_since is not None:
        time.sleep(SETTLES_S)
        topics.refuse_without("READ", broker, topic)
        there = replay_log.in_topic(broker, topic, known.unfinished_since)
        found = {origin: place for origin, place in there.items() if origin not in known.places}
        log.replayed(found, finished=True)
        known.places |= found
        result.recovered = len(found)
    return known


def _right(
    product: Product[Any], chunk: Sequence[Refused], known: Replayed, mend: Mend, result: ReplayResult
) -> Iterator[tuple[Place, tuple[bytes, bytes]]]:
    """Yield place, key and bytes of what is to be sent; count the others."""
    for message in chunk:
        result.selected += 1
        if message.place in known.places:
            result.before += 1
            continue
        value = mend(message.value)
        row = value if isinstance(value, Rejected) else product.validate(value)
        if isinstance(row, Rejected) or not isinstance(value, bytes):
            _count_refused(message.place, row.reason if isinstance(row, Rejected) else "null value", result)
        else:
            yield message.place, (product.key_of(row), value)


def _count_refused(place: Place, reason: str, result: ReplayResult) -> None:
    result.refused += 1
    result.refused_reasons[reason] = result.refused_reasons.get(reason, 0) + 1
    if len(result.still_refused) < REFUSALS_KEPT:
        result.still_refused.append(StillRefused(place.partition, place.offset, reason))


class _Sending:
    """The part of a run that sends: one client and one entry in the audit for all that it sends."""

    def __init__(
        self,
        settings: Settings,
        broker: Broker,
        topic: Topic,
        log: ReplayLog,
        result: ReplayResult,
        stop: Callable[[], bool],
    ) -> None:
        self._settings, self._broker, self._topic = settings, broker, topic
        self._log, self._result, self._stop = log, result, stop
        self._tally = Tally(topic.partitions)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        ends = topics.end_offsets(self._broker, self._topic.name)
        limits = Limits.of(self._topic.config, self._settings.broker_timeout_s)
        with ExitStack() as stack:
            audit = AuditWriter(self._settings, self._topic, ends, self._tally, seed=None)
            self._audit_writer = stack.enter_context(audit)
            sender = MarkedSender(self._broker, self._topic.name, self._tally, limits)
            self._sender = stack.enter_context(closing(sender))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def send(self, mended: Mapping[Place, tuple[bytes, bytes]]) -> None:
        """Send these messages, wait for their delivery reports and write down where they stand.

        Raises:
            SendingBroke: the broker stopped acknowledging.
        """
        landed: dict[Place, Place] = {}
        messages = [self._marked(place, *message, landed) for place, message in mended.items()]
        self._log.plan(topics.end_offsets(self._broker, self._topic.name))
        run = Run(self._sender, self._tally, self._audit_writer, self._stop, self._settings.broker_timeout_s)
        failed = self._tally.failed
        try:
            run.send(iter([messages]), None)
        finally:
            # After a stop or a timeout a message may have arrived without a delivery report: the next run looks.
            self._log.replayed(landed, finished=not run.stopped and not self._tally.broken)
            self._result.acknowledged += len(landed)
            self._result.failed += self._tally.failed - failed
            self._result.errors = self._tally.errors
            self._result.stopped = run.stopped
        if self._tally.broken and not run.stopped:
            raise SendingBroke(
                f"The broker at {self._broker.bootstrap_servers} stopped acknowledging ({self._tally.broken}): "
                f"{self._result.acknowledged:,} messages were sent again. See that it is up, then run the same "
                "command again: it sends none of them twice."
            )

    def _marked(self, place: Place, key: bytes, value: bytes, landed: dict[Place, Place]) -> Marked:
        def acknowledged(partition: int, offset: int) -> None:
            landed[place] = Place(partition, offset)

        return Marked(key, value, (HEADER, replay_log.header_value(self._topic, place)), acknowledged)
