"""Converts an executed notebook to an HTML page, with nbconvert and the template in assets/report."""

import html
import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import mistune
import nbformat
from bs4 import BeautifulSoup
from nbconvert import TemplateExporter
from nbconvert.filters import Highlight2HTML
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from traitlets.config import Config

from indutech.report import findings
from indutech.report.edition import claims, figures, spoken_parts
from indutech.report.edition.figures import PLOTLY
from indutech.report.edition.templates import STYLE, in_language
from indutech.report.edition.translation import recognised
from indutech.show import described, readable
from indutech.show.charts import DARK
from indutech.show.language import gettext

LIGHT_CODE, DARK_CODE = "xcode", "lightbulb"
CHART_HEIGHT = 400


@dataclass(frozen=True)
class Heading:
    """A heading of a page: what the contents list shows and where it leads."""

    level: int
    text: str
    anchor: str


SHORT_NUMBER = 9_999  # reads well without a separator
NAMING = re.compile(r"\b(client|id|port|partition|site)$|_id$")  # heads of columns of numbers that name something


@dataclass(frozen=True)
class Opening:
    """What a notebook's first cell says: `# title`, `**Question.** …`, `**Answer.** …`."""

    title: str
    question: str
    answer: str


def opening(notebook: nbformat.NotebookNode) -> Opening:
    """Read the title, question and answer that a notebook opens with; empty where it has none."""
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    title = re.search(r"^# (.+)$", first, re.MULTILINE)
    return Opening(title[1].strip() if title else "", _paragraph(first, "Question"), _paragraph(first, "Answer"))


def to_html(notebook: nbformat.NotebookNode, page: Mapping[str, Any]) -> str:
    """One self-standing page; `page` gives the template its title, neighbours and stamp."""
    renderer = _Renderer()
    to_markup = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])
    exporter = TemplateExporter(  # HTMLExporter would parse the finished page once more, for a notebook's own classes
        template_file="index.html.j2",
        extra_template_basedirs=[str(STYLE)],
        template_name="page",
        config=Config(NbConvertBase={"display_data_priority": [PLOTLY, "image/svg+xml", "text/html", "text/markdown",
                                                               "image/png", "image/jpeg", "text/plain"]}),
    )  # fmt: skip
    exporter.environment.add_extension("jinja2.ext.i18n")
    in_language(exporter.environment)
    exporter.register_filter("markdown2html", to_markup)
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="python", parent=exporter))
    exporter.register_filter("plotly_figure", plotly_figure)
    exporter.register_filter("picture_title", picture_title)
    exporter.register_filter("named_svg", named_svg)
    exporter.register_filter("says", findings.anchor)
    exporter.environment.globals["dark_colours"] = json.dumps(DARK)
    exporter.environment.globals["headings"] = renderer.headings  # filled while the cells are rendered
    body, _ = exporter.from_notebook_node(notebook, resources={"page": dict(page)})
    soup = BeautifulSoup(body, "html.parser")
    _keep_links_inside(soup, page.get("files", ()), page.get("carried", {}))
    readable.tables(soup)
    _group_digits(soup)
    readable.keep_together(soup)
    _add_sources(soup)
    spoken_parts.mark(soup)
    return str(soup)


def markdown(text: str) -> str:
    """A sentence or two of Markdown as HTML, without the paragraph around it and without links."""
    return re.sub(r"</?(a|p)\b[^>]*>", "", str(mistune.html(text))).strip()


def document_part(text: str) -> str:
    """A Markdown document as a part of a page: headings one level down, tables that scroll, no comments, no links."""
    shown = str(mistune.html(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)))
    shown = re.sub(r"(</?h)([1-5])\b", lambda tag: f"{tag[1]}{int(tag[2]) + 1}", shown)
    shown = shown.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    return re.sub(r"</?a\b[^>]*>", "", shown).strip()


def plotly_figure(figure: Mapping[str, Any]) -> dict[str, Any]:
    """A Plotly bundle as the template needs it: the title apart, so that it can wrap; JSON safe inside a script."""
    layout = dict(figure["layout"])
    plain = figures.title(layout)
    layout.pop("title", None)
    if plain:
        margin = layout.get("margin")
        layout["margin"] = {**(margin if isinstance(margin, dict) else {}), "t": 24}
    spec = json.dumps({"data": figure["data"], "layout": layout}, ensure_ascii=False).replace("</", "<\\/")
    return {
        "title": plain,
        "sentence": described.sentence(figure),
        "numbers": described.numbers(figure).to_html(index=False, border=0, na_rep="–"),
        "sampled": described.sampled(figure),
        "height": layout.get("height") or CHART_HEIGHT,
        "json": spec,
    }


def named_svg(svg: str, sentence: str) -> str:
    """A drawing whose alternative text is what the notebook says of it, unless that only names a Python object."""
    if sentence.startswith("<"):
        return svg
    return re.sub(r'aria-label="[^"]*"', lambda _: f'aria-label="{html.escape(sentence)}"', svg, count=1)


