"""Tickets that follow the failures which sensors announce: each from the client who has the machine, soon after it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import orjson

from indutech.plant.erp import postgres
from indutech.plant.sensors.fleet import Failure
from indutech.tickets import generator
from indutech.tickets.contract import CLIENT_IDS, Priority, Ticket, TicketType

SOONEST_S, LATEST_S = 5 * 60, 45 * 60  # so long after the machine stood still somebody writes


def owners(erp: Path) -> dict[str, int]:
    """Return which client has each machine now, as the ERP says."""
    with postgres.connection(erp) as connected, connected.cursor() as cursor:
        cursor.execute("SELECT m.machine_id, s.client_id FROM machines AS m JOIN sites AS s USING (site_id)")
        return {str(machine): int(client) for machine, client in cursor.fetchall()}


def tickets(failures: Sequence[Failure], owner_of: Mapping[str, int], seed: int) -> list[Ticket]:
    """Return a critical ticket for each failure, in their order; a machine without a client who may write has none.

    They are the generator's tickets with what a breakdown says, so that a new field of the contract is theirs too.
    """
    draws = np.random.default_rng([seed, 47])
    made = (value for batch in generator.ticket_messages(len(failures), seed=seed + 47) for _, value in batch)
    found = []
    for failure, value in zip(failures, made, strict=True):
        waits = float(draws.uniform(SOONEST_S, LATEST_S))
        if owner_of.get(failure.machine_id) in CLIENT_IDS:
            told = {
                "client_id": owner_of[failure.machine_id],
                "creation_date": (failure.failed_at + timedelta(seconds=waits)).replace(microsecond=0),
                "request": f"La machine {failure.machine_id} s'est arrêtée, elle ne redémarre pas.",
                "type": TicketType.HARDWARE,
                "priority": Priority.CRITICAL,
            }
            found.append(Ticket.model_validate_json(value).model_copy(update=told))
    return found


def write(found: Sequence[Ticket], file: Path) -> Path:
    """Write tickets as a file that `indutech produce --from` replays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(orjson.dumps(ticket.model_dump(mode="json")) + b"\n" for ticket in found))
    return file
