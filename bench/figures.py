"""What was measured, beside what the project wants: the table at the end, and the runs for docs/performance.md."""

import json
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.box import SIMPLE_HEAD
from rich.table import Table

from indutech.jvm import jars
from indutech.report.edition.performance.document import shown
from indutech.report.edition.performance.runs import BENCH_RUNS

PACKAGES = ("pyspark", "confluent-kafka", "kafka-python", "pyarrow", "duckdb")


@dataclass(frozen=True)
class Figure:
    """One measured number, of several rounds their median; a bound is what the project wants of it, if anything."""

    section: str
    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f"at least {shown(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"at most {shown(self.at_most, self.unit)}"

    @property
    def verdict(self) -> str:
        """Whether the bound holds; nothing where there is none."""
        if not self.wanted:
            return ""
        low, high = self.at_least, self.at_most
        reached = (low is None or self.value >= low) and (high is None or self.value <= high)
        return "[green]reached[/]" if reached else "[red]missed[/]"


def of_rounds(
    section: str,
    what: str,
    rounds: Sequence[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """The median of several rounds, with the lowest and the highest of them."""
    return Figure(section, what, statistics.median(rounds), unit, at_least, at_most, min(rounds), max(rounds))


def as_table(figures: Sequence[Figure]) -> Table:
    """Return the figures of all sections, one row each."""
    table = Table(title="Measured in one run on this machine", title_justify="left", box=SIMPLE_HEAD)
    for name in ("section", "what", "measured", "wanted", ""):
        table.add_column(name, justify="right" if name in ("measured", "wanted") else "left")
    for figure in figures:
        table.add_row(figure.section, figure.what, shown(figure.value, figure.unit), figure.wanted, figure.verdict)
    return table


def save(found: Mapping[str, Sequence[Figure]], seconds: Mapping[str, float], file: Path = BENCH_RUNS) -> None:
    """Write these sections to the committed runs, each with its day, machine and versions; others stay as they are."""
    runs = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name, figures in found.items():
        runs[name] = {
            **_surroundings(),
            "command": f"python -m bench {name}",
            "seconds": round(seconds[name]),
            "figures": [{key: _rounded(value) for key, value in asdict(figure).items()} for figure in figures],
        }
    file.write_text(json.dumps(runs, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _surroundings() -> dict[str, object]:
    memory = psutil.virtual_memory().total / 2**30
    broker = next(jar.coordinate for jar in jars.locked("kafka-server") if ":kafka_2." in jar.coordinate)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": psutil.cpu_count(),
        "memory_gib": round(memory, 1),
        "processor": _processor(),
        "load_before": round(psutil.getloadavg()[2], 1),
        "versions": {
            "Python": platform.python_version(),
            "Kafka": broker.rpartition(":")[2],
            **{name: version(name) for name in PACKAGES},
        },
    }


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", cpus.read_text()) if cpus.exists() else None
    return found[1] if found else platform.processor()


def _rounded(value: object) -> object:
    return float(f"{value:.5g}") if isinstance(value, float) else value
