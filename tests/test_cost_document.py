"""No amount is typed: documents and notebook hold what the model computes, and nothing else in dollars."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indutech.costs.inputs.prices import Confidence
from indutech.costs.model import read_model
from indutech.costs.scenarios import SCENARIOS
from indutech.costs.views import charts
from indutech.costs.views.document import in_short
from indutech.costs.views.tables import component_table, scenario_table
from indutech.system.settings import PROJECT
from tests.written_by_hand import written_by_hand

DOCUMENT = PROJECT / "docs" / "03-costs.md"
NOTEBOOK = PROJECT / "notebooks" / "05_finops.ipynb"
MODEL = read_model()
# "$5", "5 $", "5 USD", "5 dollars", "US$ 5,000.00", also with an escaped dollar; not "$HOME" or "${x}".
DOLLARS = re.compile(r"\$\s?\d|\d\s?(?:\\?\$(?!\{)|USD\b|US\$|dollars?\b)", re.IGNORECASE)


def amounts(text: str) -> list[str]:
    """Lines of a text in which somebody typed a dollar amount; what a cog block generates does not count."""
    return [line for line in written_by_hand(text).splitlines() if DOLLARS.search(line)]


def documents() -> Iterator[Path]:
    """Every Markdown file of the project."""
    yield from [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]


@pytest.mark.parametrize("typed", ["costs $5", "is \\$5,138.78", "5 USD", "about 30 dollars", "| 12 $ |", "3,551USD"])
def test_a_typed_amount_is_found(typed: str) -> None:
    """However it is written."""
    assert amounts(f"fine\n{typed}\nfine") == [typed]


@pytest.mark.parametrize("fine", ["`$HOME/x`", "${count}", "50 GB a month", "usd per hour", "$x = 3"])
def test_what_is_no_amount_is_left_alone(fine: str) -> None:
    """Shell variables and units are not money."""
    assert amounts(fine) == []


def test_a_generated_amount_is_not_a_typed_one() -> None:
    """What follows a cog block is what the code produced, up to its end."""
    text = '<!-- [[[cog cog.outl(costs("month")) ]]] -->\n| $5 |\n<!-- [[[end]]] -->\n| $6 |\n'
    assert amounts(text) == ["| $6 |"]


def test_no_document_has_a_typed_amount_about_the_platform() -> None:
    """The cost document has none at all, and no table of any other document has one."""
    assert amounts(DOCUMENT.read_text(encoding="utf-8")) == []
    for document in documents():
        rows = [line for line in amounts(document.read_text(encoding="utf-8")) if line.lstrip().startswith("|")]
        assert rows == [], f"{document.name}: let a cog block write it"


def cells(kind: str) -> list[str]:
    """Sources of the notebook's cells of one kind."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_notebook_types_no_amount() -> None:
    """Neither in its text nor in a string of its code."""
    assert [line for kind in ("markdown", "code") for cell in cells(kind) for line in amounts(cell)] == []


def test_the_committed_notebook_shows_the_models_answer() -> None:
    """A price change that the notebook has not seen shows here, and in nbval: run `make notebooks`."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    said = json.dumps([cell.get("outputs") for cell in notebook["cells"]], ensure_ascii=False)

    for line in in_short(MODEL).splitlines():
        assert line.replace("$", "\\\\$") in said


def test_the_notebook_keeps_to_the_house_style() -> None:
    """No def, no cell of more than twelve lines, and each chart is left out of the comparison."""
    for cell in cells("code"):
        assert "def " not in cell
        assert len(cell.splitlines()) <= 12
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    drawn = [c for c in notebook["cells"] if re.search(r"(?m)\bcharts\.\w+\(", "".join(c["source"]))]
    assert drawn
    assert all("nbval-ignore-output" in c["metadata"]["tags"] for c in drawn)


def test_doubt_is_visible_wherever_it_enters() -> None:
    """Each total of a bill in doubt carries the mark, in tables and in titles of charts."""
    node = replace(MODEL.prices["redshift_ra3_xlplus"], confidence=Confidence.UNVERIFIED)
    model = MODEL.with_price(node)
    reference = model.bill()

    assert "†" in component_table(reference)["A month"].iloc[-1]
    assert {
        name for name, month in scenario_table(model)[["Scenario", "A month, on demand"]].to_numpy() if "†" in month
    } == {name for name in SCENARIOS if model.bill(name).doubt}
    assert reference.doubt
    for figure in (
        charts.bill_treemap(reference),
        charts.from_claimed(model.bill("estimate-2025"), reference),
        charts.unit_cost_curve(model),
        charts.months_ahead(model, 12),
    ):
        assert "unverified" in figure.layout.title.text
