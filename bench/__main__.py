"""Run the benchmarks: `python -m bench` for all sections, `python -m bench produce` for one.

`--save` keeps what was measured in assets/bench-runs.json, from which docs/performance.md is made (`make docs`).
"""

import argparse
import sys
import time
from collections.abc import Callable

from rich.console import Console

from bench import (
    audit,
    batch_sizes,
    drain,
    figures,
    ladder,
    latency,
    micro_batches,
    produce,
    questions,
    readings,
    real_time,
    s3,
    scaling,
)
from bench.figures import Figure
from indutech.system.errors import InduTechError

# In this order; each fills a broker of its own and prints its table.
SECTIONS: dict[str, Callable[[Console], list[Figure]]] = {
    "produce": produce.run,
    "stream": drain.run,
    "ladder": ladder.run,
    "batch-sizes": batch_sizes.run,
    "scaling": scaling.run,
    "micro-batches": micro_batches.run,
    "latency": latency.run,
    "real-time": real_time.run,
    "audit": audit.run,
    "s3": s3.run,
    "readings": readings.run,
    "questions": questions.run,
}


def main(arguments: list[str]) -> None:
    """Run the sections that were asked for, then print what is wanted beside what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="section", help=f"{' or '.join(SECTIONS)}; all if none is named")
    parser.add_argument("--save", action="store_true", help="write what was measured to assets/bench-runs.json")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.sections if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}: there are {', '.join(SECTIONS)}")
    console, found, seconds = Console(), dict[str, list[Figure]](), dict[str, float]()
    for name in asked.sections or SECTIONS:
        began = time.monotonic()
        found[name] = SECTIONS[name](console)
        seconds[name] = time.monotonic() - began
        if asked.save:
            figures.save({name: found[name]}, seconds)
    console.print(figures.as_table([figure for section in found.values() for figure in section]))
    console.print(f"{sum(seconds.values()):,.0f} s in all.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InduTechError as error:
        sys.exit(f"bench: {error}")
