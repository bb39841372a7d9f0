"""Writes the report: a folder with an index, a page for each executed notebook and document, and files; no network."""

import copy
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import plotly
from nbformat.v4 import new_markdown_cell, new_notebook

from indutech.jvm.jars import KAFKA_SERVER, WANTED
from indutech.report import findings
from indutech.report.edition import claims, figures, front_page, pages, reference_runs
from indutech.report.edition.templates import STYLE
from indutech.report.edition.translation import notebooks as texts
from indutech.report.edition.translation import recognised
from indutech.report.execution import Executed
from indutech.report.findings import Figure, Findings
from indutech.show import language
from indutech.show.language import marked
from indutech.system.settings import PROJECT

DOCUMENTS = ("00-summary", "01-service-choices", "02-compatibility", "03-costs")
CARRIED = (
    "aws_prices.csv", "usage.csv", "business_case.csv", "estimate-2025.csv", "estimate-2025-audit.csv",
    "platform.toml", "decisions.toml", "bibliography.toml", "reference-measurement.json", "fault-runs.json",
    "bench-runs.json", "month-run.json", "diagrams/*.svg", "cloudformation/*.json",
)  # fmt: skip
IN_EVERY_LANGUAGE = ("00-summary",)  # documents; the longer ones are in English
FACTS = (
    marked("Made"),
    marked("Project"),
    marked("Parameters"),
    marked("Broker"),
    marked("Versions"),
    marked("Machine"),
    marked("InduTech {version}, commit {commit}"),
    marked("{machine}, {cores} cores"),
    marked("the defaults"),
    marked("embedded, started for this run"),
    marked("reference run of {day}"),
    marked("{day} UTC, in {seconds} s"),
    marked("reconciled after the last notebook"),
)  # what a run notes of itself, in English in run.json and in the language of the pages on them
PACKAGES = ("pyspark", "kafka-python", "duckdb", "pandas", "pyarrow", "plotly")


@dataclass(frozen=True)
class ProofLine:
    """The reconciliation of the run in one line, whether it holds, and its counts."""

    sentence: str
    kept: bool
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What the report says about the run, apart from the notebooks."""

    facts: Mapping[str, str]
    proof: ProofLine | None
    parameters: Mapping[str, object] = field(default_factory=dict)
    language: str = language.SOURCE  # of the pages; what the run noted is in English


@dataclass(frozen=True)
class Page:
    """A notebook or a document, as the front page lists it."""

    file: str
    source: str  # what it was made from, as the report carries it
    number: str
    title: str
    question: str
    answer: str
    answer_html: str
    lang: str = language.SOURCE  # of what it says

    @property
    def is_notebook(self) -> bool:
        """Whether it was executed for this report."""
        return self.source.endswith(".ipynb")


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
        "Machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }  # fmt: skip


def write(executed: Sequence[Executed], into: Path, run: Run) -> Path:
    """Write the report and return its index; what was there is replaced only once the new one is complete.

    Raises:
        LanguageError: there is no catalogue for the language of the run.
    """
    with language.spoken(run.language):
        return _written(executed, into, run)


def _written(executed: Sequence[Executed], into: Path, run: Run) -> Path:
    new = into.with_name(f"{into.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    for name in ("notebooks", "data"):
        (new / name).mkdir(parents=True)
    _write_assets(new / "assets")
    carried = _carry(new / "files")
    notebooks = [nbformat.read(one.path, as_version=4) for one in executed]
    documents = [_document(name) for name in DOCUMENTS]
    listed = [_notebook_page(one.source, notebook) for one, notebook in zip(executed, notebooks, strict=True)]
    listed += [_document_page(name, document) for name, document in zip(DOCUMENTS, documents, strict=True)]
    found = _findings(listed, notebooks, run)
    for page, notebook in zip(listed, notebooks, strict=False):
        nbformat.write(notebook, new / page.source)
    english, listed = listed, [_in_language(page) for page in listed]
    for index, (page, content) in enumerate(zip(listed, [*notebooks, *documents], strict=True)):
        context = {
            **asdict(page),
            "files": [other.file for other in listed],
            "carried": carried,
            "stamp": f"InduTech · {recognised.said(run.facts.get('Made', ''))}",
            "previous": asdict(listed[index - 1]) if index else None,
            "next": asdict(listed[index + 1]) if index + 1 < len(listed) else None,
        }
        shown = texts.translated(content) if page.lang == language.active() else copy.deepcopy(content)
        for chart in figures.numbered(shown, page.number):
            chart.table.to_csv(new / "data" / chart.file, index=False)
        (new / page.file).write_text(pages.to_html(shown, context), encoding="utf-8")
    index_html = front_page.html(found, listed, run, reference_runs.faults(), carried)
    (new / "index.html").write_text(index_html, encoding="utf-8")
    facts = {
        "facts": run.facts,
        "parameters": run.parameters,
        "proof": asdict(run.proof) if run.proof else None,
        "pages": [page.file for page in listed],
        "figures": findings.as_data(found),
        "conclusions": front_page.conclusions(_in_english(index_html, found, english, run, carried)),
        "language": run.language,
    }
    (new / "run.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.rmtree(into, ignore_errors=True)
    new.rename(into)
    return into / "index.html"


def _in_english(index_html: str, found: Findings, listed: Sequence[Page], run: Run, carried: dict[str, str]) -> str:
    """The front page as the sources have it: two runs are compared by it, whatever the language of their pages."""
    if run.language == language.SOURCE:
        return index_html
    with language.spoken(language.SOURCE):
        return front_page.html(found, listed, run, reference_runs.faults(), carried)


def _in_language(page: Page) -> Page:
    """A page as the front page lists it, in the language being written in, unless it is a longer document."""
    if language.active() == language.SOURCE or not (page.is_notebook or Path(page.file).stem in IN_EVERY_LANGUAGE):
        return page
    title, question, answer = (recognised.said(text) for text in (page.title, page.question, _first(page.answer)))
    return replace(
        page, title=title, question=question, answer=answer, answer_html=pages.markdown(answer), lang=language.active()
    )


def _first(answer: str) -> str:
    """The first sentence of an answer: the catalogue has one sentence a message."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", answer)[0]


