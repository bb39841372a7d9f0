"""Where the time of `make report` goes, set up: each notebook, and the pages with the one file and the PDF."""

import os
import re
import subprocess
import sys
import tempfile
import time

from rich.console import Console

from bench.figures import Figure
from indutech.system.errors import InduTechError

MOST_S = 75
_RAN = re.compile(r"\[\d+/\d+\] (\w+)  \d+ cells in (\d+) s")


def run(console: Console) -> list[Figure]:
    """Make one report in a folder of its own, and return what each part of it took."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder, console.status("make report"):
        environment = {**os.environ, "INDUTECH_DATA_DIR": folder}
        environment.pop("KAFKA_BOOTSTRAP_SERVERS", None)
        began = time.monotonic()
        command = [sys.executable, "-m", "indutech", "report"]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
    if ran.returncode:
        raise InduTechError(f"`indutech report` ended with exit code {ran.returncode}: {ran.stderr.strip()[-300:]}")
    notebooks = {name: int(took) for name, took in _RAN.findall(ran.stdout + ran.stderr)}
    rest = seconds - sum(notebooks.values())
    return [
        Figure("report", "`make report`, set up", seconds, "s", at_most=MOST_S),
        *(Figure("report", name, took, "s") for name, took in notebooks.items()),
        Figure("report", "pages, one file, PDF, start and proof", rest, "s"),
    ]
