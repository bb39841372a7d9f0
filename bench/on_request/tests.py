"""Where the time of `make test` goes: pytest as the Makefile runs it, and the files that take longest.

Several processes share the files, so that the seconds of all files are some times those of the whole.
"""

import re
import subprocess
import sys
import time
from collections import Counter

from rich.console import Console

from bench.figures import Figure
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

MOST_S = 600
SHOWN = 12
_TOOK = re.compile(r"^([\d.]+)s (?:call|setup|teardown) +([^:]+)::", re.MULTILINE)
_COMMAND = re.compile(r"^test:.*\n\t@\$\(BIN\)/(pytest .*)$", re.MULTILINE)


def run(console: Console) -> list[Figure]:
    """Run all tests once, and return how long they took and the files that take longest."""
    found = _COMMAND.search((PROJECT / "Makefile").read_text(encoding="utf-8"))
    if not found:
        raise InduTechError("The Makefile has no target test that runs pytest.")
    command = [sys.executable, "-m", "pytest", *found[1].split()[1:], "--durations=0", "--durations-min=0.5"]
    with console.status("all tests"):
        began = time.monotonic()
        ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
    if ran.returncode:
        raise InduTechError(f"Not all tests passed: {ran.stdout.strip().splitlines()[-1]}")
    return figures(ran.stdout, seconds)


def figures(said: str, seconds: float) -> list[Figure]:
    """What pytest said about its durations, by file."""
    took: Counter[str] = Counter()
    for length, file in _TOOK.findall(said):
        took[file] += float(length)
    longest = took.most_common(SHOWN)
    rest = took.total() - sum(length for _, length in longest)
    return [
        Figure("tests", "pytest of `make test`", seconds, "s", at_most=MOST_S),
        *(Figure("tests", file, length, "s") for file, length in longest),
        Figure("tests", f"{len(took) - SHOWN} other files", rest, "s"),
    ]
