"""Tickets before and after the ERP is changed, so that what a client is now differs from what it was at its ticket."""

import atexit
import contextlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from indutech.kafka.broker import Broker
from indutech.plant.erp import changes, comparison, embedded, history
from indutech.plant.erp import job as erp_job
from indutech.plant.erp.comparison import Comparison
from indutech.plant.erp.tables import CLIENTS
from indutech.producer import produce
from indutech.stream import job, session
from indutech.system.settings import Settings

WAITS_S = 120


@dataclass(frozen=True)
class Scene:
    """Settings with a folder and topics of their own, an ERP whose changes were captured, and how much was made."""

    settings: Settings
    broker: Broker
    tickets: int
    changed: changes.Changes
    proof: Comparison

    @property
    def sentence(self) -> str:
        """What was made, in one line."""
        return f"{self.tickets:,} tickets stored; {self.changed.sentence}; {self.proof.sentence}"


def set_up(settings: Settings, *, count: int, changed: int, seed: int) -> Scene:
    """Start the ERP, send half of the tickets, change clients, send the rest, and store both; until this process ends.

    The ERP and the broker are of this scene's own, so that nothing of it is left on another.
    """
    folder = settings.data_dir / "hybrid"
    shutil.rmtree(folder, ignore_errors=True)
    own = {
        "data_dir": folder,
        "lake_uri": None,
        "bootstrap_servers": None,
        "security_protocol": "PLAINTEXT",
        # For runs this short, Java's optimising compiler costs more than it saves.
        "driver_options": "-XX:TieredStopAtLevel=1",
    }
    settings = settings.model_copy(update=own)
    held = contextlib.ExitStack()
    atexit.register(held.close)
    with ThreadPoolExecutor(1) as starting:
        spark = starting.submit(session.session, settings)  # both take their seconds, side by side
        broker = held.enter_context(embedded.captured(settings))
    captured = comparison.until_captured(settings, WAITS_S)
    captured(comparison.read_source(settings, CLIENTS)[0])  # a ticket must not be older than what is known of clients
    sent = _send(settings, broker, count // 2, seed)
    done = changes.apply(embedded.database_dir(settings), changed, seed)
    sent += _send(settings, broker, count - count // 2, seed + 1)
    job.run(settings, broker, once=True, spark=spark.result())

    def stored(seen: history.SourceSnapshot) -> None:
        captured(seen)
        erp_job.run(settings, broker, once=True)

    return Scene(settings, broker, sent, done, comparison.compare(settings, broker, CLIENTS, stored))


def _send(settings: Settings, broker: Broker, count: int, seed: int) -> int:
    return produce.produce(settings, broker, count=count, seed=seed, load=True, progress=False).acknowledged
