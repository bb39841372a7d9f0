"""The job that keeps the ERP's tables in the lake: it appends what the topics hold, then writes state and history."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from indutech.kafka.connection import Broker
from indutech.plant.erp import change_log, history
from indutech.plant.erp.tables import CAPTURED
from indutech.system import storage
from indutech.system.settings import Settings
from indutech.system.signals import wait_for

_NOTHING_LOST = "Nothing is lost: what was not stored is stored at the next start."


@dataclass(frozen=True)
class Result:
    """What one run of the job did: events stored, files written for them, and rows that the lake then has."""

    events: int
    files: int
    rows: dict[str, dict[str, int]]  # table → state, history → rows
    seconds: float

    @property
    def sentence(self) -> str:
        """What it did in one line."""
        there = "; ".join(
            f"{table}: {rows['state']:,} rows now, {rows['history']:,} versions" for table, rows in self.rows.items()
        )
        return f"{self.events:,} changes stored in {self.files} files in {self.seconds:.1f} s. {there or 'No table'}."


def run(settings: Settings, broker: Broker, *, once: bool, stop: Callable[[], bool] = lambda: False) -> Result:
    """Store what the topics hold; with `once` what is there now, otherwise until `stop` returns True.

    Raises:
        SecondWriter: another process of this data folder stores them.
        HeldElsewhere: another data folder or machine does.
        LakeIdentityMismatch: the lake's changes came from other topics.
        BrokerNotReady: the broker gives nothing.
        StorageRefused: the disk is full, or the data folder may not be written.
    """
    began = time.monotonic()
    events = written = 0
    rows: dict[str, dict[str, int]] = {}
    with storage.writing(settings.data_dir, _NOTHING_LOST), ExitStack() as held:
        checks = {table.name: held.enter_context(change_log.sole_writer(settings, table)) for table in CAPTURED}
        while True:
            for table in CAPTURED:
                done = change_log.store(settings, broker, table, checks[table.name])
                events, written = events + done.events, written + done.files
                if done.events or table.name not in rows:  # at a start too: a kill may have come between the two
                    rows[table.name] = history.write(settings, table)
            if once or stop():
                return Result(events, written, rows, time.monotonic() - began)
            wait_for(stop, settings.trigger_s)
