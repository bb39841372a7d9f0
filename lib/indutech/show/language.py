"""The language that a page is being written in: its catalogue of messages, and its form of numbers.

English is the language of the sources. What is written inside `spoken("fr")` finds its words in
assets/locale/fr/LC_MESSAGES/indutech.po, which a translator edits and which is compiled here, in memory.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal
from babel.support import Translations

from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

SOURCE = "en"
NAMES = {SOURCE: "English", "fr": "français"}
LANGUAGES = tuple(NAMES)
FOLDER = PROJECT / "assets" / "locale"
DOMAIN = "indutech"

NUMBER = re.compile(
    r"(?<![\w.,/])(?P<sign>[-+−])?(?P<currency>\\?\$|€)?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?"
    r"(?P<percent>\s?%)?(?!\w|\+|[.,/]\d|-\d)"
)
_MOMENT = re.compile(r"(?P<day>\d{1,2}) (?P<month>[A-Z][a-z]+) (?P<year>\d{4})(, (?P<time>\d\d:\d\d))?")
_MONTHS = list(Locale(SOURCE).months["format"]["wide"].values())
_RANGE = re.compile(r"\u00a0USD – (?=[\d\u202f,]+\u00a0USD)")  # 1 – 2 – 3 USD needs its unit once
_BYTES = re.compile(r"((?<=\d)[\s\u00a0\u202f]?|\A(?=\w{2,3}\Z))([kKMGTP]i?)B\b")  # a byte is an octet in French
_CODES = {"$": "USD", "\\$": "USD", "€": "€"}
_spoken: ContextVar[str] = ContextVar("spoken", default=SOURCE)


class LanguageError(InduTechError):
    """A language that there is no catalogue for, or a catalogue that cannot be read."""


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Write in this language what is written meanwhile.

    Raises:
        LanguageError: there is no catalogue for it, or it cannot be read.
    """
    if language not in LANGUAGES:
        raise LanguageError(f"There is no edition in {language!r}. Choose one of {', '.join(LANGUAGES)}.")
    translations(language)
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def active() -> str:
    """The language that is being written in."""
    return _spoken.get()


def marked(message: str) -> str:
    """The message itself: marks words for the catalogue where they are written down and not yet said."""
    return message


def gettext(message: str) -> str:
    """A message in the language that is being written in; in English if its catalogue has none."""
    return str(translations(active()).gettext(message))


def catalogue_file(language: str) -> Path:
    """The catalogue that a translator edits."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue(language: str) -> Catalog:
    """The catalogue of a language, as it is committed.

    Raises:
        LanguageError: it is not there or cannot be read.
    """
    file = catalogue_file(language)
    try:
        with file.open("rb") as po:
            return read_po(po, locale=language, domain=DOMAIN, abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise LanguageError(f"{file} cannot be read: {error}. Restore it, or run `indutech documents`.") from None


@cache
def translations(language: str) -> Translations:
    """The messages of a language, ready for use; those of English are the sources themselves."""
    if language == SOURCE:
        return Translations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(fp=compiled, domain=DOMAIN)


@cache
def messages(language: str) -> tuple[Message, ...]:
    """The messages that a translator has finished: those with a translation that is not marked as fuzzy."""
    if language == SOURCE:
        return ()
    return tuple(message for message in catalogue(language) if message.id and message.string and not message.fuzzy)


def numbers(text: str) -> str:
    """A text with its numbers, percentages, amounts and bytes in the form of the language: 1,234.5 GB is 1 234,5 Go."""
    if active() == SOURCE:
        return text
    return _RANGE.sub(" – ", NUMBER.sub(_in_its_form, _BYTES.sub(r"\1\2o", text)))


def day(moment: date) -> str:
    """A day in words: 29 November 2026, 29 novembre 2026."""
    return str(format_date(moment, "d MMMM y", locale=_locale()))


def moment(text: str) -> str | None:
    """A day in English words, with its time if it has one, in the form of the language; None if it is none."""
    found = _MOMENT.fullmatch(text)
    if not found or found["month"] not in _MONTHS:
        return None
    said = day(date(int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"])))
    return said + (f", {found['time']}" if found["time"] else "")


def _in_its_form(found: re.Match[str]) -> str:
    grouped = "," in found["whole"] or found["currency"]
    if not (grouped or found["part"] or found["percent"]):
        return found[0]
    digits = len(found["part"] or ".") - 1
    pattern = ("#,##0" if grouped else "0") + ("." + "0" * digits if digits else "")
    value = Decimal(found["whole"].replace(",", "") + (found["part"] or ""))
    said = (found["sign"] or "") + format_decimal(value, pattern, locale=_locale())
    if found["currency"]:
        said += f"\u00a0{_CODES[found['currency']]}"
    return said + ("\u00a0%" if found["percent"] else "")


def _locale() -> Locale:
    return Locale(active())
