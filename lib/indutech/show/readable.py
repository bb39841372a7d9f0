"""Tables of an HTML page as people read them: in a box that scrolls, with captions and heads that are read aloud."""

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from indutech.show.language import gettext

LONG_TEXT = 60  # characters from which a cell of a table needs room, or it becomes a tower of words on a phone
SHORT_TEXT = 20  # characters of a word that takes the place of a number
_NUMBER = re.compile(r"^[-+−]?[$€]?[\d.,\s]*\d\s?(%|×|s|ms|B|kB|MB|GB|TB|€|\$|USD|h|min)?(\s?†)?$")
_AS_IT_IS = {"script", "style", "pre", "code", "svg"}
_MONEY = r"[-−]?[$€]?\d(?:[\d.,\u202f\u00a0]*\d)?"
_RANGE = rf"{_MONEY} – {_MONEY} – {_MONEY}(?:\u00a0USD)?"
_WHOLE = re.compile(
    rf"(?P<range>{_RANGE})|\b20\d\d-\d\d(?:-\d\d)?\b|\d[\d.,]* (?:%|s|min|h|kB|[KMGT]i?[Bo]|ko)(?!\w)|\bUTF-8\b"
)


def tables(soup: BeautifulSoup) -> None:
    """Each table gets a box of its own and a caption, numbers stand on the right, pandas' own style is dropped."""
    for style in soup.select("main style"):
        style.decompose()
    found = soup.select("main table")
    for table in found:
        del table["border"]
        if "table" not in (table.parent or table).get_attribute_list("class"):
            table.wrap(soup.new_tag("div", attrs={"class": "table"}))
        for tag in [table, *table.select("tr, th, td")]:
            tag.attrs.pop("style", None)
        _merge_heads(table)
        _drop_row_numbers(table)
        _align_numbers(table)
        _name_heads(table)
        for cell in table.select("tbody td, tbody th"):
            if len(cell.get_text()) > LONG_TEXT:
                cell["class"] = "long"
    _give_captions(soup, found)


def keep_together(soup: BeautifulSoup) -> None:
    """A date, a number with its unit or its mark and a range of amounts are not torn by the end of a line."""
    for text in [text for main in soup.select("main") for text in main.find_all(string=True)]:
        if not (" †" in text or _WHOLE.search(text)) or any(around.name in _AS_IT_IS for around in text.parents):
            continue
        if " †" in text:
            marked = NavigableString(text.replace(" †", "\u00a0†"))
            text.replace_with(marked)
            text = marked
        parts, end = [], 0
        for found in _WHOLE.finditer(text):
            span = soup.new_tag("span", attrs={"class": "range" if found["range"] else "whole"})
            span.string = found[0]
            parts += [NavigableString(text[end : found.start()]), span]
            end = found.end()
        if parts:
            text.replace_with(*parts, NavigableString(text[end:]))


def _merge_heads(table: Tag) -> None:
    """A named index makes pandas write a second row of heads with one word in it; names become words."""
    heads = [row.find_all("th") for row in table.select("thead tr")]
    words = [[cell.get_text(strip=True) for cell in row] for row in heads]
    if len(words) == 2 and words[0] and words[1][:1] != [""] and not any(words[1][1:]):
        heads[0][0].string = f"{words[1][0]} ↓ {words[0][0]} →" if words[0][0] else words[1][0]
        table.select("thead tr")[1].decompose()
    if "dataframe" in table.get_attribute_list("class"):
        for head in table.select("thead th"):
            head.string = head.get_text(strip=True).replace("_percent", " %").replace("_", " ")


def _drop_row_numbers(table: Tag) -> None:
    """A pandas index that only counts from 0 says nothing to a reader."""
    heads = [row.th for row in table.select("thead tr")]
    index = [row.th for row in table.select("tbody tr")]
    words = [head.get_text(strip=True) if head else None for head in [*heads, *index]]
    if len(heads) == 1 and words == ["", *map(str, range(len(index)))]:
        for head in filter(None, [*heads, *index]):
            head.decompose()


def text_columns(table: Tag) -> list[list[Tag]]:
    """The columns of a table that are not of numbers, each with its heads."""
    return [column for column, is_number in _columns(table) if not is_number]


def _align_numbers(table: Tag) -> None:
    for column, is_number in _columns(table):
        for cell in column if is_number else ():
            cell["class"] = "num"


def _columns(table: Tag) -> list[tuple[list[Tag], bool]]:
    """Each column from its heads down, and whether it is of numbers: a word may take the place of some, as `free`."""
    rows = _body(table)
    heads = [row.find_all(["td", "th"], recursive=False) for row in table.select("thead tr")]
    found = []
    for column in range(max((len(row) for row in rows), default=0)):
        cells = [row[column] for row in rows if len(row) > column]
        words = [word for cell in cells if (word := cell.get_text(strip=True)) not in ("", "–", "-", "NaN")]
        others = [word for word in words if not _NUMBER.match(word)]
        is_number = 2 * len(others) < len(words) and all(len(word) <= SHORT_TEXT for word in others)
        found.append(([head[column] for head in heads if len(head) > column] + cells, is_number))
    return found


def _body(table: Tag) -> list[list[Tag]]:
    return [list(row.find_all(["td", "th"], recursive=False)) for row in table.select("tbody tr")]


def _name_heads(table: Tag) -> None:
    """Say what each head is the head of; a first column of different words names its rows."""
    rows = [row for row in _body(table) if row]
    firsts = [row[0].get_text(strip=True) for row in rows]
    if rows and all(firsts) and len(set(firsts)) == len(firsts) and all(len(row) > 1 for row in rows):
        for row in rows:
            row[0].name = "th"
    for head in table.select("tbody th"):
        head["scope"] = "row"
    for head in table.select("thead th"):
        head["scope"] = "col"
        if not head.get_text(strip=True):
            head.name = "td"  # a head without a word is none
            del head["scope"]


def _give_captions(soup: BeautifulSoup, tables: list[Tag]) -> None:
    """Name each table after its figure or its section, so that a list of tables can be read; seen is only one's own."""
    sections: dict[str, list[Tag]] = {}
    for table in tables:
        if table.caption:
            continue
        figure = table.find_parent("figure")
        title = figure.figcaption if figure else table.find_previous(["h1", "h2", "h3"])
        name = " ".join(title.get_text().split()) if title else gettext("Table")
        if figure:
            name = gettext("{title}: the numbers").format(title=name)
        sections.setdefault(name, []).append(table)
    for name, named in sections.items():
        for number, table in enumerate(named, 1):
            caption = soup.new_tag("caption", attrs={"class": "unseen"})
            several = gettext("{name} ({number} of {count})")
            caption.string = several.format(name=name, number=number, count=len(named)) if len(named) > 1 else name
            table.insert(0, caption)
