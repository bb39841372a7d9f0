"""The French edition in a real browser: longer words are not cut, and what is read aloud says its language.

What holds for both editions is looked at in English, by test_pages_in_browser.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import CHROMIUM, WITHOUT, chromium
from tests.test_pages_in_browser import A4, CLIPPED, DEADLINE_MS, DRAWN, SILENT, TOO_WIDE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)]

PAGES = ["index", "00-summary", "05_finops"]
LANGUAGE_RULES = ["html-has-lang", "html-lang-valid", "valid-lang", "html-xml-lang-mismatch"]
# What the chart of tickets per day writes below its axis.
DAYS = "() => [...document.querySelectorAll('.plot .xtick text')].map((label) => label.textContent).join(' ')"


@pytest.fixture(scope="module")
def folder(report_in: Callable[[str], Path]) -> Path:
    """The French report of the committed notebooks."""
    return report_in("fr")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all pages."""
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_in_french(browser: Any, folder: Path, name: str) -> None:
    """On a screen, on a phone in the dark, on paper: labels are whole, and what scrolls says so in French."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / f"{name}.html").as_uri())

    for width, scheme in ((1440, "light"), (360, "dark")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(DRAWN, timeout=DEADLINE_MS)
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(SILENT.replace("scroll sideways", "faire défiler")) == []
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 1000})
    page.wait_for_function(DRAWN, timeout=DEADLINE_MS)
    assert (page.evaluate(CLIPPED), page.evaluate(TOO_WIDE)) == ([], [])
    page.close()
    assert errors == []


def test_axe_finds_every_language_valid(browser: Any, folder: Path) -> None:
    """And nothing else that is serious, on the front page."""
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
    page.goto((folder / "02_producer.html").as_uri())
    page.wait_for_function(DRAWN, timeout=DEADLINE_MS)
    days = page.evaluate(DAYS)
    found += Axe().run(page, options={"runOnly": LANGUAGE_RULES}).response["violations"]
    page.close()

    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert "10/03" in days
    assert "Mar" not in days
