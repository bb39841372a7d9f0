"""The report's pages in a real browser: on a phone, on a screen, on paper, by keyboard and by screen reader.

They are made once, from the outputs of the committed notebooks; no notebook runs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from indutech.report.edition import one_file
from indutech.report.execution import find_notebooks
from tests.browser import CHROMIUM, WITHOUT, chromium
from tests.test_book_on_paper import CHART, faults_at_the_width_of_paper, for_paper

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

PAGES = ["index", *(path.stem for path in find_notebooks())]
WIDTHS = (360, 800, 1440)
A4 = 680  # the width between the margins of an A4 page, in CSS pixels
DEADLINE_MS = 20_000

# Every chart has been drawn for the width that its box has now.
DRAWN = """() => [...document.querySelectorAll('.plot')].every((box) => {
  const drawn = box.querySelector('svg.main-svg');
  const marks = box.querySelectorAll('.trace path, .points path, .hm image, .treemaplayer path');
  const wanted = matchMedia('print').matches ? 660 : box.clientWidth;
  return drawn && marks.length && Math.abs(drawn.getBoundingClientRect().width - wanted) < 2;
})"""

# The labels that stand at least a little outside of their chart, and so are cut off.
CLIPPED = """() => [...document.querySelectorAll('.plot')].flatMap((box) => {
  const frame = box.querySelector('svg.main-svg').getBoundingClientRect();
  const outside = (at) => at.width && (
    at.left < frame.left - 1 || at.right > frame.right + 1 || at.top < frame.top - 1 || at.bottom > frame.bottom + 1);
  const labels = [...box.querySelectorAll('svg text')].filter((label) => outside(label.getBoundingClientRect()));
  return labels.map((label) => `${box.closest('figure').textContent.slice(0, 30)}: ${label.textContent}`);
})"""

# What has the focus: a name, whether it can be seen, and whether the browser shows that it is there.
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const box = at.getBoundingClientRect(), style = getComputedStyle(at);
  const visible = at.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  return {
    name: `${at.tagName} ${at.className} ${at.textContent.trim().slice(0, 40)}`,
    seen: visible && box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth,
    marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
  };
}"""

# The boxes that scroll and do not say so, or that the keyboard cannot reach; and those that only pretend.
SILENT = """() => [...document.querySelectorAll('main .table, main .picture')].filter((box) => {
  if (!box.checkVisibility()) return false;
  const says = getComputedStyle(box, '::before').content.includes('scroll sideways');
  return (box.scrollWidth > box.clientWidth + 1) !== (box.tabIndex === 0 && says);
}).map((box) => box.textContent.slice(0, 60))"""

# Every box that scrolls has noticed it.
NOTICED = """() => [...document.querySelectorAll('main .table, main .picture, main pre')]
  .every((box) => box.tabIndex === 0 || (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight))"""

# What is wider than the paper.
TOO_WIDE = """() => [...document.querySelectorAll('main table, main svg, main img, main pre')]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => `${part.tagName} ${part.textContent.slice(0, 60)}`)"""


