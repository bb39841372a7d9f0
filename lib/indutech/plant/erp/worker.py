"""The program that becomes Kafka Connect, at each start and restart: first it sees that the capture can go on.

A snapshot that was cut off cannot: read again, it would not fit the log's place that PostgreSQL still holds for it, and
changes made in between would be missed. So that place is given up, and the capture begins anew.
"""

import os
import sys
import time
from pathlib import Path

from indutech.plant.erp import connect, database, postgres
from indutech.plant.erp.postgres import ErpNotReady

_WAITS_S = 60


def main(arguments: list[str]) -> None:
    """Prepare, then run the given command in this process."""
    erp, command = Path(arguments[0]), arguments[1:]
    here = Path.cwd()
    if not connect.snapshot_is_whole(here):
        _give_up_the_slot(erp)
        (here / connect.OFFSETS).unlink(missing_ok=True)
    os.execv(command[0], command)  # noqa: S606, the supervisor's own command


def _give_up_the_slot(erp: Path) -> None:
    deadline = time.monotonic() + _WAITS_S
    while True:
        try:
            with postgres.connection(erp, postgres.CAPTURE) as connected, connected.cursor() as cursor:
                slot = f"FROM pg_replication_slots WHERE slot_name = '{database.SLOT}'"
                cursor.execute(f"SELECT pg_terminate_backend(active_pid) {slot} AND active")
                cursor.execute(f"SELECT pg_drop_replication_slot(slot_name) {slot} AND NOT active")
                cursor.execute(f"SELECT 1 {slot}")
                if not cursor.fetchall():
                    return
        except ErpNotReady:  # it is starting again itself
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise ErpNotReady(f"PostgreSQL in {erp} still holds the log for a Kafka Connect that was killed.")
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1:])
