"""The whole report as one HTML file that works alone: styles and drawings inside, links lead within it.

With Chromium its charts are static SVG and it holds no script at all; without, Plotly is inside and draws them.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag

from indutech.report.edition import templates
from indutech.report.edition.templates import STYLE
from indutech.system.errors import InduTechError

NAME = "indutech-report.html"
MOST_BYTES = 8_000_000  # what most mail servers take
SPEC = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)
REFERRING = ("aria-labelledby", "aria-describedby", "aria-controls", "for")


class TooLarge(InduTechError):
    """The one file is larger than a mail takes."""


@dataclass(frozen=True)
class Chapter:
    """A page of the report inside the one file."""

    name: str
    title: str
    number: str
    body: str
    headings: Sequence[Mapping[str, str]]
    lang: str = ""  # if it is in another language than the file


def write(folder: Path, chapters: Sequence[Chapter], static: bool) -> Path:
    """Write the one file of a finished report into its folder; Plotly comes along if its charts are not static.

    Raises:
        TooLarge: it has more bytes than a mail takes.
    """
    made = composed(folder, chapters, static)
    if len(made.encode()) > MOST_BYTES:
        raise TooLarge(
            f"{NAME} would have {len(made.encode()) / 1e6:.1f} MB, and a mail takes {MOST_BYTES / 1e6:.0f}. "
            "Send the folder as an archive; with Chromium on this machine the file has no Plotly in it and is smaller."
        )
    (folder / NAME).write_text(made, encoding="utf-8")
    return folder / NAME


def chart_specs(folder: Path) -> list[dict[str, Any]]:
    """What Plotly draws on the pages of a report, in their order."""
    pages = [(folder / name).read_text(encoding="utf-8") for name in _pages(folder)]
    return [json.loads(found) for page in pages for found in SPEC.findall(page)]


def chapters(folder: Path, charts: Sequence[str] | None) -> list[Chapter]:
    """The pages of a report as chapters; `charts` are its charts as SVG, None if Plotly is to draw them."""
    names = _pages(folder)
    left = None if charts is None else iter(charts)
    return [_chapter(folder, name, names, left) for name in names]


def composed(folder: Path, chapters: Sequence[Chapter], static: bool = True, **printed: Any) -> str:
    """The text of the one file; `printed` is for the PDF, which adds a cover and page numbers."""
    wanted = () if static else ("plotly.min.js", "report.js")
    scripts = [_script(folder / "assets" / name) for name in wanted]
    css = (folder / "assets" / "report.css", STYLE / "book.css")
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return templates.render(
        "one-file.html.j2",
        chapters=chapters,
        css="\n".join(path.read_text(encoding="utf-8") for path in css),
        policy=_policy(scripts),
        scripts=scripts,
        facts=facts,
        **printed,
    )


def _pages(folder: Path) -> list[str]:
    listed = json.loads((folder / "run.json").read_text(encoding="utf-8"))["pages"]
    return ["index.html", *listed]


def _chapter(folder: Path, name: str, names: Sequence[str], charts: Iterator[str] | None) -> Chapter:
    soup = BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser")
    main = soup.select_one("main")
    if main is None:
        raise InduTechError(f"{folder / name} is no page of a report: write it again with `indutech report --rebuild`.")
    stem = Path(name).stem
    for gone in main.select("nav.turn, p.data, noscript"):
        gone.decompose()
    if charts is not None:
        for figure in main.select("figure.chart"):
            _make_static(figure, next(charts))
    _rename_anchors(main, stem)
    _lead_within(main, stem, names)
    _carry_pictures(main, folder)
    title = main.h1.get_text() if main.h1 else stem
    headings = [
        {"anchor": str(heading["id"]), "text": heading.get_text()}
        for heading in main.select("h2[id]") or main.select("section[id] > h2")
        if heading.get("id")
    ]
    number = stem.partition("_")[0] if re.match(r"\d\d_", stem) else ""
    other = main.select_one("section.text[lang]")
    return Chapter(stem, title, number, main.decode_contents(), headings, str(other["lang"]) if other else "")


def _make_static(figure: Tag, svg: str) -> None:
    """The drawn chart takes the place of the box that Plotly would fill."""
    box = figure.select_one(".plot")
    if box is None or figure.script is None:
        return
    drawn = BeautifulSoup(f'<div class="picture static" role="img">{svg}</div>', "html.parser").div
    if drawn is not None:
        drawn["aria-label"] = str(box.get("aria-label", ""))
        box.replace_with(drawn)
    figure.script.decompose()


def _rename_anchors(main: Tag, stem: str) -> None:
    """Anchors of all pages stand in one file, so that each gets its page's name; those in drawings stay."""
    for attribute in ("id", *REFERRING):
        for tag in main.select(f"[{attribute}]"):
            if tag.name != "svg" and not tag.find_parent("svg"):
                tag[attribute] = " ".join(f"{stem}--{name}" for name in str(tag[attribute]).split())


def _lead_within(main: Tag, stem: str, names: Sequence[str]) -> None:
    """A link to a page leads to its chapter; of the files beside the report this one says nothing."""
    for about_files in main.select(".beside"):
        about_files.decompose()
    for link in main.select("a[href]"):
        target, _, part = str(link["href"]).partition("#")
        if target.startswith(("https:", "http:", "mailto:")):
            continue
        if not target or target in names:
            chapter = Path(target).stem if target else stem
            link["href"] = f"#{chapter}--{part}" if part else f"#{chapter}"
            del link["download"]
        else:
            link.unwrap()


def _carry_pictures(main: Tag, folder: Path) -> None:
    for picture in main.select("img[src]"):
        source = str(picture["src"])
        if not source.startswith("data:"):
            content = base64.b64encode((folder / source).read_bytes()).decode()
            picture["src"] = f"data:image/{'svg+xml' if source.endswith('.svg') else 'png'};base64,{content}"


def _script(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _policy(scripts: Sequence[str]) -> str:
    """What the file may do: show what is in it. Scripts only if their bytes are these, and none makes code of text."""
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts]
    return "; ".join([
        "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "font-src data:",
        f"script-src {' '.join(hashes) or repr('none')}", "base-uri 'none'", "form-action 'none'",
    ])  # fmt: skip
