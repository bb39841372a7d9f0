"""Each run's report is kept, the latest has a stable address, two can be compared, and old ones go when asked."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.report import build, findings, kept_runs, run_comparison
from indutech.report.edition import chromium, one_file, report_folder
from indutech.report.kept_runs import UnknownRun
from indutech.show.language import LanguageError

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def a_run(root: Path, minutes: int = 0, **facts: Any) -> Path:
    """A kept run in as much as its facts; the latest one."""
    folder = kept_runs.new_folder(root, NOON + timedelta(minutes=minutes))
    folder.mkdir()
    told = {"facts": {"Made": str(minutes), "Parameters": "the defaults"}, "parameters": {}, "proof": None,
            "pages": [], "figures": {}, "conclusions": {}}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(told | facts))
    (folder / "index.html").write_text(f"made at {minutes}")
    kept_runs.publish(root, folder)
    return folder


def test_the_latest_report_has_a_stable_address(tmp_path: Path) -> None:
    """Each run has a folder of its own, named by its moment; `latest` leads to the newest, and a page lists all."""
    root = tmp_path / "report"

    first, second, same_second = a_run(root), a_run(root, 1), a_run(root, 1)

    assert [folder.name for folder in (first, second, same_second)] == [
        "2026-11-28T120000Z", "2026-11-28T120100Z", "2026-11-28T120100Z-2",
    ]  # fmt: skip
    assert (root / "latest" / "index.html").resolve() == same_second / "index.html"
    listed = (root / "index.html").read_text()
    assert listed.index(second.name) < listed.index(first.name)


def test_a_report_of_before_becomes_a_run(tmp_path: Path) -> None:
    """An earlier version wrote into the folder itself: nothing of it is lost, and nothing of it is mixed in."""
    root = tmp_path / "report"
    root.mkdir()
    (root / "run.json").write_text(json.dumps({"facts": {"Parameters": "old"}, "proof": None}))
    (root / "01_old.html").write_text("old")

    a_run(root)

    assert not (root / "01_old.html").exists()
    assert sorted(len(list(run.folder.glob("01_old.html"))) for run in kept_runs.kept(root)) == [0, 1]


def test_what_a_killed_run_left_is_no_run(tmp_path: Path) -> None:
    """It is not listed, and the next run takes it away."""
    first = a_run(tmp_path)
    half = first.with_name("2026-11-28T120001Z.new")
    shutil.copytree(first, half)

    assert [run.folder for run in kept_runs.kept(tmp_path)] == [first]
    a_run(tmp_path, 1)
    assert not half.exists()


def test_old_runs_go_when_asked_and_never_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command lists them first, and deletes nothing without a yes."""
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path))
    root = tmp_path / "report"
    runs = [a_run(root, minute) for minute in range(4)]
    kept_runs.publish(root, runs[0])

    asked = CliRunner().invoke(app, ["report", "--clean", "--keep", "2"], input="n\n")
    assert asked.exit_code == 1
    assert runs[1].name in asked.output
    assert all(folder.exists() for folder in runs)

    CliRunner().invoke(app, ["report", "--clean", "--keep", "2", "--yes"])
    assert [folder.exists() for folder in runs] == [True, False, True, True]
    assert runs[1].name not in (root / "index.html").read_text()


def test_an_unknown_run_is_named_with_those_there_are(tmp_path: Path) -> None:
    """So that the right name can be taken from the message."""
    a_run(tmp_path)

    with pytest.raises(UnknownRun, match=r"No report of a run 'yesterday'.*2026-11-28T120000Z"):
        kept_runs.find(tmp_path, "yesterday")
    with pytest.raises(UnknownRun, match="none yet"):
        kept_runs.find(tmp_path / "empty", "latest")


