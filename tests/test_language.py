"""Messages, numbers and recognition: a text of a run becomes the same text in another language, with its figures."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import nbformat
import pytest
from babel.messages.catalog import Catalog

from indutech.report.edition.translation import catalogue, notebooks, recognised, sentences
from indutech.report.execution import find_notebooks
from indutech.show import language
from indutech.show.language import LanguageError
from indutech.system.settings import PROJECT

NARROW, HARD = "\u202f", "\u00a0"
ENGLISH_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
FRENCH_NUMBER = re.compile(rf"\d+(?:{NARROW}\d{{3}})*(?:[,.]\d+)?")  # with a point in versions and in JSON


def in_english(text: str) -> Counter[str]:
    """The numbers of an English text, as a program reads them."""
    return Counter(found.replace(",", "") for found in ENGLISH_NUMBER.findall(text))


def in_french(text: str) -> Counter[str]:
    """The numbers of a French text, as a program reads them."""
    return Counter(found.replace(NARROW, "").replace(",", ".") for found in FRENCH_NUMBER.findall(text))


@pytest.fixture(scope="module")
def french() -> Catalog:
    """The French catalogue, as it is committed."""
    return language.catalogue("fr")


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("1,234.56", f"1{NARROW}234,56"),
        ("20,025 sent", f"20{NARROW}025 sent"),
        ("$6,223.09 †", f"6{NARROW}223,09{HARD}USD †"),
        ("-$46.65", f"-46,65{HARD}USD"),
        ("$3,700 – $6,200 – $8,700", f"3{NARROW}700 – 6{NARROW}200 – 8{NARROW}700{HARD}USD"),
        ("€6,300", f"6{NARROW}300{HARD}€"),
        ("38 % or 70%", f"38{HARD}% or 70{HARD}%"),
        ("GB", "Go"),
        ("12.5 GB, 19 kB/s and 64 MiB", "12,5 Go, 19 ko/s and 64 Mio"),
        ("TLS 1.2+, Spark 4.2.0, ra3.4xlarge, 127.0.0.1:8080, 2026-11-29", None),
        ("1234 of 99999", None),
    ],
)
def test_numbers_have_the_form_of_the_language(english: str, french: str | None) -> None:
    """Amounts, percentages and thousands do; versions, addresses, days and plain integers stay what they are."""
    with language.spoken("fr"):
        assert language.numbers(english) == (french or english)
    assert language.numbers(english) == english


def test_days_have_the_words_of_the_language() -> None:
    """The day of a source, and the moment that a run has noted."""
    with language.spoken("fr"):
        assert language.day(date(2026, 8, 1)) == "1 août 2026"
        assert language.moment("29 November 2026, 22:42") == "29 novembre 2026, 22:42"
        assert language.moment("29 Nonsense 2026") is None
    assert language.day(date(2026, 8, 1)) == "1 August 2026"


def test_an_unknown_language_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming those there are; a catalogue that cannot be read is named with what restores it."""
    with pytest.raises(LanguageError, match=r"no edition in 'de'\. Choose one of en, fr"), language.spoken("de"):
        pass
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    with pytest.raises(LanguageError, match=r"indutech\.po cannot be read.*indutech documents"):
        language.catalogue("fr")


def test_a_sentence_is_recognised_and_its_values_stay() -> None:
    """A value is in the form of the language, and translated itself where it is words."""
    reader = recognised.reader([
        ("**{n_rows}** rows in {place}, {verdict}.", "{verdict} : **{n_rows}** lignes, {place}."),
        ("all right", "tout va bien"),
    ])  # fmt: skip

    with language.spoken("fr"):
        said = reader.said("**20,025** rows in `lake/1.5`, all right.")

    assert said == f"tout va bien : **20{NARROW}025** lignes, `lake/1.5`."
    assert reader.said("something else") is None


def test_the_message_that_knows_most_wins() -> None:
    """A short frame fits many texts; the one whose values are known too is right."""
    reader = recognised.reader([
        ("{a} then {b}", "{a} puis {b}"), ("first {a} then the last", "d'abord {a}, puis la fin"), ("one", "un"),
    ])  # fmt: skip

    assert reader.said("first one then the last") == "d'abord un, puis la fin"


