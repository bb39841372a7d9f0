"""Run the benchmarks: `python -m bench` for the main sections, `python -m bench scaling` for one.

`--save` keeps what was measured in assets/bench-runs.json, from which docs/performance.md is made (`make docs`).
"""

import argparse
import sys
import time
from collections.abc import Callable

from rich.console import Console

from bench import audit, drain, figures, ladder, latency, produce, s3, start
from bench.figures import Figure
from bench.on_request import (
    batch_sizes,
    engines,
    growth,
    micro_batches,
    questions,
    readings,
    real_time,
    report,
    scaling,
    tests,
)
from indutech.system.errors import InduTechError

# In this order; each has a broker of its own and prints its table.
SECTIONS: dict[str, Callable[[Console], list[Figure]]] = {
    "produce": produce.run,
    "stream": drain.run,
    "ladder": ladder.run,
    "latency": latency.run,
    "start": start.run,
    "audit": audit.run,
}
ON_REQUEST: dict[str, Callable[[Console], list[Figure]]] = {
    "batch-sizes": batch_sizes.run,
    "scaling": scaling.run,
    "growth": growth.run,
    "engines": engines.run,
    "micro-batches": micro_batches.run,
    "real-time": real_time.run,
    "readings": readings.run,
    "questions": questions.run,
    "report": report.run,
    "tests": tests.run,
    "s3": s3.run,
}


def main(arguments: list[str]) -> None:
    """Run the sections that were asked for, then print what is wanted beside what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    main_ones, others = ", ".join(SECTIONS), ", ".join(ON_REQUEST)
    parser.add_argument(
        "sections", nargs="*", metavar="section", help=f"{main_ones}: all of these if none is named; or {others}"
    )
    parser.add_argument("--save", action="store_true", help="write what was measured to assets/bench-runs.json")
    asked = parser.parse_args(arguments)
    known = SECTIONS | ON_REQUEST
    if unknown := [name for name in asked.sections if name not in known]:
        parser.error(f"no section {', '.join(unknown)}: there are {', '.join(known)}")
    console, found, seconds = Console(), dict[str, list[Figure]](), dict[str, float]()
    for name in asked.sections or SECTIONS:
        began = time.monotonic()
        found[name] = known[name](console)
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
