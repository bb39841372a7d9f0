"""The report opens from any folder without a network, and says what the notebooks and the run said."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pandas as pd
import plotly.express as px
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from indutech.architecture import sources
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.report import build
from indutech.report.build import ProofBroken
from indutech.report.edition import chromium, pages, report_folder
from indutech.report.edition.report_folder import ProofLine, Run
from indutech.report.execution import Executed
from indutech.system.settings import PROJECT

FIRST = """# Tickets & co

**Question.** Did every ticket
arrive?

**Answer.** Yes: see [the next page](02_next.ipynb) or [the code](../lib/indutech/lake.py).

**Needs.** Nothing.
"""


def an_executed_notebook(folder: Path, name: str, *cells: nbformat.NotebookNode) -> Executed:
    """A notebook as a run leaves it."""
    path = folder / name
    nbformat.write(new_notebook(cells=list(cells)), path)
    return Executed(path, path, 1.5)


def output_of(data: dict[str, object], source: str = "x") -> nbformat.NotebookNode:
    """A code cell that shows this."""
    return new_code_cell(source, outputs=[new_output("display_data", data=data)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two notebooks, in a folder with spaces and accents; no test changes it."""
    tmp_path = tmp_path_factory.mktemp("report")
    figure = px.bar(
        pd.DataFrame({"team": ["</script>", "b"], "n": [1, 2]}), x="team", y="n", title="Tickets <b>per</b> team"
    )
    table = pd.DataFrame({"équipe": ["Support Réseau"], "tickets": [1234]})
    first = an_executed_notebook(
        tmp_path,
        "01_first.ipynb",
        new_markdown_cell(FIRST),
        output_of({"application/vnd.plotly.v1+json": json.loads(figure.to_json())}, "draw()"),
        new_markdown_cell("## Costs $5\n\nand **not** $6\n\n## Costs $5"),
        output_of({"text/html": table.to_html(), "text/plain": "…"}),
        output_of({"text/markdown": "**1,234** tickets", "text/plain": "…"}),
        output_of({"image/svg+xml": '<svg viewBox="0 0 1 1"><title>plan</title></svg>', "text/plain": "…"}),
    )
    second = an_executed_notebook(tmp_path, "02_next.ipynb", new_markdown_cell("# Next"))
    run = Run(
        {"Made": "today", "Versions": "Python 3"}, ProofLine("reconciled: 7 sent, 7 stored, 0 lost, 0 twice", True)
    )
    return report_folder.write([first, second], tmp_path / "mon rapport été" / "report", run).parent


def page(folder: Path, name: str) -> BeautifulSoup:
    """A page of the report, parsed."""
    return BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser")


def test_no_page_asks_the_network_for_anything(folder: Path) -> None:
    """Every script, style, picture and page that is named lies in the folder; only sources lead out, when clicked."""
    for html in folder.glob("*.html"):
        for tag in page(folder, html.name).find_all(True):
            for attribute in ("src", "href", "poster", "data"):
                target = str(tag.get(attribute, ""))
                if not target or target.startswith(("#", "data:")) or tag.find_parent(class_="sources"):
                    continue
                assert not re.match(r"(\w+:)?//", target), f"{html.name} asks for {target}"
                assert (folder / unquote(target.partition("#")[0])).exists(), f"{html.name} misses {target}"
    for asset in ("report.css", "report.js"):
        assert not re.search(r"https?:|@import", (folder / "assets" / asset).read_text(encoding="utf-8"))


def test_a_plotly_figure_becomes_a_chart(folder: Path) -> None:
    """Data and layout are there for plotly.js, once for all pages; the title wraps as text; no text ends the script."""
    chart = page(folder, "01_first.html").select_one("figure.chart")

    assert chart is not None
    spec = json.loads(chart.script.string)
    assert spec["data"][0]["x"][0] == "</script>"
    assert "title" not in spec["layout"]
    assert chart.figcaption.get_text() == "Figure 1.1 Tickets per team"
    assert chart.select_one(".plot")["aria-label"] == "2 bars in n. </script>: 1; b: 2."
    assert [cell.get_text() for cell in chart.select(".numbers td.num")] == ["1", "2"]
    assert [p.name for p in folder.rglob("plotly*.js")] == ["plotly.min.js"]


def test_code_is_folded_until_asked_for(folder: Path) -> None:
    """Each cell has its own switch and there is one for all."""
    html = page(folder, "01_first.html")

    assert [fold.has_attr("open") for fold in html.select("details.code")] == [False] * 4
    assert html.select_one("button#all-code")