def test_two_runs_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters, figures and sentences that changed; a sentence whose numbers alone changed is no new conclusion."""
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path))

    def figure(shown: str) -> dict[str, object]:
        return {"shown": shown, "value": shown, "where": "", "origin": "", "measured_on": ""}

    a_run(tmp_path / "report", 0, parameters={"count": 20_000}, figures={"month": figure("$10"), "lost": figure("0")},
          conclusions={"cost": "It costs $10.", "faults": "None was injected."})  # fmt: skip
    a_run(tmp_path / "report", 1, parameters={"count": 50_000}, figures={"month": figure("$12"), "lost": figure("0")},
          conclusions={"cost": "It costs $12.", "faults": "21 were injected."})  # fmt: skip

    said = CliRunner().invoke(app, ["report", "--compare", "2026-11-28T120000Z", "latest", "--json"])

    found = json.loads(said.output)
    assert found["parameters"] == {"count": [20_000, 50_000]}
    assert found["figures"] == {"month": ["$10", "$12"]}
    assert found["conclusions"] == {"faults": ["None was injected.", "21 were injected."]}
    text = CliRunner().invoke(app, ["report", "--compare", "2026-11-28T120000Z", "latest"]).output
    assert "figures: month: $10 → $12" in text
    same = kept_runs.find(tmp_path / "report", "latest")
    assert "Nothing changed" in run_comparison.as_text(run_comparison.compared(same, same))


@pytest.mark.slow
def test_pages_are_written_again_without_running_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the executed notebooks of the latest run, which keeps its facts; here without a browser, as it says."""
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(report_folder, "DOCUMENTS", ("00-summary",))
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "MAC", tmp_path / "none")
    proof = {"sentence": "reconciled: 7 sent", "kept": True, "counts": {"stored": 7}}
    folder = a_run(tmp_path / "report", facts={"Made": "yesterday"}, parameters={"count": 7}, proof=proof)
    (folder / "notebooks").mkdir()
    said = findings.say("**{components}** parts", components=28)._repr_mimebundle_()
    cell = new_code_cell("1 / 0", outputs=[new_output("display_data", data=said)])
    nbformat.write(new_notebook(cells=[new_markdown_cell("# One"), cell]), folder / "notebooks" / "01_one.ipynb")

    made = CliRunner().invoke(app, ["report", "--rebuild"])

    assert made.exit_code == 0, made.output
    assert "No PDF, and the one file carries Plotly: Chromium or Chrome is not on this machine" in made.output
    told = json.loads((folder / "run.json").read_text())
    assert (told["facts"]["Made"], told["parameters"], told["proof"]) == ("yesterday", {"count": 7}, proof)
    assert told["figures"]["components"]["value"] == 28
    assert (folder / one_file.NAME).exists()
    assert build.folder() == tmp_path / "report"


@pytest.mark.slow
def test_another_language_is_an_edition_beside_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes the latest, keeps its language when written again, and the way back leads to the first edition."""
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(report_folder, "DOCUMENTS", ())
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "MAC", tmp_path / "none")
    proof = {"sentence": "reconciled: 1,007 sent, 1,007 stored, 0 lost, 0 twice", "kept": True, "counts": {}}
    english = a_run(tmp_path / "report", facts={"Made": "yesterday", "Parameters": "the defaults"}, proof=proof)
    (english / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=[new_markdown_cell("# One")]), english / "notebooks" / "01_one.ipynb")
    french = english.with_name(f"{english.name}-fr")

    refused = CliRunner().invoke(app, ["report", "--rebuild", "--lang", "de"])
    editions = []
    for arguments in (["--lang", "fr"], [], ["--lang", "en"]):
        made = CliRunner().invoke(app, ["report", "--rebuild", *arguments])
        assert made.exit_code == 0, made.output
        editions.append((tmp_path / "report" / "latest").resolve().name)

    assert refused.exit_code == 1
    assert isinstance(refused.exception, LanguageError)
    assert editions == [french.name, french.name, english.name]
    for folder, lang, words in ((english, "en", "The pages"), (french, "fr", "1\u202f007 envoyés")):
        for name in ("index.html", one_file.NAME):
            written = (folder / name).read_text(encoding="utf-8")
            assert f'<html lang="{lang}">' in written
            assert words in written
    listed = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert f"{french.name}/index.html" in listed
    assert ">français<" in listed