def _findings(listed: Sequence[Page], notebooks: Sequence[nbformat.NotebookNode], run: Run) -> Findings:
    """The figures that cells say, those of reference runs, and the reconciliation after the last notebook."""
    said = [
        findings.of_notebook(notebook, page.file, f"{page.number} {page.title}".strip())
        for page, notebook in zip(listed, notebooks, strict=False)
    ]
    found = findings.together([reference_runs.figures(), *said])
    for name, count in (run.proof.counts if run.proof else {}).items():
        if name not in found or found[name].value != count:
            found[name] = Figure(f"{count:,}", count, "index.html#proof", "reconciled after the last notebook")
    return found


def _notebook_page(source: Path, notebook: nbformat.NotebookNode) -> Page:
    number, _, name = source.stem.partition("_")
    said = pages.opening(notebook)
    return Page(
        file=f"{source.stem}.html",
        source=f"notebooks/{source.name}",
        number=number,
        title=said.title or name,
        question=said.question,
        answer=said.answer,
        answer_html=pages.markdown(said.answer),
    )


def _document(name: str) -> nbformat.NotebookNode:
    """A document of docs/ as a notebook of one cell, so that it becomes a page like the others."""
    text = (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    made: nbformat.NotebookNode = new_notebook(cells=[new_markdown_cell(claims.as_keys(text))])
    return made


def _document_page(name: str, document: nbformat.NotebookNode) -> Page:
    title, _, rest = document.cells[0].source.removeprefix("# ").partition("\n")
    about = rest.strip().partition("\n")[0]  # its first sentence: one stands on each line
    return Page(f"{name}.html", f"files/{name}.md", "", title, "", about, pages.markdown(about))


def _carry(folder: Path) -> dict[str, str]:
    """Copy the files that tables and documents come from; return where each is, by its name."""
    folder.mkdir()
    wanted = [path for pattern in CARRIED for path in sorted((PROJECT / "assets").glob(pattern))]
    for path in [*wanted, *(PROJECT / "docs" / f"{name}.md" for name in DOCUMENTS)]:
        shutil.copy(path, folder)
    return {path.name: f"files/{path.name}" for path in wanted}


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
