"""Runs all notebooks, to build the report or to renew their committed outputs."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.proof import reconcile
from indutech.proof.reconcile import NothingToProve
from indutech.report import execution, kept_runs, reconciliation
from indutech.report.edition import chromium, one_file, pdf, report_folder
from indutech.report.edition.chromium import BrowserFailed
from indutech.report.edition.report_folder import ProofLine, Run
from indutech.report.execution import Executed
from indutech.show import language
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.signals import interruptible


class ProofBroken(InduTechError):
    """The reconciliation of the run failed: messages were lost, stored twice or not read."""


@dataclass(frozen=True)
class MadeReport:
    """The report's index page, its reconciliation (None if nothing was sent), and the files that hold all of it."""

    index: Path
    proof: ProofLine | None
    files: Sequence[Path] = ()
    without: str = ""  # why one of them is missing or lesser, in a sentence


def make_report(
    parameters: Mapping[str, object] | None = None,
    sources: Sequence[Path] | None = None,
    show_progress: bool = True,
    spoken: str = language.SOURCE,
) -> MadeReport:
    """Run the notebooks, by default all, with a data folder and topic of their own, and write the report.

    The language is that of the pages: what a run prints is in English, and recognised in the catalogue.

    Raises:
        NotebookFailed: the report of the run before stays as it is.
        ProofBroken: the report is written, and says so too.
    """
    root, parameters = folder(), dict(parameters or {})
    with language.spoken(spoken):
        pass  # a catalogue that cannot be read is said before the notebooks run
    with interruptible(), execution.room("report") as settings:
        # The lease over the whole run keeps one broker from the first notebook to the last, and to the proof.
        with _broker_for_the_run(settings) as broker:
            executed = execution.run_all(
                execution.find_notebooks() if sources is None else sources,
                settings.data_dir / "notebooks",
                parameters,
                show_progress,
            )
            line = _proof_line(settings, broker)
            named = "embedded, started for this run" if broker.embedded else broker.bootstrap_servers
        made_at = datetime.now(UTC)
        facts = report_folder.run_facts(made_at, executed, parameters, named)
        made = _written(executed, kept_runs.new_folder(root, made_at, spoken), Run(facts, line, parameters, spoken))
    if line and not line.kept:
        raise ProofBroken(f"The run does not reconcile: {line.sentence}. The report says so too: {made.index}")
    return made


def rebuild(name: str = kept_runs.LATEST, spoken: str | None = None) -> MadeReport:
    """Write the pages of a kept run again, from its executed notebooks and its facts; nothing is run.

    In another language they become an edition of their own beside it; without a language they keep theirs.

    Raises:
        UnknownRun: no such run is kept.
    """
    run = kept_runs.find(folder(), name)
    told, spoken = run.facts, spoken or run.language
    with tempfile.TemporaryDirectory(prefix="indutech-report-") as aside:
        shutil.copytree(run.folder / "notebooks", Path(aside) / "notebooks")
        executed = [Executed(path, path, 0) for path in sorted((Path(aside) / "notebooks").glob("*.ipynb"))]
        line = ProofLine(**told["proof"]) if told["proof"] else None
        into = kept_runs.edition_folder(run.folder, spoken)
        return _written(executed, into, Run(told["facts"], line, told.get("parameters", {}), spoken))


def folder() -> Path:
    """Where the reports of this data folder are kept."""
    return Settings().data_dir / "report"


def _written(executed: Sequence[Executed], into: Path, run: Run) -> MadeReport:
    """Pages, the one file and the PDF of a run, which becomes the latest."""
    report_folder.write(executed, into, run)
    with language.spoken(run.language):
        files, without = _bound(into)
        index = kept_runs.publish(into.parent, into)
    return MadeReport(index, run.proof, [index.with_name(file.name) for file in files], without)


def _bound(report: Path) -> tuple[list[Path], str]:
    """The one file and the PDF; without Chromium the file draws its charts with Plotly, and there is no PDF."""
    program = chromium.find()
    why = chromium.HOW_TO_GET
    if program:
        try:
            drawn = one_file.chapters(report, chromium.draw(one_file.chart_specs(report), program))
            return [one_file.write(report, drawn, static=True), pdf.write(report, drawn, program)], ""
        except BrowserFailed as failed:
            why = str(failed)
    files = [one_file.write(report, one_file.chapters(report, None), static=False)]
    return files, f"No PDF, and the one file carries Plotly: {why}."


def refresh_outputs() -> list[Path]:
    """Run every notebook with its defaults and save the outputs in place; return the notebooks that changed."""
    sources = execution.find_notebooks()
    with (
        interruptible(),
        execution.room("notebooks") as settings,
        _broker_for_the_run(settings),
    ):
        executed = execution.run_all(sources, settings.data_dir / "notebooks")
    return [one.source for one in executed if _save_outputs(one.path, one.source)]


@contextmanager
def _broker_for_the_run(settings: Settings) -> Iterator[Broker]:
    """A broker for the whole run; on an external one, the topic of the run is deleted afterwards."""
    with brokers.connected(settings) as broker:
        try:
            yield broker
        finally:
            if not broker.embedded:
                topics.delete_topic(broker, settings.topic)


def _proof_line(settings: Settings, broker: Broker) -> ProofLine | None:
    try:
        proof = reconcile.prove(settings, broker)
    except NothingToProve:
        return None
    counts = {name: getattr(proof, name) for name in reconciliation.COUNTS}
    line = reconciliation.sentence(counts | {"pending": proof.pending})
    return ProofLine(line, proof.exit_code == 0, counts)


def _save_outputs(executed: Path, source: Path) -> bool:
    """Copy the outputs of a run into its notebook, without times and machine details; return whether it changed."""
    ran = json.loads(executed.read_text(encoding="utf-8"))
    before = source.read_text(encoding="utf-8")
    notebook: dict[str, Any] = json.loads(before)
    for cell, fresh in zip(notebook["cells"], ran["cells"], strict=True):
        cell["metadata"] = {name: cell["metadata"][name] for name in ("tags", "alt") if cell["metadata"].get(name)}
        if cell["cell_type"] == "code":
            cell["execution_count"] = fresh["execution_count"]
            cell["outputs"] = fresh["outputs"]
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
    }
    after = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if after != before:
        source.write_text(after, encoding="utf-8")
    return after != before
