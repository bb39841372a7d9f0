"""The report of the committed notebooks, written once in each language for all files and both processes of pytest."""

import os
from pathlib import Path

from filelock import FileLock

from indutech.report.edition import report_folder
from indutech.report.edition.report_folder import ProofLine, Run
from indutech.report.execution import Executed, find_notebooks

COUNTS = {"acknowledged": 7, "stored": 6, "quarantined": 1, "lost": 0, "twice": 0}  # others than notebook 03 has


def written_once(temporary: Path, lang: str) -> Path:
    """Return the folder of the report in that language; `temporary` is pytest's base folder of this process."""
    of_all = temporary.parent if "PYTEST_XDIST_WORKER" in os.environ else temporary
    place = of_all / f"rapport d'été {lang}"  # users have spaces and accents
    with FileLock(of_all / f"report-{lang}.lock"):
        if not (place / "report").exists():
            executed = [Executed(path, path, 1.0) for path in find_notebooks()]
            run = Run(
                {"Made": "today", "Project": "InduTech"},
                ProofLine("reconciled: 7 sent, 7 stored, 0 lost, 0 twice", True, COUNTS),
                {},
                lang,
            )
            place.mkdir(exist_ok=True)
            report_folder.write(executed, place / "report", run)
    return place / "report"
