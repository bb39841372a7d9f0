"""How long a first step takes: a broker that answers, the first committed micro-batch of a process that starts cold."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bench.drain import fill
from bench.figures import Figure, of_rounds
from indutech.kafka import broker as brokers
from indutech.system.settings import Settings

TICKETS, PARTITIONS, ROUNDS = 1_000, 4, 3
TOPIC = "start"
ANSWERS, COMMITS, ENDS, LOOKS = (
    "a new broker answers",
    "`stream --once`: process to first commit",
    f"`stream --once` of {TICKETS:,} tickets, in all",
    "`monitor --json`",
)


def run(console: Console) -> list[Figure]:
    """Start each several times, each in a process of its own; return the medians."""
    found: dict[str, list[float]] = {what: [] for what in (ANSWERS, COMMITS, ENDS, LOOKS)}
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        for number in range(ROUNDS):
            with console.status(f"round {number + 1} of {ROUNDS}"):
                place = Path(folder) / str(number)
                settings = Settings(_env_file=None, data_dir=place, bootstrap_servers=None, topic=TOPIC)
                began = time.monotonic()
                with brokers.connected(settings) as broker:
                    found[ANSWERS].append(time.monotonic() - began)
                    fill(broker, TOPIC, PARTITIONS, TICKETS)
                    own = settings.model_copy(update={"bootstrap_servers": broker.bootstrap_servers})
                    started_at, seconds = time.time(), ran(own, "stream", "--once")
                    first = settings.checkpoint_dir / "commits" / "0"
                    found[COMMITS].append(first.stat().st_mtime - started_at)
                    found[ENDS].append(seconds)
                    found[LOOKS].append(ran(own, "monitor", "--json"))
    return [of_rounds("start", what, rounds, "s") for what, rounds in found.items()]


def ran(settings: Settings, *command: str) -> float:
    """Run `indutech COMMAND` in a process of its own, and return its seconds."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "indutech", *command],
        env={**os.environ, **settings.as_environment()},
        capture_output=True,
        check=True,
    )
    return time.monotonic() - began
