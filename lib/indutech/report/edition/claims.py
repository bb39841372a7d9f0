"""Sources on a page: the key of a claim becomes a number that leads to what it says, with address, title and date."""

import html
import re
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from indutech.architecture.sources import FOOTNOTE, Claim, bibliography
from indutech.report.edition.translation import recognised
from indutech.show import language
from indutech.show.language import gettext, marked

STATUS = {
    "read": marked("read on {day}"),
    "reported": marked("noted on {day} from this source, not opened again"),
    "unverified": marked("not verified ({day}): check before a decision hangs on it"),
}


def as_keys(document: str) -> str:
    """A document of docs/ with its footnotes as keys, which `link` turns into numbers."""
    without = re.sub(r"^\[\^[a-z0-9-]+\]: .*$\n?", "", document, flags=re.MULTILINE)
    without = re.sub(r"<!--.*?-->\n?", "", without, flags=re.DOTALL)
    without = re.sub(r'^<p class="repository">.*</p>$\n?', "", without, flags=re.MULTILINE)  # said of GitHub's pages
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
            "a",
            attrs={
                "class": "claim",
                "href": f"#source-{name}",
                "title": _plain(recognised.said(known[name].says)).replace("`", ""),
            },
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
    said = recognised.said(claim.says)
    says = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(_plain(said)))
    english = "" if language.active() == language.SOURCE else f' lang="{language.SOURCE}"'
    place = f'<a href="{html.escape(address)}" rel="noreferrer"{english}>{html.escape(title(address))}</a>'
    more = f", <span{english}>{html.escape(note.strip('()'))}</span>" if note else ""
    when = gettext(STATUS[claim.status]).format(day=language.day(claim.read))
    shown = html.escape(address.removeprefix("https://"))
    if said == claim.says:
        says = f"<span{english}>{says}</span>" if english else says
    stands = gettext("{page}: {address}; {when}.").format(page=place + more, address=shown, when=when)
    return f'<li id="source-{claim.id}">{says} {stands}</li>'


def _plain(says: str) -> str:
    """A claim without what keeps GitHub from reading two dollars as a formula."""
    return says.replace("\\$", "$")


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
