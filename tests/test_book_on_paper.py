"""The printed book: a drawing once and large, no page nearly empty, no number in two lines. No notebook runs.

It is printed in French, whose words are longer, from the outputs of the committed notebooks; an empty box stands for
each chart, which test_pages_in_browser.py looks at. That file looks at the English book before it is cut into pages.
"""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import pytest
from pypdfium2 import PdfDocument, PdfPage

from indutech.report.edition import one_file, paper, pdf
from indutech.show import language
from tests.browser import CHROMIUM, WITHOUT, chromium

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

WIDTH = round(178 / 25.4 * 96)  # between the margins of a page, in CSS pixels
FOOT = 20 / 25.4 * 72  # points above the edge of the sheet: what stands lower is the number of the page
DRAWINGS = 8
CHART = '<svg viewBox="0 0 760 400"><text x="9" y="390">axis</text></svg>'

# Numbers, ranges and dates that stand in more than one line.
TORN = """() => [...document.querySelectorAll('.book tbody .num, .book .range, .book .whole')].filter((part) => {
  const range = document.createRange();
  range.selectNodeContents(part);
  const tops = [...range.getClientRects()].filter((at) => at.width > 1).map((at) => at.top);
  return Math.max(...tops) - Math.min(...tops) > 6;
}).map((part) => part.textContent)"""

# What is wider than the paper.
CUT_OFF = """() => [...document.querySelectorAll('main table, main pre, main p, main li')]
  .filter((part) => part.checkVisibility() && !part.closest('.drawing')
    && part.getBoundingClientRect().left + part.scrollWidth > innerWidth + 1)
  .map((part) => `${part.tagName} ${part.textContent.slice(0, 60)}`)"""

# Words of a table that go on in the next line: a capital in the middle begins another word there.
PARTED = """() => [...document.querySelectorAll('.book td')].flatMap((cell) => {
  const found = [], walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  for (let text = walk.nextNode(); text; text = walk.nextNode())
    for (const word of text.data.matchAll(/[\\p{L}\\d]+/gu)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const tops = [...range.getClientRects()].map((at) => at.top);
      if (Math.max(...tops) - Math.min(...tops) > 4) found.push(word[0]);
    }
  return found;
})"""


@dataclass(frozen=True)
class Sheet:
    """A printed page: whether it lies, what it says, and how far down its words go, from 0 to 1."""

    lies: bool
    text: str
    down: float


@dataclass(frozen=True)
class Book:
    """The printed book, the pages on which its chapters begin, and what it was printed from."""

    sheets: Sequence[Sheet]
    starts: Mapping[str, int]
    html: str


@pytest.fixture(scope="module")
def book(report_in: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The French book."""
    folder = tmp_path_factory.mktemp("book") / "report"
    shutil.copytree(report_in("fr"), folder)
    assert CHROMIUM
    with language.spoken("fr"):
        chapters = one_file.chapters(folder, [CHART] * len(one_file.chart_specs(folder)))
        made = pdf.write(folder, chapters, CHROMIUM)
        html = for_paper(folder, chapters)
    starts = {name: number for name, number in pdf.pages_of_anchors(made).items() if "--" not in name}
    with PdfDocument(made) as document:
        return Book([sheet(page) for page in document], starts, html)


def for_paper(folder: Path, chapters: Sequence[one_file.Chapter]) -> str:
    """What the book is printed from."""
    return one_file.composed(folder, paper.arranged(chapters), cover=[], page_of={})


def sheet(page: PdfPage) -> Sheet:
    """What stands on a page; its number at the foot is not counted."""
    width, height = page.get_size()
    words = page.get_textpage()
    feet = [bottom for _, bottom, _, _ in map(words.get_rect, range(words.count_rects())) if bottom > FOOT]
    return Sheet(width > height, " ".join(words.get_text_bounded().split()), 1 - min(feet, default=height) / height)


def faults_at_the_width_of_paper(browser: Any, html: Path) -> dict[str, list[str]]:
    """What is torn, cut off or parted in the book before it is cut into pages."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
    page.emulate_media(media="print")
    page.goto(html.as_uri())
    found = {name: page.evaluate(script) for name, script in (("torn", TORN), ("cut", CUT_OFF), ("parted", PARTED))}
    numbers = page.locator(".book tbody .num").count()
    page.close()
    assert numbers > 500
    parted = [word for word in found["parted"] if not re.search(r"[a-z][A-Z]", word)]
    return found | {"parted": parted}


def test_a_drawing_is_printed_once_on_a_page_of_its_own(book: Book) -> None:
    """With its caption; where it stood, and where documents show it too, its number and its page are right."""
    lying = [number for number, one in enumerate(book.sheets, 1) if one.lies]
    titles = [re.findall(r"Figure 1\.\d+", book.sheets[number - 1].text) for number in lying]
    assert len(lying) == DRAWINGS
    assert [len(found) for found in titles] == [1] * DRAWINGS

    referred = [said for one in book.sheets for said in re.findall(r"(Figure 1\.\d+)[^→()]*, p\. (\d+)", one.text)]
    page_of = dict(zip((found[0] for found in titles), lying, strict=True))
    assert len(referred) == 2 * DRAWINGS + 1  # in the notebook, in the documents, on the front page
    assert [said for said in referred if page_of.get(said[0]) != int(said[1])] == []


def test_no_page_is_nearly_empty(book: Book) -> None:
    """The words of each go down more than a fifth of it, but for the last one of a chapter."""
    last = set()
    for start in [*book.starts.values(), len(book.sheets) + 1]:
        drawings = takewhile(lambda one: one.lies, reversed(book.sheets[: start - 1]))
        last.add(start - 1 - len(list(drawings)))

    assert [at for at, one in enumerate(book.sheets, 1) if at not in last and one.down < 0.2] == []


def test_no_head_of_a_table_is_alone_at_the_foot(book: Book) -> None:
    """It would be said again by the next page, which goes on with its first row."""
    bodies = [one.text.partition("InduTech ")[2] for one in book.sheets]  # the foot of a page is said first
    alone = [at for at, (body, after) in enumerate(pairwise(bodies), 1) if after[:25] in body[-200:]]

    assert alone == []


def test_the_platform_on_one_page_is_on_one_page(book: Book) -> None:
    """As its title says."""
    assert book.starts["01-service-choices"] == book.starts["00-summary"] + 1


def test_numbers_and_words_are_whole(book: Book, tmp_path: Path) -> None:
    """At the width of the paper no number is torn, no word of a table is parted, and nothing is cut off."""
    (tmp_path / "book.html").write_text(book.html, encoding="utf-8")
    with chromium() as browser:
        found = faults_at_the_width_of_paper(browser, tmp_path / "book.html")

    assert found == {"torn": [], "cut": [], "parted": []}
