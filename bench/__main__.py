"""Run the benchmarks: `python -m bench` for all sections, `python -m bench produce` for one."""

import argparse
import sys
import time
from collections.abc import Callable

from rich.console import Console

from bench import audit, drain, figures, latency, micro_batches, produce, questions, readings, real_time, s3
from bench.figures import Figure
from indutech.system.errors import InduTechError

# In this order; each fills a broker of its own and prints its table.
SECTIONS: dict[str, Callable[[Console], list[Figure]]] = {
    "produce": produce.run,
    "stream": lambda console: figures.of_drains(drain.run(console)),
    "micro-batches": micro_batches.run,
    "latency": latency.run,
    "real-time": real_time.run,
    "audit": audit.run,
    "s3": s3.run,
    "readings": readings.run,
    "questions": questions.run,
}


def main(arguments: list[str]) -> None:
    """Run the sections that were asked for, then print every promise beside what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=f"{' or '.join(SECTIONS)}; all if none is named")
    asked = parser.parse_args(arguments).sections
    if unknown := [name for name in asked if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}: there are {', '.join(SECTIONS)}")
    console, began = Console(), time.monotonic()
    found = [figure for name, run in SECTIONS.items() if not asked or name in asked for figure in run(console)]
    console.print(figures.as_table(found))
    console.print(f"{time.monotonic() - began:,.0f} s in all.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InduTechError as error:
        sys.exit(f"bench: {error}")
