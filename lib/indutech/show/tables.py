"""Tables and sentences as a notebook or a document shows them: whole texts, and dollar signs that are no formulas."""

import re
from collections.abc import Iterable, Mapping

import pandas as pd
from bs4 import BeautifulSoup
from IPython.display import HTML, Markdown

from indutech.show import readable

NO_FORMULAS = "mathjax_ignore"  # the one class that JupyterLab's MathJax heeds


def from_rows(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """A table of text with a column per key; a value of None shows as a dash."""
    return pd.DataFrame(
        [{heading: "–" if value is None else str(value) for heading, value in row.items()} for row in rows]
    )


def table(content: pd.DataFrame) -> HTML:
    """A table for a notebook: whole texts on the left, numbers on the right, and dollar signs that are no formulas."""
    named = content.reset_index() if content.index.names != [None] else content
    with pd.option_context("display.max_colwidth", None):
        soup = BeautifulSoup(named.to_html(index=False, border=0, classes=NO_FORMULAS), "html.parser")
    for row in soup.select("tr"):
        row.attrs.pop("style", None)
    # JupyterLab puts every cell on the right, and takes a style of its own only from the cell itself.
    for column in readable.text_columns(soup):
        for cell in column:
            cell["style"] = "text-align: left"
    return HTML(str(soup))  # type: ignore[no-untyped-call]


def text(sentences: str) -> Markdown:
    """Sentences for a notebook, with dollars that stay dollars: JupyterLab and GitHub read `$…$` as a formula.

    GitHub needs each dollar escaped, JupyterLab the class, which keeps MathJax away after the Markdown was rendered.
    """
    shown = plain_dollars(sentences)
    return Markdown(f'<div class="{NO_FORMULAS}">\n\n{shown}\n\n</div>' if "$" in shown else shown)  # type: ignore[no-untyped-call]


def plain_dollars(content: str) -> str:
    """Return the text with each dollar escaped, unless it is already."""
    return re.sub(r"(?<!\\)\$", r"\\$", content)


def as_markdown(table: pd.DataFrame) -> str:
    """A table in Markdown, its index as the first column."""
    named = table.reset_index() if table.index.names != [None] else table
    rows = [list(map(str, named.columns)), ["---"] * len(named.columns), *named.astype(str).to_numpy().tolist()]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return plain_dollars("\n".join(lines))