def test_the_contents_lead_to_the_headings(folder: Path) -> None:
    """Two headings with the same words have two anchors; a dollar is a dollar, not mathematics."""
    html = page(folder, "01_first.html")

    links = html.select(".contents a")
    assert [link.get_text() for link in links] == ["Costs $5", "Costs $5"]
    assert len({link["href"] for link in links}) == 2
    assert all(html.find(id=str(link["href"])[1:]) for link in links)
    assert html.find("strong", string="not")


def test_tables_scroll_and_numbers_stand_right(folder: Path) -> None:
    """A table sits in a box of its own; heads stand over their numbers."""
    table = page(folder, "01_first.html").select_one("main .output > .table > table")

    assert table is not None
    assert not table.has_attr("border")
    assert [cell.get_text() for cell in table.select(".num")][-2:] == ["tickets", "1234"]


def test_the_index_has_questions_and_proof(folder: Path) -> None:
    """They are the notebook's and the run's own words."""
    index = page(folder, "index.html")

    cards = index.select(".cards li")
    assert [card.h3.get_text() for card in cards] == ["Tickets & co", "Next"]
    assert cards[0].select_one(".question").get_text() == "Did every ticket arrive?"
    assert index.select_one(".proof.kept").get_text() == "reconciled: 7 sent, 7 stored, 0 lost, 0 twice"
    assert "Python 3" in index.get_text()


def test_the_documents_are_pages(folder: Path) -> None:
    """Links between them and to notebooks lead within the report; what a cog block says of itself is not shown."""
    summary, services = page(folder, "00-summary.html"), page(folder, "01-service-choices.html")

    assert summary.h1.text == "The platform on one page"
    assert "Staying on-premise" in summary.select_one(".table table").text
    assert summary.find("a", string="03-costs.md")["href"] == "03-costs.html"
    assert services.find("a", string="the streaming line alone")["href"] == "03-costs.html#the-streaming-line-alone"
    assert services.find(id="the-streaming-line-alone") is None
    assert page(folder, "03-costs.html").find(id="the-streaming-line-alone")
    assert services.select_one("main .text img")["src"] == "files/overview.svg"
    assert "cog" not in summary.main.decode()


def test_pages_say_nothing_that_holds_on_github_alone(folder: Path) -> None:
    """A dollar needs no backslash here, and a drawing scrolls under a finger instead of opening alone."""
    costs, plant = page(folder, "03-costs.html"), page(folder, "02-compatibility.html")

    assert "the greater of $29 a month" in costs.select_one(".sources").get_text()
    assert not [title for mark in costs.select("a.claim") if "\\" in (title := str(mark["title"]))]
    assert "On a phone" not in plant.main.get_text()
    assert len(plant.select("main .text > .picture > img")) > 5


def test_a_claim_leads_to_its_source(folder: Path) -> None:
    """A number in the text, and at the end what it says, its address and the day; each number has one entry."""
    services = page(folder, "01-service-choices.html")
    claim = sources.bibliography()["redpanda-no-mqtt"]

    mark = services.find("a", class_="claim", href="#source-redpanda-no-mqtt")
    entry = services.find(id="source-redpanda-no-mqtt")
    listed = services.select(".sources li")
    assert mark.text == f"[{listed.index(entry) + 1}]"
    assert claim.says in entry.text
    assert entry.a["href"] == claim.source
    assert f"{claim.read.day} {claim.read:%B %Y}" in entry.text
    assert "redpanda-no-mqtt" not in services.main.get_text()
    assert [head.text for head in services.select("h2") if head.text == "Sources"] == ["Sources"]


def test_a_chart_brings_its_data(folder: Path) -> None:
    """All points, under the words of the axes; prices and assumptions come along as well."""
    chart = page(folder, "01_first.html").select_one("figure.chart")

    data = pd.read_csv(folder / chart.select_one("p.data a")["href"])
    assert data.to_dict("list") == {"team": ["</script>", "b"], "n": [1, 2]}
    assert (folder / "files" / "aws_prices.csv").read_bytes() == (PROJECT / "assets" / "aws_prices.csv").read_bytes()


def test_links_between_notebooks_lead_to_pages(folder: Path) -> None:
    """A file that the report does not carry is named without a link that would break."""
    first = page(folder, "01_first.html")

    assert first.find("a", string="the next page")["href"] == "02_next.html"
    assert first.find("a", string="the code") is None


def test_the_executed_notebooks_come_along(folder: Path) -> None:
    """The report carries what it was made from, and its facts for a program."""
    assert sorted(p.name for p in (folder / "notebooks").iterdir()) == ["01_first.ipynb", "02_next.ipynb"]
    assert json.loads((folder / "run.json").read_text())["proof"]["kept"] is True


