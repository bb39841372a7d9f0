"""Sources on a page: the key of a claim becomes a number that leads to what it says, with address, title and date."""

import html
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
        mark = soup.new_tag(
            "a", attrs={"class": "claim", "href": f"#source-{name}", "title": known[name].says.replace("`", "")}
        )
        mark.string = f"[{number}]"
        key.replace_with(mark)
        _without_brackets(mark)
    return [known[name] for name in used]


def source_list(claims: list[Claim]) -> str:
    """The sources of a page in HTML: what each claim says, where that stands, and when it was read."""
    return "\n".join(map(_entry, claims))


def _entry(claim: Claim) -> str:
    address, _, note = claim.source.partition(" ")
    says = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(claim.says))
    place = f'<a href="{html.escape(address)}" rel="noreferrer">{html.escape(title(address))}</a>'
    more = f", {html.escape(note.strip('()'))}" if note else ""
    when = STATUS[claim.status].format(day=f"{claim.read:%d %B %Y}".lstrip("0"))
    shown = html.escape(address.removeprefix("https://"))
    return f'<li id="source-{claim.id}">{says} {place}{more}: {shown}; {when}.</li>'


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
