"""Readings, and tickets before and after the ERP is changed, in a lake on S3: what the questions are asked about.

What a client is now differs then from what it was at its ticket, and some tickets follow what sensors announced.
"""

import atexit
import contextlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.lake import layout
from indutech.lake.store import connection as store
from indutech.plant.erp import changes, comparison, embedded, history
from indutech.plant.erp import job as erp_job
from indutech.plant.erp.comparison import Comparison
from indutech.plant.erp.tables import CLIENTS
from indutech.plant.sensors import fleet
from indutech.producer import produce
from indutech.report import prerequisites
from indutech.report.hybrid import breakdowns
from indutech.stream import job, session
from indutech.system.settings import Settings
from indutech.tickets.generator import DEMO_START

LAKE = "s3a://indutech-hybrid/lake"
READINGS = "readings"  # the other data product
DAY = timedelta(days=1)  # of which readings and tickets tell
WAITS_S = 120


@dataclass(frozen=True)
class Scene:
    """Settings with a folder, a bucket and topics of their own, a captured ERP, and how much was made.

    `announced` counts the failures that the readings show, `followed` those of them that a ticket followed.
    """

    settings: Settings
    broker: Broker
    tickets: int
    readings: int
    announced: int
    followed: int
    changed: changes.Changes
    proof: Comparison

    @property
    def of_readings(self) -> Settings:
        """The settings with which readings are read: the same bucket, another product."""
        return self.settings.for_product(READINGS)

    @property
    def places(self) -> tuple[str, str]:
        """Where tickets and readings are: names in a bucket."""
        return str(layout.root(self.settings, "tickets")), str(layout.root(self.of_readings, "readings"))

    @property
    def sentence(self) -> str:
        """What was made, in one line."""
        return (
            f"{self.tickets:,} tickets and {self.readings:,} readings stored; {self.changed.sentence}; "
            f"{self.proof.sentence}"
        )


def set_up(settings: Settings, *, count: int, changed: int, readings: int, seed: int) -> Scene:
    """Start S3, broker and ERP, send and store readings and tickets, and change clients halfway.

    All of it is of this scene's own, so that nothing of it is left on another, and ends with this process.
    """
    held = contextlib.ExitStack()
    atexit.register(held.close)
    return held.enter_context(played(settings, count=count, changed=changed, readings=readings, seed=seed))


@contextlib.contextmanager
def played(settings: Settings, *, count: int, changed: int, readings: int, seed: int) -> Iterator[Scene]:
    """The same, which ends with the block."""
    shutil.rmtree(settings.data_dir / "hybrid", ignore_errors=True)
    with contextlib.ExitStack() as held:
        own = _of_its_own(settings, short=count + readings < prerequisites.SHORT)
        yield _play(held, own, count=count, changed=changed, readings=readings, seed=seed)


def _play(
    held: contextlib.ExitStack, settings: Settings, *, count: int, changed: int, readings: int, seed: int
) -> Scene:
    with ThreadPoolExecutor(2) as starting:
        # Spark and Kafka Connect take their seconds; readings need no ERP, so they are stored meanwhile.
        spark = starting.submit(session.session, settings)
        settings = held.enter_context(store.connected(settings))
        broker = held.enter_context(brokers.connected(settings))
        capturing = starting.submit(held.enter_context, embedded.captured(settings))
        measured = _send(settings.for_product(READINGS), broker, readings, seed)
        job.run(settings.for_product(READINGS), broker, once=True, spark=spark.result())
        capturing.result()
    captured = comparison.until_captured(settings, WAITS_S)
    captured(comparison.read_source(settings, CLIENTS)[0])  # a ticket must not be older than what is known of clients
    sent = _send(settings, broker, count // 2, seed)
    erp = embedded.database_dir(settings)
    done = changes.apply(erp, changed, seed)
    sent += _send(settings, broker, count - count // 2, seed + 1)
    announced = fleet.failures(seed, DEMO_START, DAY.total_seconds())
    following = breakdowns.tickets(announced, breakdowns.owners(erp), seed)
    if following:
        file = breakdowns.write(following, settings.data_dir / "breakdowns" / "tickets.jsonl")
        sent += produce.produce(settings, broker, source=file, load=True, progress=False).acknowledged
    job.run(settings, broker, once=True, spark=spark.result())

    def stored(seen: history.SourceSnapshot) -> None:
        captured(seen)
        erp_job.run(settings, broker, once=True)

    proof = comparison.compare(settings, broker, CLIENTS, stored)
    return Scene(settings, broker, sent, measured, len(announced), len(following), done, proof)


def _of_its_own(settings: Settings, *, short: bool) -> Settings:
    own: dict[str, object] = {
        "data_dir": settings.data_dir / "hybrid",
        "lake_uri": LAKE,
        "s3_endpoint": None,
        "bootstrap_servers": None,
        "security_protocol": "PLAINTEXT",
        "driver_options": prerequisites.ONE_COMPILER if short else "",
    }
    return settings.model_copy(update=own)


def _send(settings: Settings, broker: Broker, count: int, seed: int) -> int:
    sent = produce.produce(settings, broker, count=count, seed=seed, period=DAY, load=True, progress=False)
    return sent.acknowledged
