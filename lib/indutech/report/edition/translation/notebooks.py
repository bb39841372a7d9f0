"""The texts of an executed notebook, of a document and of a table, one after the other: to collect or to replace them.

A text is a line of Markdown without its mark (the sources have one sentence on each line), a cell of a table, a title
or a name in a chart, or the sentence that stands for a drawing.
"""

import copy
import html as escaping
import re
from collections.abc import Callable, Mapping
from typing import Any

import nbformat
from bs4 import BeautifulSoup

from indutech.report.edition.translation import recognised
from indutech.show import language
from indutech.tickets.contract import TEAM_FOR_TYPE, Priority, TicketType

PLOTLY = "application/vnd.plotly.v1+json"
# Words of the tickets and of the ERP, which are French in every edition.
FRENCH = frozenset([*map(str, TicketType), *map(str, Priority), *TEAM_FOR_TYPE.values()])
FRENCH_COLUMNS = ("request", "raw", "contract", "segment", "model", "turnover")
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|in|to|for|an|not|with|without|no|by|on|that|which|its|from|or|it|at|as|if|be|than)\b"
)
_LIST_OR_HEADING = re.compile(r"^(\s*(?:(?:#{1,6}|[-*+>]|\d+\.)\s+)+)?(.*?)(\s*)$")
_LABEL = re.compile(r"^(\*\*[A-Z]\w+\.\*\*) (.+)$")
_CLAIM = re.compile(r"^(?:(\*[^*]+\*) )?(.+) (\(`[a-z0-9-]+`\))$")  # *what is said* what is so (`key`)
_SKIPPED = re.compile(r"^\s*(<|```|\[\^|\|[\s:|-]+\|$)")
_WORD_LISTS = ("x", "y", "labels", "parents", "ids", "text", "ticktext", "categoryarray")

Say = Callable[[str, str], str]  # a text and its kind (line, head, cell, label) to what stands there from now on


