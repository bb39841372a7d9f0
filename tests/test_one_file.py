"""The report in one HTML file works alone and asks for nothing; the PDF has contents whose page numbers are right."""

import base64
import hashlib
import json
import re
from pathlib import Path

import nbformat
import pandas as pd
import plotly.express as px
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdfium2 import PdfDocument

from indutech.report.edition import chromium, one_file, pdf, report_folder
from indutech.report.edition.chromium import BrowserFailed
from indutech.report.edition.one_file import TooLarge
from indutech.report.edition.report_folder import ProofLine, Run
from indutech.report.execution import Executed

with_chromium = pytest.mark.skipif(chromium.find() is None, reason=chromium.HOW_TO_GET)
SVG = '<svg viewBox="0 0 2 1"><text>drawn</text></svg>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two notebooks with a chart, whose headings have the same words."""
    place = tmp_path_factory.mktemp("one file")
    figure = px.bar(pd.DataFrame({"team": ["</script>", "b"], "n": [1, 2]}), x="team", y="n", title="Tickets per team")
    chart = new_output("display_data", data={"application/vnd.plotly.v1+json": json.loads(figure.to_json())})
    first = [new_markdown_cell("# First\n\n## Why\n\n[next](02_next.ipynb#why), [code](x.py)"),
             new_code_cell("draw()", outputs=[chart])]  # fmt: skip
    executed = []
    for name, cells in (("01_first", first), ("02_next", [new_markdown_cell("# Next\n\n## Why\n\nSo `msk-kraft`.")])):
        nbformat.write(new_notebook(cells=cells), place / f"{name}.ipynb")
        executed.append(Executed(place / f"{name}.ipynb", place / f"{name}.ipynb", 1.0))
    run = Run({"Made": "today", "Project": "InduTech"}, ProofLine("reconciled: 7 sent, 7 stored", True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_folder, "DOCUMENTS", ("00-summary",))  # the others have 60 pages, and nothing else to show
        return report_folder.write(executed, place / "report", run).parent


def alone(made: str) -> BeautifulSoup:
    """The one file, after a look at whether anything in it leads out of it."""
    soup = BeautifulSoup(made, "html.parser")
    ids = {str(tag["id"]) for tag in soup.find_all(id=True)}
    for tag in soup.find_all(True):
        for attribute in ("src", "href", "data", "poster"):
            target = str(tag.get(attribute, ""))
            if target.startswith("#") and not tag.find_parent("svg"):
                assert target[1:] in ids, target
            elif target and not tag.find_parent(class_="sources") and not tag.find_parent("svg"):
                assert target.startswith(("data:", "#")), f"{tag.name} {target[:80]}"
    return soup


def test_with_drawn_charts_it_holds_no_script(folder: Path) -> None:
    """So that no mail filter takes something out of it; every link leads within it, and same words keep apart."""
    soup = alone(one_file.composed(folder, one_file.chapters(folder, [SVG])))

    assert not soup.select("script, link[rel=stylesheet]")
    chart = soup.select_one("figure.chart .static")
    assert chart.get_text() == "drawn"
    assert chart["aria-label"]
    assert soup.find("a", string="next")["href"] == "#02_next--why"
    assert soup.find(id="01_first--why")
    assert soup.find("a", string="code") is None
    assert "script-src 'none'" in policy(soup)


def test_without_chromium_its_scripts_are_named_by_their_bytes(folder: Path) -> None:
    """The policy lets exactly these run, and nothing may make code of text."""
    soup = alone(one_file.composed(folder, one_file.chapters(folder, None), static=False))

    scripts = [script.string for script in soup.find_all("script") if not script.get("type")]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts}
    allowed = re.search(r"script-src ([^;]+)", policy(soup))[1].split()
    assert len(hashes) == 2
    assert set(allowed) == hashes
    assert "unsafe-eval" not in policy(soup)
    assert json.loads(soup.select_one("figure.chart script").string)["data"][0]["x"][0] == "</script>"


def policy(soup: BeautifulSoup) -> str:
    """What the file may do."""
    said = str(soup.select_one("meta[http-equiv=Content-Security-Policy]")["content"])
    assert said.startswith("default-src 'none';")
    return said


def test_it_is_no_larger_than_a_mail_takes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with Plotly inside; a larger one is refused with a way out."""
    chapters = one_file.chapters(folder, None)
    assert one_file.write(folder, chapters, static=False).stat().st_size <= one_file.MOST_BYTES

    monkeypatch.setattr(one_file, "MOST_BYTES", 1_000_000)
    with pytest.raises(TooLarge, match=r"would have \d\.\d MB, and a mail takes 1"):
        one_file.write(folder, chapters, static=False)


@with_chromium
@pytest.mark.slow
def test_charts_are_drawn_and_the_pdf_has_true_page_numbers(folder: Path) -> None:
    """The contents name the page on which each chapter begins, and every page has its number."""
    program = chromium.find()
    assert program
    [drawn] = chromium.draw(one_file.chart_specs(folder), program)
    assert "</script>" not in drawn
    assert 'viewBox="0 0 760' in drawn

    made = pdf.write(folder, one_file.chapters(folder, [drawn]), program)

    with PdfDocument(made) as document:
        pages = [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    contents = pages[1]
    for title in ("First", "Next", "The platform on one page"):
        number = int(re.search(rf"{title} (\d+)", contents)[1])
        assert title in pages[number - 1][:80], (title, number, pages[number - 1][:80])
    assert all(f"{number} / {len(pages)}" in text for number, text in enumerate(pages, 1) if number > 1)
    assert "reconciled: 7 sent, 7 stored" in pages[0]


def test_a_browser_that_does_not_start_is_named(folder: Path, tmp_path: Path) -> None:
    """Its exit code and its last words; nothing is written."""
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no sandbox >&2\nexit 3\n")
    broken.chmod(0o755)

    with pytest.raises(BrowserFailed, match="ended with code 3: no sandbox"):
        chromium.draw(one_file.chart_specs(folder), str(broken))
