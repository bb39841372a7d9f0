"""Keeps what a run of the plant took: `python -m bench.plant FILE`, a file with what `plant up --json` printed.

Ten minutes are too long for `make bench`, so the run is made by hand, and this writes assets/plant-run.json from it.
"""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil

from indutech.plant.together.measured import FILE, PlantRun
from indutech.system.state_files import write_json


def main(file: Path) -> None:
    """Write the committed file."""
    told = json.loads(file.read_text("utf-8"))
    rates = " ".join(f"--{name} {told['traffic'][name]:g}" for name in ("tickets", "readings", "changes"))
    run = PlantRun.of(
        told,
        measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
        made_by=f"indutech plant up {rates}",
        cores=os.cpu_count(),
        memory_gib=round(psutil.virtual_memory().total / 1024**3, 1),
    )
    write_json(FILE, asdict(run))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
