"""The catalogue of messages: collected from what the report shows, and merged into what translators have done.

Messages come from the templates of assets/report, from what Python marks with `gettext`, from the Markdown and the
sentences of the notebooks, from the outputs that are committed with them, and from docs/00-summary.md. The sentences
that modules put together are taken if the outputs show them.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import nbformat
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import write_po

import indutech
from indutech.architecture.sources import bibliography
from indutech.report.edition.translation import notebooks, recognised, sentences
from indutech.show import language
from indutech.system.settings import PROJECT

TEMPLATES = PROJECT / "assets" / "report"
NOTEBOOKS = PROJECT / "notebooks"
BIBLIOGRAPHY = PROJECT / "assets" / "bibliography.toml"
SUMMARY = PROJECT / "docs" / "00-summary.md"
MARKED = ("show", "report")  # rooms whose modules call gettext
SAID_IN_NOTEBOOKS = ("report/trials/*.py",)  # the modules all of whose sentences a notebook can say
SPEAKING = (  # those of whose sentences pages show some
    "architecture/*.py", "architecture/diagrams/described.py", "costs/*.py", "costs/inputs/*.py", "costs/views/*.py",
    "plant/erp/changes.py", "producer/quarantine_replay.py", "proof/audit_result.py", "report/*.py",
    "report/hybrid/*.py",
)  # fmt: skip
HEADER = """\
# The words of the report. `indutech documents` adds new messages and marks changed ones as fuzzy;
# a translation is edited here, by hand or with any editor for gettext. Values stand at {places}."""
SHORT = 40  # characters: a short message that resembles another one is not that one, changed
BRACES = ("python-brace-format",)
KEYWORDS = {"gettext": None, "marked": None}
_DAY = re.compile(r"(?<!\d)\d{4}-\d\d(-\d\d)?(?!\d)")
_IDENTIFIER = re.compile(r"[\w./:=-]*[_/.=\d][\w./:=-]*|[A-Z0-9 ]+")

Found = tuple[str, str, tuple[str, ...]]  # a message, the file it comes from, flags


def collected() -> list[Found]:
    """Every message of the report, in the order of its sources."""
    written = [*_of_templates(), *_of_python(), *_of_notebook_sources(), *_of_summary_lines(), *_of_claims()]
    written += [(message, where, BRACES) for message, where in _made_by(SAID_IN_NOTEBOOKS)]
    made = dict(_made_by(SPEAKING))
    reader = recognised.reader(
        [(message, message) for message in [*(one[0] for one in written if not recognised.speaks(one[1])), *made]]
    )
    rest, used_by = [], set[str]()
    for text, where in _shown():
        found = reader.read(text)
        left = [text] if found is None else found.unknown
        rest += [_without_numbers(piece, where) for piece in left if _is_words(piece)]
        used_by |= set(found.used) if found else set()
    used = [(message, made[message], BRACES) for message in sorted(made) if message in used_by]
    return [*written, *used, *rest]


def renewed(spoken: str) -> bytes:
    """The catalogue of a language with the messages that there are now; a changed one is kept as fuzzy."""
    before = language.catalogue(spoken)
    before.project, before.version, before.header_comment = "InduTech", indutech.__version__, HEADER
    before.msgid_bugs_address, before.last_translator, before.language_team = "", "InduTech", spoken
    template = Catalog(domain=language.DOMAIN, charset="utf-8", creation_date=before.creation_date)
    for message, where, flags in collected():
        template.add(message, locations=[(where, 1)], flags=flags)
    before.update(template)
    for found in template:
        if isinstance(found, Message) and (kept := before.get(found.id)):
            if kept.fuzzy and len(str(kept.id)) < SHORT:
                kept.string = ""
                kept.flags.discard("fuzzy")
            kept.flags |= found.flags  # those of a fuzzy match are its predecessor's
    written = io.BytesIO()
    write_po(written, before, width=0, ignore_obsolete=True, include_lineno=False, sort_by_file=False)
    return re.sub(rb'^"Generated-By:.*\n', b"", written.getvalue(), flags=re.MULTILINE)


def _of_templates() -> Iterator[Found]:
    for path in sorted(TEMPLATES.rglob("*.j2")):
        with path.open("rb") as file:
            yield from _extracted("jinja2", file, path)


def _of_python() -> Iterator[Found]:
    for room in MARKED:
        for path in sorted((PROJECT / "lib" / "indutech" / room).rglob("*.py")):
            with path.open("rb") as file:
                yield from _extracted("python", file, path)


def _extracted(method: str, file: BinaryIO, path: Path) -> Iterator[Found]:
    for _, message, _, _ in extract(method, file, keywords=KEYWORDS):
        if isinstance(message, str) and message:
            is_template = method == "python" and bool(sentences.places(message))
            yield message, _name(path), BRACES if is_template else ()


def _of_notebook_sources() -> Iterator[Found]:
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                texts = _heard(partial(notebooks.markdown, cell.source))
                yield from ((text, _name(path), ()) for text in texts if sentences.reads_as_words(text))
            elif "parameters" not in cell.metadata.get("tags", []):
                for message in sentences.of_cell(cell.source):
                    yield message, _name(path), BRACES if sentences.places(message) else ()


def _of_summary_lines() -> Iterator[Found]:
    """What is written by hand in the page for finance; what is computed in it is among what modules make."""
    text = SUMMARY.read_text(encoding="utf-8")
    by_hand = re.sub(r"<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", "", text, flags=re.DOTALL)
    return ((line, _name(SUMMARY), ()) for line in _heard(partial(notebooks.markdown, by_hand)))


def _of_claims() -> Iterator[Found]:
    """What each source says: it stands in notebook 01, and in the list of sources of every page that leans on it."""
    for claim in bibliography().values():
        yield claim.says, _name(BIBLIOGRAPHY), ()


def _shown() -> Iterator[tuple[str, str]]:
    """The texts that the committed outputs and the page for finance show."""
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        yield from ((text, _name(path)) for text in _heard(partial(notebooks.visit, notebook)))
    summary = SUMMARY.read_text(encoding="utf-8").replace("\\$", "$")
    yield from ((line, _name(SUMMARY)) for line in _heard(partial(notebooks.markdown, summary)))


def _heard(visit: Callable[[notebooks.Say], object]) -> list[str]:
    """The texts that a visit comes by; they stay as they are."""
    texts: list[str] = []

    def hear(text: str, kind: str) -> str:
        texts.append(" ".join(text.split()))
        return text

    visit(hear)
    return texts


def _made_by(modules: Sequence[str]) -> Iterator[tuple[str, str]]:
    for places in modules:
        for path in sorted((PROJECT / "lib" / "indutech").glob(places)):
            for message in sentences.of_module(path.read_text(encoding="utf-8")):
                if recognised.says_something(message) and not message.startswith("SELECT"):
                    yield message, _name(path)


def _without_numbers(text: str, where: str) -> Found:
    """A text of an output as a message: its amounts and days are places, since the next run has others."""
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        formed = re.search(r"[,.$€%]", found[0]) or found.start() == 0 or text[: found.start()].endswith(" – ")
        if not formed:
            return found[0]
        count += 1
        return f"{{n{count}}}"

    days = iter(("{day}", "{day2}"))
    message = _DAY.sub(lambda _: next(days), text)
    message = language.NUMBER.sub(place, message)
    return message, where, BRACES if message != text else ()


def _is_words(text: str) -> bool:
    """Whether a text is for people: no identifier, no path, no name of a product in capitals."""
    return sentences.reads_as_words(text) and not _IDENTIFIER.fullmatch(text)


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))
