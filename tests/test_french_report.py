"""The French edition: front page, page for finance and notebooks in French, the same figures, `lang` right everywhere.

It is made from the outputs of the committed notebooks; no notebook runs.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString

from indutech.report.execution import find_notebooks

pytestmark = pytest.mark.slow  # two whole reports are written

NOTEBOOKS = [path.stem for path in find_notebooks()]
TRANSLATED = ["index", "00-summary", *NOTEBOOKS]
ENGLISH_PAGES = ["01-service-choices", "02-compatibility", "03-costs"]
# Words that only the one language has.
WORDS = {
    "en": re.compile(r"\b(the|of|and|is|are|was|were|with|from|which|its|for|not|that|this|have|been|than|into|by)\b"),
    "fr": re.compile(r"\b(le|les|des|une|dans|pour|avec|est|sont|pas|qui|aux|sur|chaque|du|été|où)\b"),
}
DRAWN = re.compile(r"(<svg\b[^>]*>.*?<g\b[^>]*>).*?(?=</svg>)", re.DOTALL)
SPOKEN = ("aria-label", "alt", "title", "data-sideways")


@pytest.fixture(scope="module")
def folders(report_in: Callable[[str], Path]) -> dict[str, Path]:
    """Both editions of one run."""
    return {lang: report_in(lang) for lang in ("en", "fr")}


@cache
def page(folder: Path, name: str) -> BeautifulSoup:
    """A page of the report, parsed; its drawings without their thousand parts, which would take seconds."""
    return BeautifulSoup(DRAWN.sub(r"\1", (folder / f"{name}.html").read_text(encoding="utf-8")), "html.parser")


def said_in(soup: BeautifulSoup, lang: str) -> Iterator[str]:
    """What a page says in a language: its texts, and what is read aloud for pictures and controls."""
    for text in soup.find_all(string=True):
        if type(text) is NavigableString and not text.find_parent(["script", "style", "code", "pre"]):
            yield from _if_in(text.parent, lang, str(text))
    for attribute in SPOKEN:
        for tag in soup.select(f"[{attribute}]"):
            yield from _if_in(tag, lang, str(tag[attribute]))


def _if_in(tag: object, lang: str, text: str) -> Iterator[str]:
    marked = tag if tag.has_attr("lang") else tag.find_parent(attrs={"lang": True})  # type: ignore[attr-defined]
    if text.strip() and marked is not None and marked["lang"] == lang:
        yield " ".join(word for word in text.split() if "/" not in word)  # without addresses


@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize(("edition", "other"), [("fr", "en"), ("en", "fr")])
def test_no_text_is_left_in_the_other_language(folders: dict[str, Path], edition: str, other: str, name: str) -> None:
    """What is in the other language says so, so that it is read aloud as such; all else is in that of the page."""
    soup = page(folders[edition], name)

    assert soup.html["lang"] == edition
    assert [text for text in said_in(soup, edition) if WORDS[other].search(text)] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_only_code_and_drawings_are_english_on_a_french_page(folders: dict[str, Path], name: str) -> None:
    """And names of pages that are in English: no sentence, cell or title is left over with a mark that it is."""
    marked = page(folders["fr"], name).select("main [lang=en]")

    left = [
        tag
        for tag in marked
        if not tag.find_parent(["svg", "details"]) and not tag.find_parent(class_=["sources", "turn"])
        and not tag.find_parent("section", id="pages")
    ]  # fmt: skip
    assert [tag.get_text()[:80] for tag in left] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_both_editions_have_the_same_parts(folders: dict[str, Path], name: str) -> None:
    """As many headings, tables, rows, charts and drawings: nothing is left out in translation."""
    english, french = (page(folders[lang], name) for lang in ("en", "fr"))

    for part in ("main h1, main h2, main h3", "main table", "main tr", "figure.chart", "figure.drawing", "main li"):
        assert len(french.select(part)) == len(english.select(part)), part


def test_the_figures_of_both_front_pages_are_the_same(folders: dict[str, Path]) -> None:
    """Each figure has the same digits, the same link, and the same entry in run.json."""
    english, french = (page(folders[lang], "index").select("a.figure") for lang in ("en", "fr"))

    def digits(link: object) -> list[str]:
        return re.findall(r"\d", link.text)  # type: ignore[attr-defined]

    assert len(english) > 40
    assert [(link["data-figure"], link["href"], digits(link)) for link in french] == [
        (link["data-figure"], link["href"], digits(link)) for link in english
    ]
    told = {lang: json.loads((folders[lang] / "run.json").read_text(encoding="utf-8")) for lang in folders}
    assert {lang: one.pop("language") for lang, one in told.items()} == {"en": "en", "fr": "fr"}
    assert told["fr"] == told["en"]


def test_the_front_page_is_french(folders: dict[str, Path]) -> None:
    """Amounts, the proof, the run and the list of pages; what stays English is said."""
    index = page(folders["fr"], "index")

    assert index.h1.text.startswith("Une plateforme de données à côté de l'usine")
    month = page(folders["en"], "index").select_one("a[data-figure=month_exact]").text  # $1,234.56 †
    [amount] = re.findall(r"[\d,.]+", month)
    amount = amount.translate(str.maketrans({",": "\u202f", ".": ","}))
    assert index.select_one("a[data-figure=month_exact]").text == f"{amount}\u00a0USD\u00a0†"
    assert "20\u202f125 envoyés, 20\u202f120 enregistrés, 0 perdu(s), 0 en double" in index.select_one("#proof").text
    assert "29 novembre 2026, 22:42 UTC, en 95 s" in index.select_one("#run").text
    assert [link["hreflang"] for link in index.select("#pages ul a")] == ["fr", "en", "en", "en"]
    assert "Les documents plus longs" in index.select_one("#pages").text
    assert not re.search(r"[$]|\d,\d{3}(?!\d)", index.select_one("#cost").text)


def test_a_drawing_says_its_title_in_french_and_its_words_in_english(folders: dict[str, Path]) -> None:
    """Its alternative text and its caption are read aloud in the language of the page."""
    figure = page(folders["fr"], "01_architecture").select_one("figure.drawing")

    assert figure.svg["aria-label"].startswith("La plateforme en dessin")
    assert figure.figcaption.text == "Figure 1.1 InduTech\u00a0: plateforme hybride"
    assert figure.svg.g["lang"] == "en"


@pytest.mark.parametrize("name", ENGLISH_PAGES)
def test_a_document_in_english_says_so(folders: dict[str, Path], name: str) -> None:
    """Its frame is French, its text is marked as English."""
    soup = page(folders["fr"], name)

    assert soup.select_one("main > section.text")["lang"] == "en"
    assert soup.select_one(".contents summary").text == "Sommaire"


def test_tickets_are_french_in_an_english_text(folders: dict[str, Path]) -> None:
    """Types, teams, requests and whole messages are marked, in sentences, tables and code."""
    producer, stream, analysis = (page(folders["en"], name) for name in ("02_producer", "03_stream", "04_analysis"))

    french = {
        tag.get_text(strip=True) for soup in (producer, stream, analysis) for tag in soup.select("main [lang=fr]")
    }
    assert {"Panne Matérielle", "Support Réseau", "CRITIQUE"} <= french
    assert any(text.startswith("Impossible de joindre la supervision") for text in french)
    assert any(text.startswith("Fuite d'huile constatée") for text in french)
    assert any(text.startswith('{"ticket_id"') for text in french)
    assert not page(folders["fr"], "04_analysis").select("main [lang=fr]")
