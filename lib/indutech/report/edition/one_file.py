"""The whole report as one HTML file that works alone: styles and drawings inside, links lead within it.

With Chromium its charts are static SVG and it holds no script at all; without, Plotly is inside and draws them.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from bs4 import BeautifulSoup
from bs4.element import Tag

from indutech.report.edition.pages import STYLE
from indutech.system.errors import InduTechError

NAME = "indutech-report.html"
MOST_BYTES = 8_000_000  # what most mail servers take
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


def write(folder: Path, charts: Sequence[str] | None) -> Path:
    """Write the one file of a finished report into its folder; `charts` are its charts as SVG, None if not drawn.

    Raises:
        TooLarge: it has more bytes than a mail takes.
    """
    made = composed(folder, charts)
    if len(made.encode()) > MOST_BYTES:
        raise TooLarge(
            f"{NAME} would have {len(made.encode()) / 1e6:.1f} MB, and a mail takes {MOST_BYTES / 1e6:.0f}. "
            "Send the folder as an archive; with Chromium on this machine the file has no Plotly in it and is smaller."
        )
    (folder / NAME).write_text(made, encoding="utf-8")
    return folder / NAME


def chart_specs(folder: Path) -> list[dict[str, Any]]:
    """What Plotly draws on the pages of a report, in their order."""
    pages = [_soup(folder / name) for name in _pages(folder)]
    return [json.loads(str(data.string)) for soup in pages for data in soup.select("figure.chart script")]


def composed(folder: Path, charts: Sequence[str] | None, **printed: Any) -> str:
    """The text of the one file; `printed` is for the PDF, which adds a cover and page numbers."""
    names = _pages(folder)
    left = iter(charts or ())
    chapters = [_chapter(folder, name, names, left if charts is not None else None) for name in names]
    scripts = [] if charts is not None else [_script(folder / "assets" / name) for name in ("plotly.min.js", "report.js")]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STYLE), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return environment.get_template("one-file.html.j2").render(
        chapters=chapters,
        css=(folder / "assets" / "report.css").read_text(encoding="utf-8") + (STYLE / "book.css").read_text(encoding="utf-8"),
        policy=_policy(scripts),
        scripts=scripts,
        facts=facts,
        **printed,
    )


def _pages(folder: Path) -> list[str]:
    listed = json.loads((folder / "run.json").read_text(encoding="utf-8"))["pages"]
    return ["index.html", *listed]


def _chapter(folder: Path, name: str, names: Sequence[str], charts: Any) -> Chapter:
    soup = _soup(folder / name)
    main = soup.select_one("main")
    if main is None:
        raise InduTechError(f"{folder / name} is no page of a report: write it again with `indutech report --rebuild`.")
    stem = Path(name).stem
    for gone in main.select("nav.turn, a.data, noscript"):
        gone.decompose()
    for figure in main.select("figure.chart") if charts is not None else ():
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
    return Chapter(stem, title, number, main.decode_contents(), headings)


def _make_static(figure: Tag, svg: str) -> None:
    """The drawn chart takes the place of the box that Plotly would fill."""
    box = figure.select_one(".plot")
    if box is None or figure.script is None:
        return
    drawn = BeautifulSoup(f'<div class="picture static" role="img">{svg}</div>', "html.parser").div
    if drawn is not None:
        drawn["aria-label"] = box.get("aria-label", "")
        box.replace_with(drawn)
    figure.script.decompose()


def _rename_anchors(main: Tag, stem: str) -> None:
    """Anchors of all pages stand in one file, so that each gets its page's name; those in drawings stay."""
    for tag in main.find_all(True):
        if tag.find_parent("svg") or tag.name == "svg":
            continue
        for attribute in ("id", *REFERRING):
            if tag.get(attribute):
                tag[attribute] = " ".join(f"{stem}--{name}" for name in str(tag[attribute]).split())


def _lead_within(main: Tag, stem: str, names: Sequence[str]) -> None:
    """A link to a page leads to its chapter; one to a file beside the report becomes plain text."""
    for link in main.select("a[href]"):
        target, _, part = str(link["href"]).partition("#")
        if target.startswith(("https:", "http:", "mailto:")):
            continue
        if not target or target in names:
            chapter = Path(target).stem if target else stem
            link["href"] = f"#{chapter}--{part}" if part else f"#{chapter}"
            link.attrs.pop("download", None)
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


def _soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")

