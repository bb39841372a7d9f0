"""Writes the report: a folder with an index, a page for each executed notebook, and assets; it needs no network."""

import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import nbformat
import plotly
from bs4 import BeautifulSoup

from indutech.jvm.jars import KAFKA_SERVER, WANTED
from indutech.report import pages
from indutech.report.execution import Executed
from indutech.report.pages import STYLE
from indutech.show import readable
from indutech.system.settings import PROJECT

SUMMARY = PROJECT / "docs" / "00-summary.md"
PACKAGES = ("pyspark", "kafka-python", "duckdb", "pandas", "pyarrow", "plotly")


@dataclass(frozen=True)
class ProofLine:
    """The reconciliation of the run, in one line, and whether it holds."""

    sentence: str
    kept: bool


@dataclass(frozen=True)
class Run:
    """What the index says about the run, apart from the notebooks."""

    facts: Mapping[str, str]
    proof: ProofLine | None


@dataclass(frozen=True)
class Page:
    """A notebook, as the index shows it."""

    file: str
    notebook: str
    number: str
    title: str
    question: str
    answer: str
    answer_html: str


def run_facts(
    made_at: datetime, executed: Sequence[Executed], parameters: Mapping[str, object], broker: str
) -> dict[str, str]:
    """Date, versions and parameters, in words."""
    commit = _commit()
    return {
        "Made": f"{made_at:%d %B %Y, %H:%M} UTC, in {sum(one.seconds for one in executed):.0f} s",
        "Project": f"InduTech {importlib.metadata.version('indutech')}" + (f", commit {commit}" if commit else ""),
        "Parameters": ", ".join(f"{name} = {value}" for name, value in parameters.items()) or "the defaults",
        "Broker": broker,
        "Versions": ", ".join([
            f"Python {platform.python_version()}", f"Apache Kafka {WANTED[KAFKA_SERVER][0].rpartition(':')[2]}",
            *(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        ]),
        "Machine": f"{platform.system()} {platform.machine()}",
    }  # fmt: skip


def write(executed: Sequence[Executed], into: Path, run: Run) -> Path:
    """Write the report and return its index; what was there is replaced only once the new one is complete."""
    new = into.with_name(f"{into.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    (new / "notebooks").mkdir(parents=True)
    _write_assets(new / "assets")
    notebooks = [nbformat.read(one.path, as_version=4) for one in executed]
    listed = [_page(one.source, notebook) for one, notebook in zip(executed, notebooks, strict=True)]
    stamp = run.facts.get("Made", "")
    for index, (page, notebook) in enumerate(zip(listed, notebooks, strict=True)):
        context = {
            **asdict(page),
            "files": [other.file for other in listed],
            "stamp": f"InduTech · {stamp}",
            "previous": asdict(listed[index - 1]) if index else None,
            "next": asdict(listed[index + 1]) if index + 1 < len(listed) else None,
        }
        (new / page.file).write_text(pages.to_html(notebook, context), encoding="utf-8")
        nbformat.write(notebook, new / "notebooks" / page.notebook)
    facts = {"facts": run.facts, "proof": asdict(run.proof) if run.proof else None, "pages": [p.file for p in listed]}
    (new / "run.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (new / "index.html").write_text(_index(listed, run), encoding="utf-8")
    shutil.rmtree(into, ignore_errors=True)
    new.rename(into)
    return into / "index.html"


def _page(source: Path, notebook: nbformat.NotebookNode) -> Page:
    number, _, name = source.stem.partition("_")
    said = pages.opening(notebook)
    return Page(
        file=f"{source.stem}.html",
        notebook=source.name,
        number=number,
        title=said.title or name,
        question=said.question,
        answer=said.answer,
        answer_html=pages.markdown(said.answer),
    )


def _index(listed: Sequence[Page], run: Run) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(STYLE), autoescape=True)
    summary = pages.document_part(SUMMARY.read_text(encoding="utf-8"))
    soup = BeautifulSoup(
        environment.get_template("index.html.j2").render(pages=listed, run=run, summary=summary), "html.parser"
    )
    readable.tables(soup)
    return f"{soup}\n"


def _write_assets(folder: Path) -> None:
    folder.mkdir()
    css = (STYLE / "report.css").read_text(encoding="utf-8")
    (folder / "report.css").write_text(f"{css}\n{pages.highlighting_css()}\n", encoding="utf-8")
    shutil.copy(STYLE / "report.js", folder)
    package: Any = plotly
    shutil.copy(Path(package.__file__).parent / "package_data" / "plotly.min.js", folder)


def _commit() -> str:
    """Short hash of the checked-out commit, with a + if files differ from it; empty outside git."""
    git = shutil.which("git")
    if not git or not (PROJECT / ".git").exists():
        return ""
    said = subprocess.run(
        [git, "describe", "--always", "--dirty=+"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()
