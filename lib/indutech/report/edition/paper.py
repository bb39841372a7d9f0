"""What the book changes in the chapters: a drawing stands once, on a page it fills, and long names can be parted."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from indutech.report.edition.one_file import Chapter

DATA = "data:image/svg+xml;base64,"
LONG_CODE = 25  # lines from which code may go on on the next page
LONG_NAME = 14  # characters of a word from which a narrow column may part it
UNKNOWN_PAGE = "000"  # before the first print: as wide as the number that takes its place
_PAGE_OF = re.compile(r'(<span class="page-of" data-of="([^"]+)">)\d*(?=</span>)')
_JOINT = re.compile(r"(?<=[/:@_=-])(?=\w)|(?<=\w)(?=[.][A-Za-z])|(?<=[a-z])(?=[A-Z])")


def arranged(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters for paper: each drawing at the end of the chapter that explains it, and a reference elsewhere.

    A drawing needs a landscape page to be read. Where it stands in the text, it would leave the page before it empty.
    """
    soups = [BeautifulSoup(chapter.body, "html.parser") for chapter in chapters]
    plates: dict[str, Tag] = {}
    for soup in soups:
        for figure in soup.select("figure.drawing[id]"):
            plates.setdefault(_words(figure), figure)
            figure.replace_with(_reference(soup, figure, figure.figcaption.get_text() if figure.figcaption else ""))
            soup.append(figure)
    for chapter, soup in zip(chapters, soups, strict=True):
        for picture in soup.select(f'.picture img[src^="{DATA}"]'):
            _once(soup, picture, plates, keep=chapter.name == "index")
        for cell in soup.select("td, th"):
            _make_partable(soup, cell)
        for code in soup.select("pre"):
            if code.get_text().count("\n") > LONG_CODE:
                code["class"] = " ".join([*filter(None, code.get_attribute_list("class")), "long"])
    return [replace(chapter, body=str(soup)) for chapter, soup in zip(chapters, soups, strict=True)]


def numbered(chapters: Sequence[Chapter], page_of: Mapping[str, int]) -> list[Chapter]:
    """The chapters with the pages on which the drawings have come to stand."""
    return [
        replace(chapter, body=_PAGE_OF.sub(lambda found: f"{found[1]}{page_of.get(found[2], '')}", chapter.body))
        for chapter in chapters
    ]


def _once(soup: BeautifulSoup, picture: Tag, plates: Mapping[str, Tag], keep: bool) -> None:
    """Refer from a drawing to where it is printed large; on the front page it stays, as a glance at the whole."""
    drawing = BeautifulSoup(base64.b64decode(str(picture["src"]).removeprefix(DATA)), "html.parser")
    plate, place = plates.get(_words(drawing)), picture.find_parent(class_="picture")
    if plate is None or place is None:
        return
    caption = place.find_next_sibling("figcaption")
    if keep and caption is not None:
        caption.extend([" (", *_pointer(soup, plate, _name(plate)), ")"])
    else:
        place.replace_with(_reference(soup, plate, f"{_name(plate)} {picture.get('alt', '')}"))


def _reference(soup: BeautifulSoup, figure: Tag, words: str) -> Tag:
    """`→ Figure 1.3 What it shows, p. 38`, in place of a drawing."""
    made = soup.new_tag("p", attrs={"class": "see"})
    made.extend(["→ ", *_pointer(soup, figure, words)])
    return made


def _pointer(soup: BeautifulSoup, figure: Tag, words: str) -> tuple[Tag, str, Tag]:
    """Words that lead to a drawing, and its page: `p.` is the same in both languages."""
    link = soup.new_tag("a", attrs={"class": "figure", "href": f"#{figure['id']}"})
    link.string = words.strip()
    page = soup.new_tag("span", attrs={"class": "page-of", "data-of": str(figure["id"])})
    page.string = UNKNOWN_PAGE
    return link, ", p.\u00a0", page


def _name(figure: Tag) -> str:
    """The number of a drawing: `Figure 1.3`."""
    found = figure.select_one(".figure-number")
    return found.get_text() if found else ""


def _words(drawing: Tag) -> str:
    """What is written in a drawing: the same in the copy that a document carries and in a notebook's output."""
    return " ".join(" ".join(text.get_text().split()) for text in drawing.select("text"))


def _make_partable(soup: BeautifulSoup, cell: Tag) -> None:
    """Say where a long name may go on in the next line of a narrow column: after a slash, before a capital."""
    for text in cell.find_all(string=True, recursive=True):
        if not any(len(word) >= LONG_NAME for word in text.split()):
            continue
        parts = re.split(r"(\S+)", text)
        made: list[NavigableString | Tag] = []
        for part in parts:
            pieces = _JOINT.split(part) if len(part) >= LONG_NAME and re.search("[A-Za-z]", part) else [part]
            for at, piece in enumerate(pieces):
                made += [soup.new_tag("wbr")] if at else []
                made.append(NavigableString(piece))
        text.replace_with(*made)
