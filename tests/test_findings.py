"""A figure is said once: the sentence, run.json and the front page have it from the same cell or dated run."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from indutech.report import findings
from indutech.report.edition import front_page, reference_runs, report_folder
from indutech.report.edition.report_folder import Run
from indutech.report.execution import Executed
from indutech.report.findings import FindingError
from indutech.system.settings import PROJECT
from tests.reports import COUNTS

FAULT_RUNS = {
    "date": "2026-11-28T10:00:00+00:00", "passed": False, "cores": 2, "memory_gib": 23.4, "command": "pytest",
    "seed": 1, "seconds": 90,
    "rows": [
        {"family": 1, "fault": "SIGKILL of Spark", "injected": 3, "sent": 1000, "stored": 990, "quarantined": 10,
         "lost": 0, "twice": 0, "recovery_s": 4.26, "expired": 4},
        {"family": 1, "fault": "SIGKILL of the broker", "injected": 1, "sent": 500, "stored": 500,
         "quarantined": 0, "lost": 2, "twice": 1, "recovery_s": None},
        {"family": 2, "fault": "no room", "injected": 1, "sent": 10, "stored": 10, "quarantined": 0,
         "lost": 0, "twice": 0, "recovery_s": 61.0},
    ],
}  # fmt: skip

FAULT_SUMS = {
    "faults": lambda rows: sum(row["injected"] for row in rows),
    "fault_families": lambda rows: len({row["family"] for row in rows}),
    "faults_sent": lambda rows: sum(row["sent"] for row in rows),
    "faults_lost": lambda rows: sum(row["lost"] for row in rows),
    "faults_expired": lambda rows: sum(row.get("expired", 0) for row in rows),
    "faults_twice": lambda rows: sum(row["twice"] for row in rows),
    "faults_slowest_s": lambda rows: max(row["recovery_s"] or 0 for row in rows),
}


OF_THE_MONTH = {
    "month_run_gb": lambda run: f"{run['bytes']['raw'] / 1e9:,.1f}",
    "month_run_minutes": lambda run: f"{run['seconds']['total'] / 60:,.0f}",
    "month_run_parquet_gb": lambda run: f"{run['bytes']['parquet_after'] / 1e9:,.1f}",
}


def says(name: str, shown: str) -> nbformat.NotebookNode:
    """A cell that says one figure."""
    said = findings.say(f"It is **{{{name}}}**.", **{name: shown})._repr_mimebundle_()
    return new_code_cell("x", outputs=[new_output("display_data", data=said)])


pytestmark = pytest.mark.slow  # the whole report is written


@pytest.fixture(scope="module")
def folder(report_in: Callable[[str], Path]) -> Path:
    """The report of the committed notebooks, whose proof has other counts than notebook 03."""
    return report_in("en")


@cache
def page(folder: Path, name: str) -> BeautifulSoup:
    """A page of the report, parsed; no test changes it."""
    return BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser")


def test_a_cell_says_a_figure_in_words_and_for_programs() -> None:
    """One value makes both; a dollar is escaped in the words only."""
    said = findings.say("Sent **{sent:,}** for {cost}.", sent=20_000, cost="$5.10")._repr_mimebundle_()

    assert "\n\nSent **20,000** for \\$5.10.\n\n" in said["text/markdown"]
    assert said[findings.MIME] == {
        "sent": {"shown": "20,000", "value": 20_000},
        "cost": {"shown": "$5.10", "value": "$5.10"},
    }


def test_a_sentence_without_its_figure_is_refused() -> None:
    """Neither a figure that nobody reads nor a gap."""
    with pytest.raises(FindingError, match="does not say stored"):
        findings.say("All is well.", stored=5)
    with pytest.raises(FindingError, match=r"asks for \{lost\}"):
        findings.say("{lost} lost.")


def test_a_figure_has_one_cell() -> None:
    """Two cells of that name would be two truths."""
    with pytest.raises(FindingError, match=r"Two cells of 01\.html say 'month'"):
        findings.of_notebook(new_notebook(cells=[says("month", "1"), says("month", "2")]), "01.html", "1")
    parts = [findings.of_notebook(new_notebook(cells=[says("month", "1")]), name, name) for name in ("a", "b")]
    with pytest.raises(FindingError, match="'month' is said on a#says-month and on b#says-month"):
        findings.together(parts)


def test_every_figure_of_the_front_page_is_that_of_its_page(folder: Path) -> None:
    """Each links to the cell that says the same, or to the file of a dated run that holds it."""
    index = page(folder, "index.html")
    shown = {str(link["data-figure"]): link for link in index.select("a.figure")}

    assert {"chosen", "components", "month", "years_high", "in_doubt", "month_after", "claims_unverified",
            "tickets_per_core_second", "sensor_gb_month"} <= shown.keys()  # fmt: skip
    for name, link in shown.items():
        target, _, anchor = str(link["href"]).partition("#")
        if name in FAULT_SUMS:
            rows = json.loads((folder / target).read_text(encoding="utf-8"))["rows"]
            assert link.text == f"{FAULT_SUMS[name](rows):,.0f}", name
        elif name in OF_THE_MONTH:
            assert link.text == OF_THE_MONTH[name](json.loads((folder / target).read_text(encoding="utf-8"))), name
        elif target.startswith("files/"):
            digits = re.sub(r"[^\d.]", "", link.text)
            assert digits in (folder / target).read_text(encoding="utf-8"), name
        elif target != "index.html":
            cell = page(folder, target).find(id=anchor)
            assert cell is not None, (name, target)
            assert link.text in cell.get_text(), (name, link.text, target)


def test_the_page_for_finance_has_the_same_money(folder: Path) -> None:
    """Low, base and high of a month and of three years, the doubt, and the month after the actions."""
    index, summary = page(folder, "index.html"), page(folder, "00-summary.html").get_text()
    shown = {str(link["data-figure"]): link.text for link in index.select("a.figure")}

    for name in ("month", "years", "stay"):
        assert " – ".join(shown[name + end] for end in ("_low", "", "_high")) in summary
    for name in ("in_doubt", "in_doubt_committed", "month_exact", "month_after", "chosen", "given"):
        assert shown[name] in summary, name
    for row in index.select("#decide tbody tr"):
        assert all(cell.text in summary for cell in row.select("td, th")), row.text


def test_the_proof_of_the_run_comes_before_that_of_a_notebook(folder: Path) -> None:
    """The counts on the front page are those after the last notebook."""
    shown = {str(link["data-figure"]): link.text for link in page(folder, "index.html").select("#proof a.figure")}

    assert shown == {name: f"{count:,}" for name, count in COUNTS.items()}


def test_the_front_page_says_what_was_not_verified(folder: Path) -> None:
    """Nothing ran on AWS or on a Redpanda, and the tickets are nobody's."""
    said = page(folder, "index.html").select_one("#not-verified").get_text()

    assert "Nothing ran on AWS, and nothing on a Redpanda" in said
    assert "tickets are generated" in said


