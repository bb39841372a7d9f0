"""The front page: what was asked, proposed, costs, runs, survives, is proved, is not verified, and is to be decided.

All its words are in assets/report/index.html.j2, marked for gettext; this module brings the figures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString

from indutech.costs.model import CostModel, read_model
from indutech.costs.views import summary
from indutech.report.edition import pages, spoken_parts, templates
from indutech.report.edition.reference_runs import FaultRuns
from indutech.report.edition.translation import notebooks, recognised
from indutech.report.findings import Findings
from indutech.show import readable


def html(
    found: Findings,
    listed: Sequence[Any],
    run: Any,
    faults: FaultRuns | None,
    carried: Mapping[str, str],
    model: CostModel | None = None,
) -> str:
    """The front page."""
    model = model or read_model()  # of the committed measurement, as the page for finance
    context = {
        "figures": {
            name: asdict(figure) | {"shown": recognised.said(figure.shown), "origin": _origin(figure.origin)}
            for name, figure in found.items()
        },
        "notebooks": [page for page in listed if page.is_notebook],
        "documents": [page for page in listed if not page.is_notebook],
        "run": run,
        "carried": carried,
        "faults": faults,
        "decisions": pages.document_part(_in_language(summary.decisions_to_make(model))),
        "verify": pages.document_part(_in_language(summary.verify_first(model))),
    }
    soup = BeautifulSoup(templates.render("index.html.j2", **context), "html.parser")
    readable.tables(soup)
    readable.keep_together(soup)
    _keep_units(soup)
    spoken_parts.mark(soup)
    return f"{soup}\n"


def _keep_units(soup: BeautifulSoup) -> None:
    """A figure, which is a link, stays on one line with the unit after it."""
    for figure in soup.select("a.figure"):
        after = figure.next_sibling
        if isinstance(after, NavigableString) and re.match(r" (?:s|kB|ko|[GT]i?[Bo])(?!\w)", after):
            after.replace_with(NavigableString("\u00a0" + after[1:]))


def _origin(words: str) -> str:
    """Where a figure comes from: a page is named by its number and its title."""
    number, _, title = words.partition(" ")
    return f"{number} {recognised.said(title)}" if number.isdigit() else recognised.said(words)


def _in_language(part: str) -> str:
    """A part of the page for finance in the language being written in."""
    return notebooks.markdown_translated(part.replace("\\$", "$"))


def conclusions(index: str) -> dict[str, str]:
    """What each section of a front page concludes, as plain text: two runs are compared by it."""
    soup = BeautifulSoup(index, "html.parser")
    return {
        str(section["id"]): " ".join(" ".join(part.get_text() for part in section.select(".conclusion")).split())
        for section in soup.select("section[id]")
        if section.select(".conclusion")
    }
