"""Sources on a page: the key of a claim becomes a number that leads to what it says, with address, title and date."""

import re
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from indutech.architecture.sources import FOOTNOTE, Claim, bibliography

STATUS = {
    "read": "read on {day}",
    "reported": "noted on {day} from this source, not opened again",
    "unverified": "not verified ({day}): check before a decision hangs on it",
}


def as_keys(document: str) -> str:
    """A document of docs/ with its footnotes as keys, which `link` turns into numbers."""
    without = re.sub(r"^\[\^[a-z0-9-]+\]: .*$\n?", "", document, flags=re.MULTILINE)
    without = re.sub(r"<!--.*?-->\n?", "", without, flags=re.DOTALL)
    without = re.sub(r"^## Sources\s*\Z", "", without.rstrip(), flags=re.MULTILINE)
    return FOOTNOTE.sub(r" `\1`", without)


def link(soup: BeautifulSoup) -> list[Claim]:
    """Number the claims that a page leans on, in place; return them in the order of their numbers."""
    known = bibliography()
    used: dict[str, int] = {}
    for key in soup.select("main code"):
        name = key.get_text()
        if name not in known or key.find_parent(["pre", "details"]):
            continue
        number = used.setdefault(name, len(used) + 1)
        mark = soup.new_tag("a", attrs={"class": "claim", "href": f"#source-{name}", "title": known[name].says})
        mark.string = f"[{number}]"
        key.replace_with(mark)
        _without_brackets(mark)
    return [known[name] for name in used]


def source_list(claims: list[Claim]) -> str:
    """The sources of a page in HTML: what each claim says, where that stands, and when it was read."""
    items = []
    soup = BeautifulSoup("", "html.parser")
    for claim in claims:
        item = soup.new_tag("li", attrs={"id": f"source-{claim.id}"})
        address, _, note = claim.source.partition(" ")
        place = soup.new_tag("a", attrs={"href": address, "rel": "noreferrer"})
        place.string = title(address)
        when = STATUS[claim.status].format(day=f"{claim.read:%d %B %Y}".lstrip("0"))
        more = f", {note.strip('()')}" if note else ""
        item.extend([NavigableString(f"{claim.says} "), place, NavigableString(more)])
        item.append(NavigableString(f": {address.removeprefix('https://')}; {when}."))
        items.append(str(item))
    return "\n".join(items)


def title(address: str) -> str:
    """What an address calls its page: the site, and the last words of the path."""
    parts = urlsplit(address)
    words = [re.sub(r"\.\w+$", "", step) for step in parts.path.split("/") if step]
    named = [word for word in words if word not in ("index", "overview", "latest", "Welcome", "oj")]
    last = re.sub(r"[-_]+", " ", named[-1]) if named else ""
    return f"{parts.netloc.removeprefix('www.')}, {last}" if last else parts.netloc


def _without_brackets(mark: Tag) -> None:
    """`(key)` has become `([1])`: the outer brackets go."""
    before, after = mark.previous_sibling, mark.next_sibling
    if not (isinstance(before, NavigableString) and isinstance(after, NavigableString)):
        return
    if before.endswith("(") and after.startswith(")"):
        before.replace_with(NavigableString(before[:-1]))
        after.replace_with(NavigableString(after[1:]))