def picture_title(svg: str) -> str:
    """What a drawing calls itself."""
    found = re.search(r"<title>(.*?)</title>", svg, re.DOTALL)
    return html.unescape(found[1]).strip() if found else ""


def highlighting_css() -> str:
    """Colours of the code, for the style sheet: a style for each scheme, each readable on the report's ground."""
    light, dark = (
        re.sub(r"background(-color)?: [^;}]+;?", "", HtmlFormatter(style=style).get_style_defs(".highlight"))
        for style in (LIGHT_CODE, DARK_CODE)
    )
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


class _Renderer(mistune.HTMLRenderer):
    """Markdown to HTML without maths (a `$` is a dollar), with anchors on headings."""

    def __init__(self) -> None:
        super().__init__(escape=False)
        self.headings: list[Heading] = []

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        plain = html.unescape(re.sub(r"<[^>]+>", "", text))
        anchor = base = _slug(plain)
        taken = {heading.anchor for heading in self.headings}
        number = 2
        while anchor in taken:
            anchor, number = f"{base}-{number}", number + 1
        self.headings.append(Heading(level, plain, anchor))
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        try:
            return str(highlight(code, get_lexer_by_name(info or "text"), HtmlFormatter(cssclass="highlight")))
        except ClassNotFound:
            return f"<pre>{html.escape(code)}</pre>\n"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"


def _paragraph(markdown_text: str, name: str) -> str:
    found = re.search(rf"^\*\*{name}\.\*\*\s*(.+?)(?=\n\s*\n|\n\*\*[A-Z][\w ]+\.\*\*|\Z)", markdown_text, re.M | re.S)
    return re.sub(r"\s+", " ", found[1]).strip() if found else ""


def _group_digits(soup: BeautifulSoup) -> None:
    """Long numbers of a pandas table are grouped, as in the sentences beside it, and the shorter ones beside them.

    A column of years or of numbers that name something stays as it is, unless it has a number of five digits itself.
    """
    for table in soup.select("main table.dataframe"):
        rows = [row.find_all(["td", "th"], recursive=False) for row in table.select("tbody tr")]
        heads = [head.get_text(strip=True) for head in table.select("thead tr:last-child > *")]
        columns: dict[str, list[tuple[Any, int]]] = {}
        for head, column in zip(heads, zip(*rows, strict=False), strict=False):
            cells = [cell for cell in column if re.fullmatch(r"\d+", cell.get_text(strip=True))]
            if any("num" in cell.get_attribute_list("class") for cell in cells):
                columns[head] = [(cell, int(cell.get_text(strip=True))) for cell in cells]
        long = {head for head, column in columns.items() if max(value for _, value in column) > SHORT_NUMBER}
        for head, numbers in columns.items():
            if head in long or (long and not NAMING.search(head) and not all(_is_year(value) for _, value in numbers)):
                for cell, value in numbers:
                    cell.string = recognised.said(f"{value:,}")


def _is_year(value: int) -> bool:
    return 1900 <= value < 2200


def _keep_links_inside(soup: BeautifulSoup, files: Collection[str], carried: Mapping[str, str]) -> None:
    """A link to a notebook or document leads to its page, one to a file to the copy; any other becomes plain text.

    Pictures that the report carries are shown from the copy, others are left out.
    """
    for link in soup.select("main .text a[href], main .reading a[href]"):
        target, _, part = str(link["href"]).partition("#")
        name = target.rpartition("/")[2]
        page = f"{re.sub(r'[.](ipynb|md)$', '', name)}.html"
        if re.match(r"(https?:|mailto:)", target) or not target:
            continue
        if page in files:
            link["href"] = f"{page}#{part}" if part else page
        elif name in carried:
            link["href"] = carried[name]
        else:
            if name.endswith(".md") and name not in link.get_text() and not link.get_text().startswith("decision "):
                link.append(f" ({target.lstrip('./')})")
            link.unwrap()
    for picture in soup.select("main .text img[src]"):
        name = str(picture["src"]).rpartition("/")[2]
        if name in carried:
            picture["src"] = carried[name]
            if picture.parent and picture.parent.name == "p" and not picture.parent.get_text(strip=True):
                picture.parent.name, picture.parent["class"] = "div", "picture"  # scrolls on a phone, as a notebook's
        elif not str(picture["src"]).startswith("data:"):
            picture.decompose()


def _add_sources(soup: BeautifulSoup) -> None:
    """Keys of claims become numbers, and the page ends with what each number stands for."""
    used, place = claims.link(soup), soup.select_one("main > nav.turn")
    if used and place:
        heading = html.escape(gettext("Sources"))
        listed = f'<h2 id="sources">{heading}</h2><ol>{claims.source_list(used)}</ol>'
        place.insert_before(BeautifulSoup(f'<section class="text sources">{listed}</section>', "html.parser"))
        contents = soup.select_one(".contents ol")
        if contents:
            entry = f'<li class="level-2"><a href="#sources">{heading}</a></li>'
            contents.append(BeautifulSoup(entry, "html.parser"))