def translated(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of a notebook in the language that is being written in; what it does not know is marked as English."""
    made = copy.deepcopy(notebook)
    if language.active() != language.SOURCE:
        visit(made, _said)
        _charts_in_its_form(made)
    return made


def markdown_translated(text: str) -> str:
    """A document or a part of one in the language that is being written in."""
    return text if language.active() == language.SOURCE else markdown(text, _said)


def visit(notebook: nbformat.NotebookNode, say: Say) -> None:
    """Hand every text of a notebook to `say`, and put what it returns in its place."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = markdown(cell.source.replace("\\$", "$"), say)
        for output in cell.get("outputs", []):
            _visit_output(output.get("data", {}), say)


def markdown(text: str, say: Say) -> str:
    """The lines of a Markdown text, outside of its code."""
    made, in_code = [], False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        made.append(line if in_code or _SKIPPED.match(line) or not line.strip() else _line(line, say))
    return "\n".join(made)


def table(html: str, say: Say) -> str:
    """The cells of a table in HTML; of a data frame, heads are read as people see them."""
    soup = BeautifulSoup(html, "html.parser")
    for found in soup.select("table"):
        is_frame = "dataframe" in found.get_attribute_list("class")
        heads = [cell.get_text(strip=True) for cell in found.select("thead tr:first-child > *")]
        for row in found.select("tr"):
            for at, cell in enumerate(row.find_all(["td", "th"], recursive=False)):
                words = cell.get_text().strip()
                is_head = cell.find_parent("thead") is not None
                if is_frame and is_head:
                    words = words.replace("_percent", " %").replace("_", " ")
                column = heads[at] if at < len(heads) else ""
                if not words or words in FRENCH or (column in FRENCH_COLUMNS and not is_head):
                    continue
                new = say(words, "head" if is_head else "cell")
                if new != words or (is_frame and is_head):
                    cell.string = new
                if not is_head and _is_left_in_english(words):
                    cell["lang"] = language.SOURCE
    return str(soup)


def _is_left_in_english(words: str) -> bool:
    """Whether a text has English words that the language being written in has no message for."""
    return language.active() != language.SOURCE and bool(ENGLISH.search(words)) and not recognised.current().read(words)


def _said(text: str, kind: str) -> str:
    reader = recognised.current()
    found = reader.said(text)
    if found is None and kind == "line" and ENGLISH.search(text):
        reader.unknown.append(text)
        return f'<span lang="{language.SOURCE}">{text}</span>'
    return reader.value(text) if found is None else found


def _line(line: str, say: Say) -> str:
    if line.lstrip().startswith("|"):
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        return "| " + " | ".join(say(cell.strip(), "cell") if cell.strip() else "" for cell in cells) + " |"
    found = _LIST_OR_HEADING.match(line)
    mark, words, end = (found[1] or "", found[2], found[3]) if found else ("", line, "")
    if labelled := _LABEL.match(words):
        return f"{mark}{say(labelled[1], 'line')} {say(labelled[2], 'line')}{end}"
    if claimed := _CLAIM.match(words):
        common = f"{say(claimed[1], 'line')} " if claimed[1] else ""
        return f"{mark}{common}{say(claimed[2], 'line')} {claimed[3]}{end}"
    return f"{mark}{say(words, 'line')}{end}"


def _visit_output(data: dict[str, Any], say: Say) -> None:
    if "text/markdown" in data:
        plain = data["text/markdown"].replace("\\$", "$")  # as the sentence was written
        data["text/markdown"] = markdown(plain, say).replace("$", "\\$")
    elif "text/html" in data and "<table" in data["text/html"] and "linenos" not in data["text/html"]:
        data["text/html"] = table(data["text/html"], say)
    if PLOTLY in data:
        _visit_chart(data[PLOTLY], say)
    if "image/svg+xml" in data:
        if not data.get("text/plain", "<").startswith("<"):
            data["text/plain"] = say(data["text/plain"], "label")
        data["image/svg+xml"] = re.sub(
            r"<title>(.*?)</title>",
            lambda found: f"<title>{escaping.escape(say(escaping.unescape(found[1]), 'label'))}</title>",
            data["image/svg+xml"],
            count=1,
        )


def _visit_chart(figure: dict[str, Any], say: Say) -> None:
    """Titles, axes, marks, names of series, and the names along an axis."""
    layout = figure.get("layout", {})
    places = [layout, *(value for key, value in layout.items() if re.match(r"[xy]axis|coloraxis|legend", key))]
    places += [trace.get("colorbar") or {} for trace in figure["data"]]
    for place in places:
        title = place.get("title") if isinstance(place, Mapping) else None
        if isinstance(title, dict) and title.get("text"):
            title["text"] = say(title["text"], "label")
    for mark in layout.get("annotations", ()):
        if mark.get("text"):
            mark["text"] = say(mark["text"], "label")
    axes = [value for key, value in layout.items() if re.match(r"[xy]axis", key)]
    for part in [*figure["data"], *axes]:
        for key in ("name", "hovertemplate"):
            if isinstance(part.get(key), str):
                part[key] = say(part[key], "label")
        for key in _WORD_LISTS:
            if isinstance(part.get(key), list):
                part[key] = [
                    say(word, "label") if isinstance(word, str) and word and word not in FRENCH else word
                    for word in part[key]
                ]


def _charts_in_its_form(notebook: nbformat.NotebookNode) -> None:
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if PLOTLY in output.get("data", {}):
            _chart_in_its_form(output["data"][PLOTLY])


def _is_of_days(names: object) -> bool:
    return isinstance(names, list) and bool(names) and bool(re.match(r"\d{4}-\d\d-\d\d", str(names[0])))


def _chart_in_its_form(figure: dict[str, Any]) -> None:
    """Numbers that Plotly writes: decimal comma, narrow spaces, days, and USD behind an amount; its axis says USD."""
    layout = figure["layout"]
    layout["separators"] = ",\u202f"
    for axis in (value for key, value in layout.items() if re.match(r"[xy]axis", key) and isinstance(value, dict)):
        if axis.get("tickprefix") == "$":
            del axis["tickprefix"]
    for trace in figure["data"]:
        if _is_of_days(trace.get("x")):
            layout.setdefault("xaxis", {})["tickformat"] = "%d/%m"
        for key in ("hovertemplate", "texttemplate"):
            if isinstance(trace.get(key), str):
                said = re.sub(r"\$%\{([^}]*)\}", "%{\\1}\u00a0USD", trace[key])
                trace[key] = re.sub(r"%\{(\w+):\$([^}]*)\}", "%{\\1:\\2}\u00a0USD", said)
