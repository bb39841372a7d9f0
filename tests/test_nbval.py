"""The committed notebooks are clean, and nbval compares enough of them to mean something."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from indutech.report.execution import find_notebooks

NOTEBOOKS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in find_notebooks()}
IGNORED = "nbval-ignore-output"
TAGS = {"parameters", "shown", IGNORED}  # shown: a page does not fold this code
PLOTLY = "application/vnd.plotly.v1+json"

# Where the figures of a cell come from once they have been through broker and Spark.
THROUGH_SPARK = {"reader", "job", "reconcile", "metrics", "kills", "readers", "poison", "rebalance", "scene"}

# What belongs into the package; a reader of the notebooks that teach sees a loop and a sink as they would write them.
ELSEWHERE = r"^\s*(def|class|%|!)|sys\.path|pip install"
TEACHING = ("02_producer", "03_stream")

every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def code_cells(name: str) -> list[dict[str, Any]]:
    """The code cells, each with its source as one text."""
    cells = [cell for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == "code"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def is_ignored(cell: dict[str, Any]) -> bool:
    """Whether nbval runs the cell without comparing what it shows."""
    return IGNORED in cell["metadata"].get("tags", [])


@every_notebook
def test_a_committed_notebook_was_run_from_top_to_bottom(name: str) -> None:
    """Cells are numbered 1, 2, 3 …, as one clean run leaves them."""
    counts = [cell["execution_count"] for cell in code_cells(name)]

    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_a_committed_notebook_shows_no_trouble(name: str) -> None:
    """No traceback, and nothing on stderr."""
    outputs = [output for cell in code_cells(name) for output in cell["outputs"]]

    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]


@every_notebook
def test_a_committed_notebook_names_no_machine(name: str) -> None:
    """No path, host or port of the machine that made it, and no time of the run in its metadata."""
    text = json.dumps(NOTEBOOKS[name], ensure_ascii=False)

    assert re.findall(r"(?<![\w.])/(?:root|home|Users|tmp|work|var|mnt|opt)/[\w./-]*", text) == []
    assert re.findall(r"localhost|127\.0\.0\.1|0\.0\.0\.0|file:///", text) == []
    assert "papermill" not in NOTEBOOKS[name]["metadata"]
    assert {key for cell in NOTEBOOKS[name]["cells"] for key in cell["metadata"]} <= {"tags", "alt"}


@every_notebook
def test_a_notebook_opens_with_its_question_and_answer(name: str) -> None:
    """The index of the report is made from it."""
    first = NOTEBOOKS[name]["cells"][0]

    assert first["cell_type"] == "markdown"
    for part in ("# ", "**Question.** ", "**Answer.** ", "**Needs.** "):
        assert re.search(rf"^{re.escape(part)}\S", "".join(first["source"]), re.MULTILINE), part


@every_notebook
def test_the_work_is_done_elsewhere(name: str) -> None:
    """No cell is longer than twelve lines; no path, no installing; functions only where they are what is taught."""
    elsewhere = r"^\s*(class|%|!)|sys\.path|pip install" if name in TEACHING else ELSEWHERE
    for cell in code_cells(name):
        assert cell["source"].count("\n") < 12, cell["source"]
        assert not re.search(elsewhere, cell["source"], re.MULTILINE), cell["source"]


@every_notebook
def test_parameters_are_declared_once_and_checked_at_once(name: str) -> None:
    """The first cell after the tagged one calls `parameters.check` with every name that it declares."""
    cells = code_cells(name)
    [at] = [i for i, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", [])]
    declared = [target.id for line in ast.parse(cells[at]["source"]).body for target in getattr(line, "targets", [])]

    checked = re.search(r"parameters\.check\((.*?)\)", cells[at + 1]["source"], re.DOTALL)

    assert checked, cells[at + 1]["source"]
    assert re.findall(r"(\w+)=\1", checked[1]) == declared


@every_notebook
def test_tags_are_those_we_know_and_comments_are_none(name: str) -> None:
    """What nbval does with a cell stands in its tags, where JupyterLab shows it."""
    for cell in code_cells(name):
        assert set(cell["metadata"].get("tags", [])) <= TAGS
        assert "NBVAL" not in cell["source"].upper()


@every_notebook
def test_a_chart_is_ignored_and_has_a_title(name: str) -> None:
    """Its figures are compared in the table beside it."""
    for cell in code_cells(name):
        for output in cell["outputs"]:
            if PLOTLY in output.get("data", {}):
                assert is_ignored(cell), cell["source"]
                assert output["data"][PLOTLY]["layout"]["title"]["text"]


@every_notebook
def test_no_line_of_code_is_longer_than_a_page_is_wide(name: str) -> None:
    """Longer ones are cut in print and scroll on a phone."""
    assert [line for cell in code_cells(name) for line in cell["source"].splitlines() if len(line) > 100] == []


@every_notebook
def test_half_of_what_is_shown_is_compared(name: str) -> None:
    """Of the cells that show something, nbval compares at least every second one."""
    showing = [cell for cell in code_cells(name) if cell["outputs"]]

    assert 2 * len([cell for cell in showing if not is_ignored(cell)]) >= len(showing)


def test_half_of_what_is_compared_went_through_broker_and_spark() -> None:
    """Counted over the notebooks of the pipeline, by following names back to where they were computed."""
    pipeline = [name for name in NOTEBOOKS if any("prerequisites." in cell["source"] for cell in code_cells(name))]
    compared = [
        through
        for name in pipeline
        for cell, through in zip(code_cells(name), shows_what_spark_stored(code_cells(name)), strict=True)
        if cell["outputs"] and not is_ignored(cell)
    ]

    assert len(pipeline) >= 3
    assert 2 * sum(compared) >= len(compared), f"{sum(compared)} of {len(compared)}"


@every_notebook
def test_compared_cells_show_no_moment_of_the_run(name: str) -> None:
    """Dates in compared outputs belong to the seeded story or to a dated source, never to today."""
    made = [
        "".join(text)
        for cell in code_cells(name)
        if not is_ignored(cell)
        for output in cell["outputs"]
        for kind, text in output.get("data", {}).items()
        if kind.startswith("text/")
    ]

    assert re.findall(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+", "\n".join(made)) == []


def shows_what_spark_stored(cells: list[dict[str, Any]]) -> list[bool]:
    """For each cell, whether its last expressions use something computed from what Spark has stored."""
    through: set[str] = set(THROUGH_SPARK)
    verdicts = []
    for cell in cells:
        shown = False
        for statement in ast.parse(cell["source"]).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            uses = bool(names & through)
            if isinstance(statement, ast.Assign) and uses:
                through |= {n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            shown = shown or (uses and isinstance(statement, ast.Expr))
        verdicts.append(shown)
    return verdicts


def test_every_sanitising_rule_says_why(request: pytest.FixtureRequest) -> None:
    """A rule without a comment of its own is a hole that nobody can judge."""
    text = Path(request.path).with_name("nbval.cfg").read_text(encoding="utf-8")
    for section in re.split(r"(?m)^(?=\[)", text)[1:]:
        assert re.search(r"(?m)^# \S", section), section
