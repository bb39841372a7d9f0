"""Writes the audit file while a producer runs: at the start, twice a second, and at the end; several runs add up."""

import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from indutech.kafka.topics import Topic
from indutech.producer.audit import SEEDS_KEPT, Audit, AuditRefused, PartitionAudit, new_audit, now, read_audit
from indutech.producer.counts import Tally
from indutech.system import leases
from indutech.system.settings import Settings
from indutech.system.state_files import write_json

WRITES_EVERY_S = 0.4
LOCKED_AT_MOST_S = 10.0


class AuditWriter:
    """Adds the tally of one run to the audit file; a context manager that writes on entry and on exit."""

    def __init__(
        self, settings: Settings, topic: Topic, ends: Mapping[int, int], tally: Tally, *, seed: int | None
    ) -> None:
        self._settings, self._topic, self._ends, self._tally, self._seed = settings, topic, ends, tally, seed
        self._written = Tally(tally.partitions)
        self._due = 0.0
        self._producers = settings.audit_file.parent / "producers"
        self._lock = FileLock(settings.audit_file.with_suffix(".lock"))
        self.recovered = 0  # found at the start, for the first time

    def __enter__(self) -> Self:
        """Write the start of the run, so that a run that is killed at once is counted too.

        Raises:
            AuditRefused: the audit in this folder is of another topic, or cannot be written.
        """
        try:
            self._settings.audit_file.parent.mkdir(parents=True, exist_ok=True)
            with self._lock.acquire(timeout=LOCKED_AT_MOST_S):
                # What a running producer has sent but not yet written down must not be counted as a killed one's.
                is_only_producer = not leases.holders(self._producers)
                before = self._known()
                audit = self._with_recovered(before) if is_only_producer else before
                self.recovered = audit.recovered - before.recovered
                self._write(replace(audit, runs=audit.runs + 1, seeds=self._seeds(audit)))
                leases.remove_stale(self._producers)
                self._lease = leases.take(self._producers)
        except (OSError, Timeout) as error:
            raise self._cannot_write(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.write()
        except AuditRefused:
            if error is None:
                raise
        finally:
            self._lease.release()

    def write_if_due(self) -> None:
        """Write, if the interval since the last write has passed."""
        if time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        """Add what happened since the last write.

        Raises:
            AuditRefused: the file cannot be written; the tickets that were sent are at the broker all the same.
        """
        self._due = time.monotonic() + WRITES_EVERY_S
        if self._tally == self._written:
            return
        try:
            with self._lock.acquire(timeout=LOCKED_AT_MOST_S):
                self._write(self._with_news(self._known()))
        except (OSError, Timeout) as error:
            raise self._cannot_write(error) from error
        self._written = deepcopy(self._tally)

    def _known(self) -> Audit:
        audit = read_audit(self._settings) or new_audit(self._topic, self._ends)
        if not audit.belongs_to(self._topic):
            raise AuditRefused(
                f"The audit {self._settings.audit_file} is of topic {audit.topic} (id {audit.topic_id}, cluster "
                f"{audit.cluster_id}), not of {self._topic.name} (id {self._topic.topic_id}, cluster "
                f"{self._topic.cluster_id}): the topic was recreated, or is another one. Start over with "
                "`indutech reset`, or keep both with another INDUTECH_DATA_DIR."
            )
        return audit

    def _with_recovered(self, audit: Audit) -> Audit:
        fresh = PartitionAudit(first=0)  # given to the topic after the audit began
        partitions = {
            number: audit.partitions.get(number, fresh).with_recovered(end) for number, end in self._ends.items()
        }
        audit = replace(audit, partitions=partitions)
        return replace(audit, sent=max(audit.sent, audit.acknowledged + audit.recovered))

    def _with_news(self, audit: Audit) -> Audit:
        tally, written = self._tally, self._written
        for number in range(len(tally.last)):
            written.room_for(number)
        partitions = dict(audit.partitions)
        for number, last in enumerate(tally.last):
            news = tally.acknowledged[number] - written.acknowledged[number]
            partitions[number] = partitions.get(number, PartitionAudit(first=0)).with_news(news, last)
        sent = tally.sent - written.sent
        return replace(
            audit,
            sent=audit.sent + sent,
            failed=audit.failed + tally.failed - written.failed,
            generated=audit.generated + (0 if self._seed is None else sent),
            replayed=audit.replayed + (sent if self._seed is None else 0),
            partitions=partitions,
        )

    def _seeds(self, audit: Audit) -> tuple[int, ...]:
        if self._seed is None:
            return audit.seeds
        return (*(seed for seed in audit.seeds if seed != self._seed), self._seed)[-SEEDS_KEPT:]

    def _write(self, audit: Audit) -> None:
        write_json(self._settings.audit_file, replace(audit, updated_at=now()).as_dict())

    def _cannot_write(self, error: OSError | Timeout) -> AuditRefused:
        why = "another producer holds its lock" if isinstance(error, Timeout) else error.strerror or str(error)
        return AuditRefused(
            f"The audit {self._settings.audit_file} cannot be written ({why}), and without it the delivery of "
            "what is sent cannot be proved: make room or give write access, or use another INDUTECH_DATA_DIR."
        )
