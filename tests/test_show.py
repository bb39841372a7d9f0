"""What is shown is also said: charts in words and numbers, tables with heads, drawings with a sentence."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from bs4 import BeautifulSoup

from indutech.architecture import platform
from indutech.architecture.diagrams import render
from indutech.architecture.model import View
from indutech.costs.model import read_model
from indutech.costs.views.charts import bill_treemap
from indutech.show import charts, described, readable
from indutech.show.tables import table, text

WEEK = pd.DataFrame({"team": ["Support Réseau", "Support Compta"], "tickets": [1204, 88], "HAUTE": [4, 1]})


def spec(figure: go.Figure) -> dict[str, Any]:
    """A figure as a notebook keeps it."""
    kept: dict[str, Any] = figure.to_plotly_json()
    return {"data": go.Figure(figure).to_dict()["data"], "layout": kept["layout"]}


def said(figure: go.Figure) -> str:
    """The alternative text of a figure."""
    return described.sentence(spec(figure))


def test_bars_are_said_one_by_one() -> None:
    """Few bars are all named, with the unit."""
    figure = charts.bars(WEEK, name="team", value="tickets", title="T", unit="tickets")

    assert said(figure) == "2 bars in tickets. Support Réseau: 1,204; Support Compta: 88."


def test_many_bars_are_said_by_their_ends() -> None:
    """A sentence of twenty numbers is none."""
    many = pd.DataFrame({"day": [f"d{i}" for i in range(20)], "n": [*range(19), 400]})

    figure = charts.columns(many, name="day", value="n", title="T", unit="tickets")

    assert said(figure) == "20 bars in tickets: the longest is d19 with 400, the shortest d0 with 0."


def test_stacked_bars_are_added_up() -> None:
    """The longest is the one with the greatest sum."""
    figure = charts.stacked(WEEK, name="team", title="T", unit="n", colours={"tickets": "#000", "HAUTE": "#111"})

    assert "the longest is Support Réseau with 1,208, the shortest Support Compta with 89" in said(figure)


def test_a_line_is_said_by_its_ends_and_its_peak() -> None:
    """A peak between the ends would be lost otherwise."""
    days = pd.DataFrame({"day": ["Mon", "Tue", "Wed"], "tickets": [3, 9, 4]})

    figure = charts.over_time(days, time="day", values=["tickets"], title="T", unit="tickets")

    assert said(figure) == "Tickets: tickets from 3 at Mon to 4 at Wed, highest at Tue with 9."


def test_a_grid_is_said_by_its_extremes() -> None:
    """Row and column of the most and of the least."""
    grid = pd.DataFrame([[1.0, 7.5], [0.25, 2.0]], index=["Mon", "Tue"], columns=[8, 9])

    figure = charts.heat(grid, title="T", unit="tickets per hour", x="hour")

    assert (
        said(figure)
        == "A grid of 2 rows and 2 columns in tickets per hour: most at Mon, 9 (7.5), least at Tue, 8 (0.25)."
    )


def test_a_spread_is_said_by_its_quantiles() -> None:
    """Also where Plotly wrote the values as bytes."""
    figure = charts.spread(pd.Series(range(101)), title="T", unit="seconds", marks={})

    assert said(figure) == "101 values in seconds, from 0 to 100: half lie below 50, 95 % below 95."
    assert described.numbers(spec(figure))["tickets"].map(int).sum() == 101


def test_the_numbers_of_a_chart_are_its_data() -> None:
    """A column per series; of a long one every so many points, with both ends, and it is said."""
    long = pd.DataFrame({"at": range(500), "n": range(500)})
    figure = spec(charts.over_time(long, time="at", values=["n"], title="T", unit="tickets"))

    numbers = described.numbers(figure)

    assert list(numbers.columns) == ["name", "n"]
    assert (len(numbers), numbers["n"].iloc[0], numbers["n"].iloc[-1]) == (described.MOST_ROWS, "0", "499")
    assert described.sampled(figure)
    assert not described.sampled(spec(charts.bars(WEEK, name="team", value="tickets", title="T", unit="n")))


@pytest.mark.parametrize("view", View)
def test_a_drawing_can_be_seen_by_who_trusts_nothing(view: View) -> None:
    """It comes as SVG and as PNG, which JupyterLab draws of any notebook; its text is a sentence with counts."""
    bundle = render.shown(view, platform.platform())._repr_mimebundle_()

    assert set(bundle) == {"image/svg+xml", "image/png", "text/plain"}
    assert bundle["text/plain"].endswith(".")
    assert any(character.isdigit() for character in bundle["text/plain"])


@pytest.mark.parametrize("dark", [False, True])
def test_letters_on_a_coloured_area_can_be_read(dark: bool) -> None:
    """At least 4.5:1 in both schemes: white on orange had 2.56."""
    boxes = bill_treemap(read_model().bill()).data[0]

    pairs = zip(boxes.marker.colors, boxes.textfont.color, strict=True)

    assert min(contrast(*(in_scheme(colour, dark) for colour in pair)) for pair in pairs) >= 4.5


def in_scheme(colour: str, dark: bool) -> str:
    """The colour that a page draws in a scheme."""
    return charts.DARK.get(colour, colour) if dark else colour


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG defines it."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def page_of(frame: pd.DataFrame) -> BeautifulSoup:
    """A table as it stands on a page of the report."""
    soup = BeautifulSoup(
        f"<main><h2>What does it cost?</h2>{table(frame).data}{table(frame).data}</main>", "html.parser"
    )
    readable.tables(soup)
    return soup


def test_money_stands_on_the_right() -> None:
    """With a no-break space before its mark, and where a word takes the place of an amount."""
    soup = page_of(pd.DataFrame({"part": ["a", "b", "c"], "month": ["$6,155.23\xa0†", "-$4.20", "not claimed"]}))

    assert [cell.get_text() for cell in soup.table.select(".num")] == [
        "month",
        "$6,155.23\xa0†",
        "-$4.20",
        "not claimed",
    ]


def test_a_table_is_read_aloud_with_its_heads() -> None:
    """Heads of columns and rows say what they are; each table has a name of its own."""
    soup = page_of(pd.DataFrame({"part": ["a", "b"], "month": ["1", "2"]}))

    assert [head["scope"] for head in soup.table.select("th")] == ["col", "col", "row", "row"]
    names = [caption.get_text() for caption in soup.select("caption")]
    assert names == ["What does it cost? (1 of 2)", "What does it cost? (2 of 2)"]


def test_a_column_of_equal_words_names_no_row() -> None:
    """Such a head would be read before every cell and say nothing."""
    soup = page_of(pd.DataFrame({"kind": ["price", "price"], "month": ["1", "2"]}))

    assert not soup.table.select("tbody th")


def test_dollars_are_no_formulas_where_a_notebook_shows_them() -> None:
    """JupyterLab's MathJax heeds this class alone; GitHub needs the backslash."""
    assert text("$1 and $2").data == '<div class="mathjax_ignore">\n\n\\$1 and \\$2\n\n</div>'
    assert text("no money").data == "no money"
    assert 'class="dataframe mathjax_ignore"' in table(pd.DataFrame({"a": ["$1"]})).data