def test_the_front_page_answers_every_question(folder: Path) -> None:
    """Asked, proposed with its drawing, cost, speed, faults, proof, not verified, and what to decide, in this order."""
    index = page(folder, "index.html")

    assert [section["id"] for section in index.select("main > section")][:8] == [
        "asked", "proposed", "cost", "speed", "faults", "proof", "not-verified", "decide",
    ]  # fmt: skip
    assert (folder / index.select_one("#proposed img")["src"]).exists()
    assert index.select("#decide tbody tr")


def test_run_json_has_every_figure_of_the_front_page(folder: Path) -> None:
    """With its value, where it comes from, and the day if it is not of this run."""
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))

    for link in page(folder, "index.html").select("a.figure"):
        figure = told["figures"][link["data-figure"]]
        assert (figure["shown"], figure["where"]) == (link.text, link["href"])
    assert told["figures"]["tickets_per_core_second"]["measured_on"]
    assert told["figures"]["components"]["value"] == len(re.findall(
        r"^\[\[component\]\]", (PROJECT / "assets" / "platform.toml").read_text(), re.M
    ))  # fmt: skip
    assert "50 GB" in told["conclusions"]["asked"]


def test_what_a_run_did_not_measure_is_said(tmp_path: Path) -> None:
    """A run of one notebook has no cost: the front page says so in its place, and invents nothing."""
    nbformat.write(new_notebook(cells=[says("components", "28")]), tmp_path / "01_x.ipynb")
    executed = Executed(tmp_path / "01_x.ipynb", tmp_path / "01_x.ipynb", 1.0)

    index = page(report_folder.write([executed], tmp_path / "report", Run({}, None)).parent, "index.html")

    assert {mark.text for mark in index.select("#cost span.figure.none")} == {"not measured"}
    assert index.select_one("#proposed a.figure[data-figure=components]").text == "28"
    assert "nothing to prove" in index.select_one("#proof").text


def test_faults_become_figures(tmp_path: Path) -> None:
    """Sums over all rows and the slowest recovery; neither a lost message nor a run that failed is hidden."""
    file = tmp_path / "fault-runs.json"
    file.write_text(json.dumps(FAULT_RUNS))

    found = reference_runs.figures(fault_runs=file)

    assert {name: found[name].value for name in found if name.startswith("fault")} == {
        "faults": 5, "fault_families": 2, "faults_sent": 1510, "faults_lost": 2, "faults_expired": 4, "faults_twice": 1,
        "faults_cores": 2,
        "faults_slowest_s": 61.0,
    }  # fmt: skip
    assert found["faults_lost"].measured_on == "2026-11-28"
    index = front_page.html(found, [], Run({}, None), reference_runs.faults(file), {})
    section = BeautifulSoup(index, "html.parser").select_one("#faults")
    assert section.select_one("a[data-figure=faults_lost]").text == "2"
    assert "That run did not pass" in section.text
    assert [row.th.text for row in section.select("tbody tr")] == [
        "SIGKILL of Spark", "SIGKILL of the broker", "no room",
    ]  # fmt: skip


def test_a_reference_run_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The file and the field."""
    file = tmp_path / "fault-runs.json"
    file.write_text(json.dumps(FAULT_RUNS | {"cores": "two"}))

    with pytest.raises(FindingError, match=r"fault-runs\.json: cores: "):
        reference_runs.faults(file)
