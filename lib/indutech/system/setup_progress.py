"""What `make setup` shows while pip works: one line that moves, instead of pages or of silence.

Run by the system's Python before any package is installed, so it needs nothing but the standard library.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

_WIDTH = 30


def progress(lines: Iterable[str], total: int) -> Iterable[str]:
    """Turn pip's output into lines such as `[####      ]  40/173 pandas`."""
    collected = 0
    for line in lines:
        if found := re.match(r"Collecting ([\w.-]+)", line):
            collected += 1
            filled = _WIDTH * min(collected, total) // total
            name = re.split(r"[=<>!~]", found.group(1))[0]
            yield f"[{'#' * filled:<{_WIDTH}}] {collected:>3}/{total} {name}"
        elif line.startswith("Installing collected"):
            yield f"[{'#' * _WIDTH}] {total}/{total} downloaded; installing …"


def main(lock: Path) -> None:
    """Read pip's output from standard input; on a terminal the line moves, elsewhere only its ends are written."""
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    print(f"Installing {total} locked Python packages into .venv (1 to 3 minutes the first time)", flush=True)
    last = ""
    for last in progress(sys.stdin, total):
        if sys.stdout.isatty():
            print(f"\r{last:<79}", end="", flush=True)
    if last:
        print(f"\r{last:<79}" if sys.stdout.isatty() else "Installed.", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