@dataclass
class Opened:
    """A page in the browser, and what it asked for and complained about so far."""

    page: Any
    folder: Path
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def at(self, width: int) -> None:
        """Show the page at that width, with its charts drawn for it."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.wait_for_function(DRAWN, timeout=DEADLINE_MS)


@pytest.fixture(scope="module")
def folder(report_in: Callable[[str], Path]) -> Path:
    """The report as the committed notebooks make it, in a folder with spaces and accents."""
    return report_in("en")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all pages."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=PAGES)
def opened(request: pytest.FixtureRequest, browser: Any, folder: Path) -> Iterator[Opened]:
    """One page after the other, each loaded once."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    found = Opened(page, folder)
    page.on("request", lambda asked: found.requests.append(asked.url))
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("console", lambda said: found.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.goto((folder / f"{request.param}.html").as_uri())
    page.wait_for_function(DRAWN, timeout=DEADLINE_MS)
    yield found
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_all_is_drawn_and_nothing_is_cut(opened: Opened, width: int) -> None:
    """Each chart is drawn with whole labels; the page does not scroll sideways; a box that does says so."""
    opened.at(width)

    assert opened.page.evaluate(CLIPPED) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate(SILENT) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing_serious(opened: Opened, scheme: str, width: int) -> None:
    """In both schemes, with every piece of code and every table of numbers open."""
    from axe_playwright_python.sync_playwright import Axe

    options: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
    if scheme == "dark":
        options["runOnly"] = ["color-contrast", "scrollable-region-focusable", "nested-interactive"]
    opened.page.emulate_media(color_scheme=scheme)
    opened.at(width)
    opened.page.evaluate("document.querySelectorAll('main details').forEach((part) => { part.open = true; })")
    opened.page.wait_for_function(NOTICED, timeout=DEADLINE_MS)

    # What is drawn inside of a picture is said by its alternative text; axe would take seconds over its thousand parts.
    found = Axe().run(opened.page, context={"exclude": ["main svg"]}, options=options).response["violations"]

    opened.page.evaluate("document.querySelectorAll('main details').forEach((part) => { part.open = false; })")
    opened.page.emulate_media(color_scheme="light")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert {one["id"]: [node["html"][:120] for node in one["nodes"][:3]] for one in serious} == {}


def test_the_keyboard_sees_where_it_is(opened: Opened) -> None:
    """The first stop leads past the bar; every stop can be seen, and is marked while it has the focus."""
    opened.at(1440)
    opened.page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    stops = []
    while True:
        opened.page.keyboard.press("Tab")
        stop = opened.page.evaluate(FOCUSED)
        if stop is None or len(stops) > 400:
            break
        stops.append(stop)

    assert "Skip to the content" in stops[0]["name"]
    assert [stop["name"] for stop in stops if not (stop["seen"] and stop["marked"])] == []

    opened.page.focus(".skip")
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.activeElement.id") == "content"


def test_paper_is_white_and_holds_everything(opened: Opened) -> None:
    """Also where the screen is dark; no table, drawing or chart is wider than the page: nothing scrolls on paper."""
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.page.set_viewport_size({"width": A4, "height": 1000})
    opened.page.wait_for_function(DRAWN, timeout=DEADLINE_MS)

    clipped = opened.page.evaluate(CLIPPED)
    wide = opened.page.evaluate(TOO_WIDE)
    ground = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    letters = opened.page.evaluate(
        "[...new Set([...document.querySelectorAll('.plot .xtick text')].map((text) => getComputedStyle(text).fill))]"
    )
    hidden = opened.page.evaluate("getComputedStyle(document.querySelector('.bar')).display")
    opened.page.emulate_media(media="screen", color_scheme="light")

    assert (clipped, wide) == ([], [])
    assert ground == "rgb(255, 255, 255)"
    assert set(letters) <= {"rgb(28, 39, 51)"}
    assert hidden == "none"


def test_no_request_leaves_and_nothing_is_complained_about(opened: Opened) -> None:
    """Over all that the tests above did with the page."""
    own = opened.folder.as_uri()

    assert [url for url in opened.requests if not url.startswith((own, "data:", "blob:"))] == []
    assert opened.errors == []


def test_without_scripts_each_chart_is_said_in_words_and_numbers(browser: Any, folder: Path) -> None:
    """What the page promises there is there: a sentence that can be read, and the numbers behind it."""
    with_none = browser.new_context(java_script_enabled=False)
    page = with_none.new_page()
    page.goto((folder / "05_finops.html").as_uri())

    charts = page.locator("figure.chart").all()
    said = [(chart.locator("noscript p").text_content() or "").replace("\u00a0", " ") for chart in charts]
    rows = [chart.locator("details.numbers tbody tr").count() for chart in charts]
    sentences = [chart.locator(".plot").get_attribute("aria-label") for chart in charts]
    with_none.close()

    assert len(charts) > 8
    assert all(sentence and sentence in words for words, sentence in zip(said, sentences, strict=True))
    assert min(rows) > 1


def test_the_book_keeps_numbers_and_words_whole(browser: Any, folder: Path, tmp_path: Path) -> None:
    """Before it is cut into pages; test_book_on_paper.py prints it, in French."""
    html = tmp_path / "book.html"
    html.write_text(
        for_paper(folder, one_file.chapters(folder, [CHART] * len(one_file.chart_specs(folder)))), encoding="utf-8"
    )

    assert faults_at_the_width_of_paper(browser, html) == {"torn": [], "cut": [], "parted": []}