def test_half_a_list_is_not_translated() -> None:
    """A list of which one item is unknown stays in its language, and is noted."""
    reader = recognised.reader([("apples", "pommes"), ("pears", "poires")])

    assert reader.said("apples and pears, apples") == "pommes et poires, pommes"
    assert reader.said("apples and quinces") is None
    assert reader.value("apples and quinces") == "apples and quinces"
    assert reader.unknown == ["apples and quinces"]


def test_sentences_of_code_are_messages() -> None:
    """An f-string is one, with names for its values, and so is each of two words; code and errors are none."""
    found = list(sentences.of_cell(
        'Markdown(f"- **{len(stored):,}** rows, {\'some lost\' if lost else \'none lost\'}.\\n- {x} `code`")\n'
        'findings.say("{sent:,} tickets sent", sent=1)\n'
        'raise ValueError(f"no {thing} there")\n'
        'name = f"column_{x}"\n'
    ))  # fmt: skip

    assert found == [
        "**{len_stored}** rows, {some_lost_if_lost_else_none_lost}.", "some lost", "none lost", "{sent} tickets sent",
    ]  # fmt: skip


def test_markdown_is_handed_over_line_by_line() -> None:
    """Marks, labels, keys of claims and code stay where they are."""
    text = (
        "## A head\n\n**Answer.** It is.\n1. one\n- *said* so it is (`key-one`)\n| a | b |\n|---|---|\n```\ncode\n```"
    )

    assert notebooks.markdown(text, lambda words, _: words.upper()) == (
        "## A HEAD\n\n**ANSWER.** IT IS.\n1. ONE\n- *SAID* SO IT IS (`key-one`)\n| A | B |\n|---|---|\n```\ncode\n```"
    )


def test_every_message_is_translated(french: Catalog) -> None:
    """None is empty, and none is left fuzzy after its source changed."""
    messages = [message for message in french if message.id]

    assert len(messages) > 1000
    assert [message.id for message in messages if not message.string] == []
    assert [message.id for message in messages if message.fuzzy] == []
    assert french.obsolete == {}


def test_every_translation_has_the_places_of_its_message(french: Catalog) -> None:
    """A value that is left out, or one that nobody gives, is a sentence without its figure."""
    places = re.compile(r"\{\w+\}|%\(\w+\)s|</?\w+>|`[^`]+`")
    wrong = {
        message.id: message.string
        for message in french
        if message.id
        and Counter(places.findall(str(message.id))) - Counter(places.findall(str(message.string)))
        - Counter({"`regional`": 1})
    }  # fmt: skip

    assert wrong == {}


def test_the_catalogue_is_that_of_the_sources(french: Catalog) -> None:
    """A message that nothing says any longer is gone, and a new one is there: `indutech documents` renews it."""
    assert catalogue.renewed("fr") == language.catalogue_file("fr").read_bytes()


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_what_a_notebook_says_has_the_same_figures_in_french(path: Path) -> None:
    """Sentence by sentence, cell by cell: the numbers are the same numbers."""
    found: list[tuple[str, str]] = []

    def both(text: str, kind: str) -> str:
        found.append((text, recognised.said(text)))
        return text

    with language.spoken("fr"):
        notebooks.visit(nbformat.read(path, as_version=4), both)

    assert len(found) > 100
    assert [pair for pair in found if in_english(pair[0]) != in_french(pair[1])] == []


def test_the_page_for_finance_has_the_same_figures_in_french() -> None:
    """Line by line."""
    english = (PROJECT / "docs" / "00-summary.md").read_text(encoding="utf-8").replace("\\$", "$")
    with language.spoken("fr"):
        french = notebooks.markdown_translated(english)

    pairs = list(zip(english.split("\n"), french.split("\n"), strict=True))
    assert [pair for pair in pairs if in_english(pair[0]) != in_french(pair[1])] == []
    [month] = re.findall(r"bring the month from \$([\d,.]+)", english)
    assert month.replace(",", NARROW).replace(".", ",") + f"{HARD}USD" in french
