"""The run: producer, broker and stream at once, deleting as it goes what is committed; then compaction and proofs."""

import os
import shutil
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from bench.month import topic as topics_on_disk
from bench.month.growth import Growth
from bench.month.plan import FREE_ALWAYS, Month
from bench.month.programs import cpu_seconds, done, started
from bench.month.shown import Display, details
from indutech.costs.inputs.measure import QUESTIONS, column_bytes
from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import layout, reader
from indutech.lake.checkpoint import Checkpoint
from indutech.producer.audit import read_audit
from indutech.stream import metrics
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets.analysis import URGENT

LOOKS_EVERY_S = 1.0
DELETES_EVERY_S = 2.0
RATE_OVER_S = 60.0
GOES_ON_BELOW = 0.5  # of the backlog's bound
ASKED = "How urgent is it?"
SQL = f"""
    SELECT support_team, count(*) AS tickets, count(*) FILTER (priority IN {URGENT}) AS urgent
    FROM tickets GROUP BY support_team ORDER BY support_team
"""


def replay(
    month: Month, settings: Settings, backlog_bytes: int, shown: Display, *, for_the_bill: bool = False
) -> dict[str, Any]:
    """Replay the month, and return what it took; the settings name an empty data folder.

    With `for_the_bill` what the lake takes, as the stream wrote it, becomes the reference of the cost model.

    Raises:
        InduTechError: there is no room, or a program ended that should not have.
    """
    began = time.monotonic()
    topics_on_disk.quick_deletion()
    with brokers.connected(settings) as broker:
        own = settings.model_copy(update={"bootstrap_servers": broker.bootstrap_servers})
        topics_on_disk.make(own, broker, backlog_bytes)
        passed = Passing(month, own, broker, backlog_bytes, shown)
        passed.run()
        broker_cpu_s = cpu_seconds(brokers.status(settings).pids)
        before, question_before = _parquet(own), _question_bytes(own)
        if for_the_bill:
            shown.says("Measuring for the bill", month.tickets)
            done("measurement", own, "costs", "measure", "--as-reference")
        shown.says("Compacting", month.tickets)
        compacted = done("compaction", own, "compact", "--open-day-too")
        after, question_after = _parquet(own), _question_bytes(own)
        shown.says("Reconciling", month.tickets)
        reconciled = done("reconciliation", own, "reconcile", "--json", exits=(0, 1, 2))
        shown.says("Auditing", month.tickets)
        audited = done("audit", own, *_audit(own), exits=(0, 1, 2))
        proof, audit = reconciled.told(), audited.told()
        shown.says("Asking", month.tickets)
        asked_at = time.monotonic()
        reader.query(own, SQL)
        asked_s = time.monotonic() - asked_at
    seconds, cores = time.monotonic() - began, os.cpu_count() or 1
    sent, alone = passed.producer.told(), passed.drained_alone()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "days": month.days,
        "seed": month.seed,
        "max_batch_tickets": settings.max_batch_tickets,
        "tickets": month.tickets,
        "bytes_per_ticket": round(month.bytes_a_ticket, 1),
        "seconds": {
            "total": round(seconds, 1),
            "produced_and_drained": round(passed.seconds, 1),
            "producing": round(sent["seconds"] - sent["waited_s"], 1),
            "producer_waited": round(sent["waited_s"], 1),
            "looked_meanwhile": round(passed.looked_s, 1),
            "draining": round(sum(batch["seconds"] for batch in passed.batches.values()), 1),
            "compaction": round(compacted.seconds, 1),
            "reconciliation": round(reconciled.seconds, 1),
            "audit": round(audited.seconds, 1),
        },
        "tickets_per_core_second": round(month.tickets / seconds / cores),
        "micro_batches": len(passed.batches),
        "drained_alone": alone,
        "growth": passed.growth.with_pace(passed.alone()),
        "processor_seconds": {
            "stream": round(passed.stream.cpu_s, 1),
            "producer": round(passed.producer.cpu_s, 1),
            "broker": round(broker_cpu_s, 1),
            "compaction": round(compacted.cpu_s, 1),
            "reconciliation": round(reconciled.cpu_s, 1),
            "audit": round(audited.cpu_s, 1),
        },
        "peak_mib": {
            "stream": round(passed.stream.peak_mib),  # JVM and Python
            "producer": round(passed.producer.peak_mib),
            "compaction": round(compacted.peak_mib),
            "reconciliation": round(reconciled.peak_mib),
            "audit": round(audited.peak_mib),
        },
        "bytes": {
            "raw": month.raw_bytes,
            "broker": passed.topic.bytes_written,
            "broker_at_most": passed.most_on_disk,
            "parquet_before": before[1],
            "parquet_after": after[1],
        },
        "files": {"before": before[0], "after": after[0]},
        "question": {
            "asked": ASKED,
            "columns": QUESTIONS[ASKED],
            "bytes_before": question_before,
            "bytes_after": question_after,
            "seconds": round(asked_s, 2),
        },
        "acknowledged": proof["acknowledged"],
        "stored": proof["stored"],
        "quarantined": proof["quarantined"],
        "lost": proof["lost"],
        "twice": proof["twice"],
        "pending": proof["pending"],
        "audit": audit["verdict"],
        "proven": proof["acknowledged"] == proof["stored"] + proof["quarantined"] == month.tickets
        and reconciled.process.returncode == audited.process.returncode == 0,
    }


