"""The parts of a page that are in another language than the page: words of the tickets, and words in drawings."""

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString

from indutech.report.edition.translation.notebooks import FRENCH, FRENCH_COLUMNS
from indutech.show import language

LANGUAGE = "fr"
OF_THE_PAGE = ("title", "desc", "style")  # of a drawing: they are in the language of the page
_WORDS = re.compile(rf"(?<!\w)({'|'.join(sorted(map(re.escape, FRENCH), key=len, reverse=True))})(?!\w)")
_SENTENCE = re.compile(r"(?<=, client )(\d{4}: )(.+)$")  # what a client asks, in a list of tickets
_TICKET = re.compile(r'"request"\s*:')


def mark(soup: BeautifulSoup) -> None:
    """Say of each part that is in another language which one it is, so that it is read aloud as such."""
    page = soup.html.get("lang") if soup.html else None
    if page != LANGUAGE:
        _mark_tickets(soup)
    if page != language.SOURCE:
        for drawing in soup.find_all("svg"):
            for part in drawing.find_all(True, recursive=False):
                if part.name not in OF_THE_PAGE:
                    part["lang"] = language.SOURCE


def _mark_tickets(soup: BeautifulSoup) -> None:
    """Every word, sentence and message of a ticket is French."""
    for table in soup.select("main table"):
        heads = [cell.get_text(strip=True) for cell in table.select("thead tr:first-child > *")]
        for row in table.select("tbody tr"):
            for at, cell in enumerate(row.find_all(["td", "th"], recursive=False)):
                if cell.get_text(strip=True) in FRENCH or (at < len(heads) and heads[at] in FRENCH_COLUMNS):
                    cell["lang"] = LANGUAGE
    for code in soup.select("main .highlight, main pre"):
        if _TICKET.search(code.get_text()) and not code.find_parent("details", class_="code"):
            code["lang"] = LANGUAGE
    for item in soup.select("main li"):
        last = item.find_all(string=_SENTENCE)
        for text in last:
            found = _SENTENCE.search(str(text))
            if found:
                asked = soup.new_tag("span", attrs={"lang": LANGUAGE})
                asked.string = found[2]
                text.insert_after(asked)
                text.replace_with(NavigableString(str(text)[: found.start(2)]))
    for text in list(soup.main.find_all(string=_WORDS)) if soup.main else ():
        if not text.find_parent(["pre", "script", "code", "svg"]) and not text.find_parent(attrs={"lang": LANGUAGE}):
            _wrap(soup, text)


def _wrap(soup: BeautifulSoup, text: NavigableString) -> None:
    parts = _WORDS.split(str(text))
    for at, part in enumerate(parts):
        if at % 2:
            marked = soup.new_tag("span", attrs={"lang": LANGUAGE})
            marked.string = part
            text.insert_before(marked)
        elif part:
            text.insert_before(NavigableString(part))
    text.extract()
