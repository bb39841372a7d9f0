"""The end of a run: what is on its way is waited for, then tickets, readings and clients are proved."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from indutech.kafka.connection import Broker
from indutech.lake import identity
from indutech.plant.erp import change_log, comparison, tables
from indutech.plant.mqtt import connection as mqtt
from indutech.plant.mqtt import gateway, store
from indutech.plant.together.parts import GATEWAY, READINGS, TICKETS
from indutech.proof import reconcile
from indutech.system.settings import Settings

SETTLES_WITHIN_S = 90.0


@dataclass(frozen=True)
class Proofs:
    """The three proofs, in a line each, and what they amount to.

    Exit codes: 0 all is in the lake, once. 1 something is lost, twice or different. 2 something is on its way.
    """

    lines: tuple[str, ...]
    exit_code: int
    details: dict[str, Any]


def send_what_waits(settings: Settings, address: mqtt.Address) -> None:
    """Let the gateway's readings go to Kafka, as long as that takes within the time; what does not go stays there."""
    readings = settings.for_product(READINGS)
    gateway.send(readings, address, count=0, gateway=GATEWAY, wait_s=SETTLES_WITHIN_S)


def wait_until_stored(settings: Settings, broker: Broker, goes_on: Callable[[], bool]) -> bool:
    """Wait until the lake has all that the topics hold; False if it takes too long, or nothing stores it any more."""
    deadline = time.monotonic() + SETTLES_WITHIN_S
    while not (stored := not any(waiting(settings, broker).values())) and goes_on() and time.monotonic() < deadline:
        time.sleep(0.2)
    return stored


def wait_until_captured(settings: Settings) -> None:
    """Wait until the broker has all that the ERP has committed."""
    seen, _ = comparison.read_source(settings, tables.CLIENTS)
    comparison.until_captured(settings, SETTLES_WITHIN_S)(seen)


def waiting(settings: Settings, broker: Broker) -> dict[str, int]:
    """Return for each product, and each table of the ERP, how many messages wait in their topic."""
    found = {}
    for product in (TICKETS, READINGS):
        backlog = identity.backlog(settings.for_product(product), broker)
        found[product] = backlog.waiting if backlog else 0
    for table in tables.CAPTURED:
        found[table.name] = change_log.position(settings, broker, table).waiting
    return found


def prove(settings: Settings, broker: Broker) -> Proofs:
    """Prove what is stored: each offset of tickets and readings once, and the clients equal to the ERP's."""
    lines, codes, details = [], [], {}
    for product in (TICKETS, READINGS):
        proof = reconcile.prove(settings.for_product(product), broker)
        verdict = "reconciled" if proof.exit_code == 0 else "not reconciled"
        again = f", {proof.duplicate_tickets:,} of them sent again" if proof.duplicate_tickets else ""
        lines.append(f"{product}: {verdict}: {proof.sentence}{again}")
        codes.append(proof.exit_code)
        details[product] = proof.as_dict()
    wait = comparison.until_captured(settings, settings.broker_timeout_s)
    for table in tables.CAPTURED:
        found = comparison.compare(settings, broker, table, wait)
        verdict = "reconciled" if found.exit_code == 0 else "not reconciled"
        lines.append(f"{table.name}: {verdict}: {found.sentence}")
        codes.append(found.exit_code)
        details[table.name] = found.as_dict()
    for name, left in store.waiting(settings.for_product(READINGS).gateways_dir).items():
        if left:
            lines.append(f"{name}: {left:,} readings wait in its store; the next `indutech plant up` sends them")
            codes.append(2)
    return Proofs(tuple(lines), 1 if 1 in codes else max(codes), details)