@dataclass
class Passing:
    """Tickets pass from the producer through the topic into the lake."""

    month: Month
    settings: Settings
    broker: Broker
    backlog_bytes: int
    shown: Display
    batches: dict[int, dict[str, Any]] = field(default_factory=dict)
    most_on_disk: int = 0
    seconds: float = 0.0
    looked_s: float = 0.0
    _left: dict[int, int] = field(default_factory=dict)  # partition → first offset that is not deleted
    _deleted_at: float = 0.0
    _stored: deque[tuple[float, int]] = field(default_factory=deque)
    _quiet: list[tuple[datetime, datetime]] = field(default_factory=list)  # while the producer did nothing
    _quiet_since: datetime | None = None

    def __post_init__(self) -> None:
        self.topic = topics_on_disk.OnDisk(self.settings)
        self.hold = self.settings.data_dir / "hold"
        self.growth = Growth(self.settings)

    def run(self) -> None:
        """Start both programs, and return when all is stored and both have ended."""
        began, month = time.monotonic(), self.month
        sending = ("-m", "bench.month.producer", str(month.tickets), str(month.seed), str(month.days), str(self.hold))
        with (
            started("stream", self.settings, "-m", "indutech", "stream", "--json") as self.stream,
            started("producer", self.settings, *sending) as self.producer,
        ):
            while not self._is_drained():
                time.sleep(LOOKS_EVERY_S)
            self.seconds = time.monotonic() - began
            self._note_batches()
            self._look()
        self._quieter(False)
        self._delete()

    def alone(self) -> list[dict[str, Any]]:
        """Return the micro-batches during which the producer did nothing."""
        return [batch for batch in self.batches.values() if self._was_alone(batch)]

    def drained_alone(self) -> dict[str, int | None]:
        """Return how many tickets were stored, and how fast, by micro-batches during which the producer did nothing."""
        alone = self.alone()
        tickets, seconds = sum(batch["rows"] for batch in alone), sum(batch["seconds"] for batch in alone)
        return {"tickets": tickets, "tickets_per_s": round(tickets / seconds) if seconds else None}

    def _is_drained(self) -> bool:
        sends, stores = self.producer.runs(), self.stream.runs()
        if not stores:
            raise self.stream.failed()
        if not sends and self.producer.process.returncode:
            raise self.producer.failed()
        now = time.monotonic()
        if now - self._deleted_at >= DELETES_EVERY_S:
            self._delete()
            self._deleted_at = now
        self._note_batches()
        audit = read_audit(self.settings)
        sent = audit.acknowledged if audit else 0
        stored = sum(Checkpoint(self.settings.checkpoint_dir).committed_offsets(self.settings.topic).values())
        on_disk, free = self.topic.bytes_now(), shutil.disk_usage(self.settings.data_dir).free
        self.most_on_disk = max(self.most_on_disk, on_disk)
        if self.growth.is_due(stored):
            self.hold.touch()
        else:
            self.hold_or_go_on(on_disk, free, nothing_waits=stored >= sent)
        self._quieter(not sends or self.hold.exists())
        rate = self._rate(now, stored)
        left_s = (self.month.tickets - stored) / rate if rate else None
        step = "Producing and storing" if sends else "Storing"
        self.shown.says(step, stored, details(rate, sent, on_disk, free, left_s, self.hold.exists()))
        drained = stored >= sum(topics.end_offsets(self.broker, self.settings.topic).values())
        if sends and drained and self._is_quiet() and self.growth.is_due(stored):
            self.shown.says("Looking", stored)
            self._look()
        return drained and not sends

    def _look(self) -> None:
        """See what has grown, now that all is stored and nothing arrives."""
        began = time.monotonic()
        stored = sum(Checkpoint(self.settings.checkpoint_dir).committed_offsets(self.settings.topic).values())
        self.growth.look(stored, max(self.batches, default=0), self.stream)
        self.looked_s += time.monotonic() - began

    def hold_or_go_on(self, on_disk: int, free: int, *, nothing_waits: bool) -> None:
        """Let the producer wait while the topic takes more than its bound, or the disk is nearly full."""
        if free < FREE_ALWAYS or on_disk > self.backlog_bytes:
            self.hold.touch()
            if free < FREE_ALWAYS / 2 and nothing_waits:  # nothing will become free by waiting
                raise InduTechError(
                    f"The disk of {self.settings.data_dir} is nearly full ({free / 1e9:.1f} GB left), and not by the "
                    "topic: make room and start again, with fewer --days, or with another INDUTECH_DATA_DIR."
                )
        elif free > 1.5 * FREE_ALWAYS and on_disk < GOES_ON_BELOW * self.backlog_bytes:
            self.hold.unlink(missing_ok=True)

    def _delete(self) -> None:
        self._left = topics_on_disk.delete_committed(self.settings, self.broker, self._left)

    def _note_batches(self) -> None:
        """Keep each micro-batch: the stream's own file has the newest 500."""
        for batch in metrics.read(self.settings.metrics_file):
            self.batches[batch["batch"]] = batch

    def _is_quiet(self) -> bool:
        return self._quiet_since is not None and datetime.now(UTC) > self._quiet_since + timedelta(
            seconds=LOOKS_EVERY_S
        )

    def _quieter(self, quiet: bool) -> None:
        now = datetime.now(UTC)
        if quiet and self._quiet_since is None:
            self._quiet_since = now + timedelta(seconds=LOOKS_EVERY_S)  # the client still sends what it has taken
        if not quiet and self._quiet_since is not None:
            self._quiet.append((self._quiet_since, now))
            self._quiet_since = None

    def _was_alone(self, batch: dict[str, Any]) -> bool:
        start = datetime.fromisoformat(batch["started_at"])
        end = start + timedelta(seconds=batch["seconds"])
        return any(first <= start and end <= last for first, last in self._quiet)

    def _rate(self, now: float, stored: int) -> float:
        self._stored.append((now, stored))
        while now - self._stored[0][0] > RATE_OVER_S:
            self._stored.popleft()
        (then, before) = self._stored[0]
        return (stored - before) / (now - then) if now > then else 0.0


def _parquet(settings: Settings) -> tuple[int, int]:
    """Return files and bytes of the lake's tickets."""
    found = next(one for one in reader.footprints(settings) if one.kind == settings.product)
    return found.files, found.bytes


def _question_bytes(settings: Settings) -> int:
    files = [file.path for file in layout.committed_files(settings, settings.product)]
    return column_bytes(files, QUESTIONS[ASKED])


def _audit(settings: Settings) -> list[str]:
    """What is asked of `indutech audit`: every offset that the producer has a delivery report for."""
    sent = read_audit(settings)
    ranges = ",".join(f"{p}:0:{last + 1}" for p, last in sorted(sent.last_acknowledged.items())) if sent else ""
    asked = ["audit", str(layout.root(settings, settings.product)), "--ranges", ranges, "--complete", "--json"]
    aside = layout.root(settings, "quarantine")
    return [*asked, "--dead-letter", str(aside)] if aside.exists() else asked
