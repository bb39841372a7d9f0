"""A folder and a broker for one benchmark, gone after it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.system.settings import Settings


@contextmanager
def own_broker(**more: Any) -> Iterator[tuple[Settings, Broker]]:
    """Yield settings with a data folder that is empty, and the embedded broker in it; `more` are other settings."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), bootstrap_servers=None, **more)
        with brokers.connected(settings) as broker:
            yield settings, broker