@pytest.mark.slow
def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    """Nothing of the run before stays behind."""
    only = an_executed_notebook(tmp_path, "03_only.ipynb", new_markdown_cell("# Only"))
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "01_first.html").write_text("of the run before")

    report_folder.write([only], folder, Run({}, None))

    notebooks = {p.name for p in folder.glob("*.html")} - {f"{name}.html" for name in report_folder.DOCUMENTS}
    assert notebooks == {"03_only.html", "index.html"}
    assert not page(folder, "index.html").select(".proof")


def test_dates_units_and_ranges_stay_on_their_line_and_long_numbers_are_grouped() -> None:
    """A line does not end within a figure; a column with a number of five digits groups its digits."""
    table = pd.DataFrame({"messages": ["sent", "lost"], "count": [20030, 1005], "client": [1234, 4321]}).to_html(
        index=False
    )
    text = "On 2026-11-29 it cost $3,700 – $6,200 – $8,700, 38 % of it for `1 GB`, 6 min, 1.00 USD †."
    cells = [new_markdown_cell(text), output_of({"text/html": table})]
    page = BeautifulSoup(pages.to_html(new_notebook(cells=cells), {}), "html.parser")
    assert [part.get_text() for part in page.select(".whole")] == ["2026-11-29", "38 %", "6 min"]
    assert "1.00 USD\u00a0†" in page.main.get_text()
    assert [part.get_text() for part in page.select(".range")] == ["$3,700 – $6,200 – $8,700"]
    numbers = [cell.get_text() for cell in page.select("td.num")]
    assert numbers == ["20,030", "1234", "1,005", "4321"]


def test_an_opening_may_be_incomplete() -> None:
    """A notebook without question or answer has empty ones."""
    assert pages.opening(new_notebook(cells=[new_markdown_cell("# T\n\nText.")])) == pages.Opening("T", "", "")


@pytest.fixture
def without_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without it: charts are drawn by Plotly, and there is no PDF."""
    monkeypatch.setattr(chromium, "NAMES", ())
    monkeypatch.setattr(chromium, "MAC", Path("nowhere"))


@pytest.mark.java
@pytest.mark.usefixtures("without_chromium")
def test_a_run_that_does_not_reconcile_fails_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of the index comes from the run: here ten tickets were sent to a real broker, and nobody stored them."""
    source = new_notebook(cells=[
        new_markdown_cell("# Sent, not stored"),
        new_code_cell("from indutech.producer import produce\nfrom indutech.report import prerequisites"),
        new_code_cell("from indutech.system.settings import Settings"),
        new_code_cell("settings = Settings()\nbroker = prerequisites.hold_broker(settings)"),
        new_code_cell("produce.produce(settings, broker, count=10, seed=1, progress=False).acknowledged"),
    ])  # fmt: skip
    nbformat.write(source, tmp_path / "01_sent.ipynb")
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path / "données"))

    with pytest.raises(ProofBroken, match="10 sent, 0 stored, 0 lost, 0 twice, 10 not read yet"):
        build.make_report(sources=[tmp_path / "01_sent.ipynb"], show_progress=False)

    broken = page(tmp_path / "données" / "report" / "latest", "index.html").select_one(".proof.broken")
    assert broken.get_text() == "reconciled: 10 sent, 0 stored, 0 lost, 0 twice, 10 not read yet"


@pytest.mark.usefixtures("without_chromium")
def test_a_run_leaves_no_topic_on_a_broker_that_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: Broker
) -> None:
    """With KAFKA_BOOTSTRAP_SERVERS set, the run has a topic of its own there, and takes it away."""
    source = new_notebook(cells=[
        new_markdown_cell("# A topic"),
        new_code_cell("from indutech.kafka import topics\nfrom indutech.report import prerequisites"),
        new_code_cell("from indutech.system.settings import Settings"),
        new_code_cell("settings = Settings()\nbroker = prerequisites.hold_broker(settings)"),
        new_code_cell("topics.ensure_topic(broker, settings)\nassert not broker.embedded\nprint(settings.topic)"),
    ])  # fmt: skip
    nbformat.write(source, tmp_path / "01_topic.ipynb")
    monkeypatch.setenv("INDUTECH_DATA_DIR", str(tmp_path / "données"))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap_servers)

    made = build.make_report(sources=[tmp_path / "01_topic.ipynb"], show_progress=False)

    assert made.without.startswith("No PDF, and the one file carries Plotly: Chromium or Chrome is not on this machine")
    ran = nbformat.read(made.index.parent / "notebooks" / "01_topic.ipynb", as_version=4)
    assert topics.describe_topic(broker, ran.cells[-1].outputs[0].text.strip()) is None
