"""Sends messages to the broker, generated or replayed from a file, and keeps the audit."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.producer.audit_log import AuditWriter
from indutech.producer.counts import Limits, Sender, Tally
from indutech.producer.pacing import Run
from indutech.producer.replay import Replay
from indutech.system import progress as progress_display
from indutech.system.errors import InduTechError
from indutech.system.progress import Position
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets.files import AS_IT_SAYS, Reading, ReplayRefused

DEFAULT_COUNT = 20_000
CHUNK = 1_000  # messages handed over at once


class SendingBroke(InduTechError):
    """The broker stopped acknowledging; what it had acknowledged is in the audit."""


@dataclass(frozen=True)
class ProduceResult:
    """What one run sent; `seed` is None for a replay, and `bad_lines` were not tickets and so not sent.

    Of a replay, each of the `rows_read` was sent or is one of the bad lines; `unaccounted` is what is left, which is 0
    unless the run was stopped.
    """

    topic: str
    product: str
    sent: int
    acknowledged: int
    failed: int
    seed: int | None
    seconds: float
    tickets_per_s: int
    partitions: dict[int, dict[str, int | None]]
    recovered: int = 0  # found at the broker at the start: sent by a run that was killed, or by another program
    bad_lines: int = 0
    bad_lines_file: str | None = None
    rows_read: int | None = None  # of the file; None for generated tickets
    unaccounted: int = 0
    notes: list[str] = field(default_factory=list)  # about the file as a whole
    stopped: bool = False  # by a signal, before all was sent
    errors: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Tell whether everything that was asked for is at the broker, up to where it was stopped."""
        return not self.failed and not self.bad_lines and (self.stopped or not self.unaccounted)

    @property
    def sentence(self) -> str:
        """The run in one line."""
        said = [f"{self.acknowledged:,} of {self.sent:,} {self.product} acknowledged by topic {self.topic}"]
        said += [f"{self.failed:,} failed"] if self.failed else []
        said += [f"{self.bad_lines:,} bad lines not sent (all in {self.bad_lines_file})"] if self.bad_lines else []
        if self.rows_read is not None:
            said += [
                f"{self.rows_read:,} rows read = {self.sent:,} sent + {self.bad_lines:,} refused"
                + (f" + {self.unaccounted:,} not sent yet" if self.unaccounted else "")
            ]
        said += [f"{self.recovered:,} found there without a delivery report to any run"] if self.recovered else []
        said += [f"{self.seconds:.1f} s, {self.tickets_per_s:,} {self.product}/s"]
        said += [] if self.seed is None else [f"seed {self.seed}"]
        return ("Stopped early: " if self.stopped else "") + "; ".join(said) + "."

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON prints it."""
        return asdict(self)


def produce(
    settings: Settings,
    broker: Broker,
    *,
    count: int | None = None,
    rate: float | None = None,
    seed: int | None = None,
    source: Path | None = None,
    reading: Reading = AS_IT_SAYS,
    load: bool = False,
    period: timedelta | None = None,
    progress: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> ProduceResult:
    """Send messages of the product of the settings, and return once each of them was acknowledged or has failed.

    `rate` is in messages per second; without `count` it goes on until `stop` returns True, and without both 20,000 are
    sent. `source` is a file to replay instead, `reading` is what it does not say itself, `load` takes the faster
    client, `period` spreads the creation dates.

    Raises:
        SendingBroke: the broker stopped acknowledging, or the topic is gone.
        RightMissing: the user of the settings may not write to the topic.
        AuditRefused: the audit in the data folder is of another topic.
        ReplayRefused: the source cannot be read as tickets at all.
    """
    if rate is not None and rate <= 0:
        raise ValueError(f"a rate must be more than 0 messages per second, not {rate}")
    if source and settings.product != "tickets":
        raise ReplayRefused(
            f"Only files of tickets can be replayed, and INDUTECH_PRODUCT is {settings.product}: send what is in "
            f"{source} with a program of your own, or generate {settings.product}."
        )
    topic = topics.ensure_topic(broker, settings)
    topics.refuse_without("WRITE", broker, topic)
    tally = Tally(topic.partitions)
    limits = Limits.of(topic.config, settings.broker_timeout_s)
    replay = Replay(settings, source, tally, limits.message_bytes, reading) if source else None
    if replay:
        seed, messages = None, replay.messages(CHUNK, count)
    else:
        seed = products.drawn_seed() if seed is None else seed
        count = DEFAULT_COUNT if count is None and rate is None else count
        messages = products.of(settings).messages(count, seed, period, CHUNK)
    with ExitStack() as stack:
        ends = topics.end_offsets(broker, topic.name)
        audit_writer = stack.enter_context(AuditWriter(settings, topic, ends, tally, seed=seed))
        if replay:
            stack.enter_context(replay)
        sender: Sender[tuple[bytes, bytes]] = stack.enter_context(
            closing(_sender(broker, topic.name, tally, limits, load=load))
        )
        run = Run(sender, tally, audit_writer, stop, settings.broker_timeout_s)
        began = time.monotonic()
        stack.enter_context(progress_display.shown(lambda: _position(tally, count, began), wanted=progress))
        run.send(messages, rate)
        seconds = time.monotonic() - began
    if tally.broken and not run.stopped:
        raise SendingBroke(
            f"The broker at {broker.bootstrap_servers} stopped acknowledging ({tally.broken}): "
            f"{sum(tally.acknowledged):,} of {tally.sent:,} {settings.product} sent to {topic.name} are acknowledged. "
            f"See that it is up, then send the rest; the audit {settings.audit_file} knows what arrived."
        )
    acknowledged = sum(tally.acknowledged)
    rows_read = replay.account.rows if replay else None
    return ProduceResult(
        topic=topic.name,
        product=settings.product,
        sent=tally.sent,
        acknowledged=acknowledged,
        failed=tally.failed,
        seed=seed,
        seconds=round(seconds, 3),
        tickets_per_s=round(acknowledged / seconds) if seconds > 0 else 0,
        partitions={number: {"last_offset": None if last < 0 else last} for number, last in enumerate(tally.last)},
        recovered=audit_writer.recovered,
        bad_lines=replay.bad_lines if replay else 0,
        bad_lines_file=str(replay.bad_lines_file) if replay and replay.bad_lines else None,
        rows_read=rows_read,
        unaccounted=rows_read - tally.sent - replay.bad_lines if replay and rows_read is not None else 0,
        notes=replay.account.notes if replay else [],
        stopped=run.stopped,
        errors=[*(replay.first_bad if replay else []), *tally.errors],
    )


def _position(tally: Tally, count: int | None, began: float) -> Position:
    acknowledged = sum(tally.acknowledged)
    rate = f" {acknowledged / max(0.001, time.monotonic() - began):,.0f}/s" if acknowledged else ""
    failed = f", {tally.failed:,} failed" if tally.failed else ""
    return Position(f"Sending{rate}{failed}", acknowledged, count, "acknowledged")


def _sender(broker: Broker, topic: str, tally: Tally, limits: Limits, *, load: bool) -> Sender[tuple[bytes, bytes]]:
    if load:
        from indutech.producer.confluent import ConfluentSender

        return ConfluentSender(broker, topic, tally, limits)
    from indutech.producer.kafka_python import KafkaPythonSender

    return KafkaPythonSender(broker, topic, tally, limits)
