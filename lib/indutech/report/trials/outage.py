"""A broker that is killed while tickets arrive and the stream stores them: what waits, second by second."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from indutech.kafka import broker as brokers
from indutech.lake import identity
from indutech.lake.checkpoint import Checkpoint
from indutech.producer import audit, produce
from indutech.producer.produce import ProduceResult
from indutech.report.trials.bench import Bench
from indutech.stream import job
from indutech.stream.job import StreamResult
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

_LOOKS_EVERY_S = 0.2
_DEADLINE_S = 180


class OutageNotOver(InduTechError):
    """The broker did not come back, or the stream did not catch up with it."""


@dataclass(frozen=True)
class Outage:
    """What was seen; `curve` has `second`, `sent`, `stored` and `waiting`, and the moments are in seconds, too."""

    curve: pd.DataFrame
    sent: int
    acknowledged: int
    killed_at_s: float
    back_at_s: float
    caught_up_at_s: float

    @property
    def figures(self) -> dict[str, float]:
        """What a sentence about the outage says."""
        return {
            "outage_back_s": self.back_at_s - self.killed_at_s,
            "outage_waiting": int(self.curve["waiting"].max()),
            "outage_caught_up_s": self.caught_up_at_s - self.killed_at_s,
        }


def broker_killed(bench: Bench, *, count: int, seed: int, rate: int) -> Outage:
    """Send tickets at a rate and store them as they come; kill the broker once a fifth of them is stored.

    Its supervisor starts it again. Returns once everything that was sent is stored.

    Raises:
        OutageNotOver: that did not happen in time.
    """
    settings = bench.settings.model_copy(update={"trigger_s": 0.3})
    spark, stop, first = bench.spark, threading.Event(), count // 5
    watch = _Watch(settings)

    def send(tickets: int, seed: int) -> ProduceResult:
        return produce.produce(settings, bench.broker, count=tickets, seed=seed, rate=rate, progress=False)

    with ThreadPoolExecutor(2) as at_work:
        storing = at_work.submit(job.run, settings, bench.broker, once=False, spark=spark, stop=stop.is_set)
        begun = at_work.submit(send, first, seed)
        try:
            # However long the stream takes to start: most of the tickets come when it is at work.
            watch.until(lambda: begun.done() and watch.stored >= first, storing, begun)
            sending = at_work.submit(send, count - first, seed + 1)
            watch.until(lambda: watch.acknowledged > first, storing, sending)
            killed_at, killed = watch.seconds, _process_of_the_broker(settings)
            os.kill(killed, signal.SIGKILL)
            if sending.done():
                raise OutageNotOver(f"All {count:,} tickets were sent before the broker was killed: send more of them.")
            watch.until(lambda: brokers.status(settings).pid not in (None, killed), storing, sending)
            # The next audit has all that the dead broker had acknowledged, and nothing yet of the one that starts.
            restarted, audited = time.time(), settings.audit_file.stat
            watch.until(lambda: audited().st_mtime > restarted or sending.done(), storing, sending)
            watch.until(lambda: True)  # the look before may have been at the audit before
            known = watch.acknowledged
            watch.until(lambda: watch.acknowledged > known or sending.done(), storing, sending)
            back_at = watch.seconds
            watch.until(lambda: sending.done() and watch.stored >= count, storing, sending)
        finally:
            stop.set()
    both = (begun.result(), sending.result())
    sent, acknowledged = sum(one.sent for one in both), sum(one.acknowledged for one in both)
    return Outage(pd.DataFrame(watch.seen), sent, acknowledged, killed_at, back_at, watch.seconds)


def _process_of_the_broker(settings: Settings) -> int:
    pid = brokers.status(settings).pid
    if pid is None:
        raise OutageNotOver(f"There is no embedded broker in {settings.broker_dir} that could be killed.")
    return pid


class _Watch:
    """Looks at files only: while the broker is away, it cannot be asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._sent_before, self._acknowledged_before = self._audit()
        self._stored_before = self._stored()
        self.seen: list[dict[str, float]] = []
        self.seconds, self.stored, self.acknowledged = 0.0, 0, 0

    def until(self, happened: Callable[[], bool], *workers: "Future[StreamResult] | Future[ProduceResult]") -> None:
        """Look until it happened; a worker that fails, or a deadline, ends it with an error."""
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            self._look()
            for worker in workers:
                if worker.done() and (error := worker.exception()):
                    raise error
            if happened():
                return
            if time.monotonic() > deadline:
                raise OutageNotOver(
                    f"After {_DEADLINE_S} s {self.stored:,} tickets are stored and {self.acknowledged:,} acknowledged: "
                    f"see the logs in {self._settings.log_dir} and {self._settings.broker_dir}."
                )
            time.sleep(_LOOKS_EVERY_S)

    def _look(self) -> None:
        sent, acknowledged = self._audit()
        self.seconds = time.monotonic() - self._began
        self.acknowledged = acknowledged - self._acknowledged_before
        self.stored = self._stored() - self._stored_before
        sent = max(sent - self._sent_before, self.stored)  # the audit is written twice a second
        self.seen.append(
            {"second": round(self.seconds, 1), "sent": sent, "stored": self.stored, "waiting": sent - self.stored}
        )

    def _audit(self) -> tuple[int, int]:
        known = audit.read_audit(self._settings)
        return (known.sent, known.acknowledged) if known else (0, 0)

    def _stored(self) -> int:
        known = identity.read(self._settings)
        committed = Checkpoint(self._settings.checkpoint_dir).committed_offsets(self._settings.topic)
        return sum(end - (known.first_offset(partition) if known else 0) for partition, end in committed.items())
