"""The record of a run of the laboratory: a row per fault, written to data_output/faults/ when the tests end."""

import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from indutech.system.settings import PROJECT

FOLDER = PROJECT / "data_output" / "faults"
SEED = int(os.environ.get("SEED") or 13)


@dataclass(frozen=True)
class Row:
    """What one fault did: how often it was injected, and what was found once things had settled.

    `expired` are offsets that the topic deleted before they were stored: nobody can bring them back, each was named.
    `recovery_s` is the time from the last injection until everything that was sent was stored.
    """

    family: int  # of the fault, 1 to 21
    fault: str
    injected: int
    sent: int
    stored: int
    quarantined: int
    lost: int
    twice: int
    recovery_s: float
    expired: int = 0


_rows: list[dict[str, Any]] = []
_failed: set[str] = set()
_began = time.monotonic()
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ  # several processes run the tests, the one that began them writes


@pytest.fixture
def record_fault(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`record_fault(family=12, fault="…", injected=3, sent=…, …)` adds a row to the table of this run."""

    def record(**fields: object) -> None:
        request.node.user_properties.append(("fault", asdict(Row(**fields))))  # type: ignore[arg-type]

    return record


def pytest_report_header() -> str:
    """Say the seed: with SEED=… the same moments are drawn again."""
    return f"seed of the laboratory: {SEED}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the rows of each test as it ends: a run that is cut short has its rows too."""
    if report.failed:
        _failed.add(report.nodeid)
    rows = [row for name, row in report.user_properties if name == "fault"]
    if report.when == "teardown" and rows and not _IS_WORKER:
        _rows.extend(rows)
        _write()


def pytest_sessionfinish() -> None:
    """Write the table, if any fault was injected."""
    if _rows:
        _write()
        print(f"\n{len(_rows)} faults: {FOLDER / 'run.md'}")


def _write() -> None:
    run = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "command": os.environ.get("LABORATORY_COMMAND") or shlex.join(["pytest", *sys.argv[1:]]),
        "seed": SEED,
        "seconds": round(time.monotonic() - _began),
        "passed": not _failed,
        "rows": sorted(_rows, key=lambda row: (row["family"], row["fault"])),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (FOLDER / "run.md").write_text(as_markdown(run), "utf-8")


def as_markdown(run: dict) -> str:
    """The run as a table for people."""
    names = [*Row.__dataclass_fields__]
    lines = [
        f"`{run['command']}` on {run['date']}: {run['cores']} cores, {run['memory_gib']} GiB, seed {run['seed']}, "
        f"{run['seconds']} s.",
        "",
        "| " + " | ".join(name.replace("_s", " (s)") for name in names) + " |",
        "|" + "---|" * len(names),
    ]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in run["rows"]]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
