"""Tables and sentences as a notebook or a document shows them: whole texts, and dollars that stay dollars."""

import re

import pandas as pd
from IPython.display import HTML, Markdown


def table(content: pd.DataFrame) -> HTML:
    """A table for a notebook: whole texts, one row of headings, and dollars that stay dollars."""
    named = content.reset_index() if content.index.names != [None] else content
    with pd.option_context("display.max_colwidth", None, "display.html.use_mathjax", False):
        return HTML(named.to_html(index=False, border=0, justify="left"))  # type: ignore[no-untyped-call]


def text(sentences: str) -> Markdown:
    """Sentences for a notebook in which a dollar is a dollar: JupyterLab and GitHub would read `$…$` as mathematics."""
    return Markdown(plain_dollars(sentences))  # type: ignore[no-untyped-call]


def plain_dollars(content: str) -> str:
    """Return the text with each dollar escaped, unless it is already."""
    return re.sub(r"(?<!\\)\$", r"\\$", content)


def as_markdown(table: pd.DataFrame) -> str:
    """A table in Markdown, its index as the first column."""
    named = table.reset_index() if table.index.names != [None] else table
    rows = [list(map(str, named.columns)), ["---"] * len(named.columns), *named.astype(str).to_numpy().tolist()]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return plain_dollars("\n".join(lines))
