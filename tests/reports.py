"""The report of the committed notebooks, written once in each language for all files and all processes of pytest."""

import os
from pathlib import Path

from filelock import FileLock

from indutech.report.edition import report_folder
from indutech.report.edition.report_folder import ProofLine, Run
from indutech.report.execution import Executed, find_notebooks

COUNTS = {"acknowledged": 20_125, "stored": 20_120, "quarantined": 5, "lost": 0, "twice": 0}  # not those of notebook 03
PROOF = "reconciled: 20,125 sent, 20,120 stored, 0 lost, 0 twice, 5 set aside with the reason"
FACTS = {
    "Made": "29 November 2026, 22:42 UTC, in 95 s", "Project": "InduTech 0.1.0, commit c443c6d",
    "Parameters": "the defaults", "Broker": "embedded, started for this run", "Machine": "Linux x86_64, 2 cores",
}  # fmt: skip


def written_once(temporary: Path, lang: str) -> Path:
    """Return the folder of the report in that language; `temporary` is pytest's base folder of this process."""
    of_all = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    place = of_all / f"rapport d'été {lang}"  # users have spaces and accents
    with FileLock(of_all / f"report-{lang}.lock"):
        if not (place / "report").exists():
            executed = [Executed(path, path, 1.0) for path in find_notebooks()]
            run = Run(FACTS, ProofLine(PROOF, True, COUNTS), {}, lang)
            place.mkdir(exist_ok=True)
            report_folder.write(executed, place / "report", run)
    return place / "report"
