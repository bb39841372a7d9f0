"""Another stream processor drains the same tickets: Quix Streams, in Python, beside the hand-written job and ours.

It asks for an older confluent-kafka than this project has, so that it has an environment of its own:

  python3 -m venv .venv-quix && .venv-quix/bin/pip install quixstreams==3.28.1 pyarrow psutil filelock
"""

import os

from rich.console import Console

from bench.drain import BY_HAND, OURS, PARTITIONS, filled, timed
from bench.figures import Figure, of_rounds
from bench.own_broker import own_broker
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

TICKETS, WARM_UP_TICKETS, ROUNDS = 1_000_000, 300_000, 3
PYTHON = PROJECT / ".venv-quix" / "bin" / "python"
LEAST_STORED = 0.99  # one in a thousand is cut, and refused
QUIX, VERSION = "quix", "3.28.1"


def run(console: Console) -> list[Figure]:
    """Drain in turns, and return the medians; Quix Streams starts cold, since Python has nothing to warm up."""
    if not PYTHON.exists():
        raise InduTechError(f"No {PYTHON.relative_to(PROJECT)}: `pydoc bench.on_request.engines` says how to make it.")
    named = {QUIX: f"Quix Streams {VERSION}", BY_HAND: BY_HAND, OURS: OURS}
    rates: dict[str, list[float]] = {job: [] for job in named}
    library = {"PYTHONPATH": os.pathsep.join([str(PROJECT / "lib"), str(PROJECT)]), "PYTHONWARNINGS": "ignore"}
    with own_broker() as (settings, broker):
        filled(console, broker, PARTITIONS, TICKETS, WARM_UP_TICKETS)
        for number in range(ROUNDS):
            for job, name in named.items():
                with console.status(f"{name}, round {number + 1} of {ROUNDS}"):
                    own = {"environment": library, "program": str(PYTHON)} if job == QUIX else {}
                    drain = timed(job, PARTITIONS, TICKETS, broker, settings.data_dir / f"{job}-{number}", **own)
                if drain.stored < LEAST_STORED * TICKETS:
                    raise InduTechError(f"{name} stored {drain.stored:,} of {TICKETS:,} tickets.")
                rates[job].append(drain.tickets_per_s)
    return [
        Figure("engines", "tickets drained, each time", TICKETS, "tickets"),
        *(of_rounds("engines", named[job], rounds, "tickets/s") for job, rounds in rates.items()),
    ]
