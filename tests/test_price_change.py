"""A change of prices is one edit: the price list. Documents follow by command, and no test holds a price."""

import csv
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from indutech.costs.inputs.prices import COLUMNS, PRICES_FILE
from indutech.system.settings import PROJECT

COPIED = (
    "assets", "docs", "lib", "notebooks", "tests", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml",
    ".env.example", "docker-compose.yml",
)  # fmt: skip
ABOUT_COSTS = (
    "test_costs.py", "test_cost_decisions.py", "test_cost_document.py", "test_cost_export.py", "test_estimate.py",
    "test_prices.py", "test_price_refresh.py", "test_watch.py", "test_choices.py",
    "test_business.py", "test_calculator.py",
)  # fmt: skip
# Renewed by `make notebooks`; and properties that are tried on many examples, also of other prices, where they stand.
LEFT_OUT = ("committed_notebook", "rises_with_usage", "rise_with_usage", "continuous")


def copied(folder: Path) -> Path:
    """A copy of the project without what is made at run time."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, folder / name)
    return folder


def change_prices(project: Path) -> None:
    """Another price for every rate, each by its own factor between two thirds and three halves."""
    file = project / PRICES_FILE.relative_to(PROJECT)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for place, row in enumerate(rows):
        factor = Decimal("0.67") + Decimal(place * 37 % 83) / 100
        row.update({name: str(Decimal(row[name]) * factor) for name in ("price", "low", "high") if row[name]})
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def run(project: Path, *arguments: str) -> str:
    """The output of a Python command in the copy, which has to succeed."""
    environment = os.environ | {"PYTHONPATH": f"{project / 'lib'}"}
    done = subprocess.run([sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_changed_prices_need_no_change_of_python(tmp_path: Path) -> None:
    """With other prices the document and the watch files are renewed, and every test about costs is green again.

    The committed notebook is left out: `make notebooks` renews it, and its test compares it with the model.
    """
    project = copied(tmp_path / "project")
    change_prices(project)

    assert "docs/03-costs.md" in run(project, "-m", "indutech", "documents")
    # Without the shared fixtures, because none of these needs a broker or a Spark.
    run(project, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", "-k", f"not ({' or '.join(LEFT_OUT)})",
        *(f"tests/{name}" for name in ABOUT_COSTS))  # fmt: skip
