"""A broker, a data folder and a Spark that nobody else uses, so that a notebook may break them."""

import shutil
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import SparkSession

from indutech.kafka.broker import Broker
from indutech.report import prerequisites
from indutech.stream.session import session
from indutech.system.settings import Settings

PARTITIONS = 4
TOPIC = "resilience"


@dataclass(frozen=True)
class Bench:
    """Settings with a folder and a topic of their own, the embedded broker in that folder, and a Spark."""

    settings: Settings
    broker: Broker

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark of this process, started on the first use."""
        return session(self.settings)


def set_up(settings: Settings, *, batch_tickets: int) -> Bench:
    """Start an embedded broker in an empty folder, whatever broker the settings name, until this process ends."""
    folder = settings.data_dir / "resilience"
    shutil.rmtree(folder, ignore_errors=True)
    own = {
        "lake_uri": None,
        "data_dir": folder,
        "topic": TOPIC,
        "bootstrap_servers": None,  # the embedded one, even if another is named: that one is not ours to kill
        "security_protocol": "PLAINTEXT",
        "max_batch_tickets": batch_tickets,
        "driver_options": prerequisites.ONE_COMPILER,
    }
    settings = settings.model_copy(update=own)
    return Bench(settings, prerequisites.hold_broker(settings))
