"""Everything in the repository that is generated: cog blocks in documents, drawings, templates and watch files.

A cog block is a Python line inside a comment of the document; what follows it, up to the end marker, is its output.
The line calls one of the names of `_names` with the name of a part, which its room's `document` module makes.
Nobody but who changes the project needs this, so cogapp and PyYAML come with its tools and not with the package.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from cogapp.cogapp import Cog, CogError, CogGeneratedError

from indutech.architecture import document as architecture
from indutech.architecture.diagrams import render
from indutech.architecture.model import Format, View
from indutech.architecture.platform import platform
from indutech.architecture.sources import footnotes
from indutech.architecture.templates import stacks
from indutech.costs.guardrails import WATCH_FOLDER, Owner, watch_files
from indutech.costs.model import CostModel, read_model
from indutech.costs.views import document as costs
from indutech.lake import ddl
from indutech.plant.sensors import document as reading
from indutech.plant.together import document as together
from indutech.report import build_tables as built
from indutech.report import generated_templates
from indutech.report import project_tables as project
from indutech.report.edition.performance import document as performance
from indutech.report.edition.translation import catalogue
from indutech.show import language
from indutech.show.tables import plain_dollars
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT
from indutech.tickets import document as ticket

BEGIN = "[[[cog"
Part = TypeVar("Part")


class DocumentError(InduTechError):
    """A cog block cannot be run, or what is committed is not what would be generated now."""


def documents() -> list[Path]:
    """Return the files that have a cog block."""
    written = [PROJECT / ".env.example", *PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]
    return sorted(path for path in written if BEGIN in path.read_text(encoding="utf-8"))


def renew() -> list[Path]:
    """Write every generated file whose content has changed; return those."""
    changed = stale()
    for path, content in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return list(changed)


def stale() -> dict[Path, bytes]:
    """Return what would be generated now, for each file that is not there or holds something else."""
    return {path: new for path, new in _generated() if not path.is_file() or path.read_bytes() != new}


def check() -> None:
    """Accept what is committed only if it is what would be generated now.

    Raises:
        DocumentError: naming each file that is stale, and what renews it.
    """
    if found := stale():
        names = ", ".join(str(path.relative_to(PROJECT)) for path in found)
        raise DocumentError(f"Not what would be generated now: {names}. Change the source, then run `make docs`.")


def renewed(text: str, name: str, model: CostModel) -> str:
    """Return a document with the output of each cog block made anew.

    Footnotes depend on the claims that the other blocks put into the text, so that it takes a second round.

    Raises:
        DocumentError: naming the document and what its block asks for.
    """
    cog = Cog()
    for _ in range(2):
        cog.options.defines = _names(text, model)
        try:
            text = cog.process_string(text, fname=name)
        except CogError as error:
            raise DocumentError(f"{name} cannot be renewed: {error}") from None
    return text


def _generated() -> Iterator[tuple[Path, bytes]]:
    model = read_model()  # of the committed measurement: a document must not change with a run of this machine
    for path in documents():
        name = str(path.relative_to(PROJECT))
        yield path, renewed(path.read_text(encoding="utf-8"), name, model).encode()
    for view in View:
        yield render.DIAGRAMS / f"{view}.svg", render.picture(view, platform())
    yield render.DIAGRAMS / f"{View.OVERVIEW}.png", render.picture(View.OVERVIEW, platform(), Format.PNG)
    for name, template in generated_templates.made(platform()).items():
        yield stacks.FOLDER / f"{name}.json", stacks.text(template).encode()
    for spoken in language.LANGUAGES:
        if spoken != language.SOURCE:
            yield language.catalogue_file(spoken), catalogue.renewed(spoken)
    for file in watch_files(model.bill("reference"), Owner()):
        yield WATCH_FOLDER / file.name, file.text.encode()


def _names(text: str, model: CostModel) -> dict[str, object]:
    """Return what the line of a cog block may use."""
    return {
        "platform": lambda name: _part(architecture.PARTS, name)(platform()),
        "costs": lambda name: _with_dollars(_part(costs.PARTS, name)(model)),
        "built": lambda name: _with_dollars(_part(built.PARTS, name)(platform(), model)),
        "lake": lambda name: _part(ddl.PARTS, name)(),
        "ticket": lambda name: _part(ticket.PARTS, name)(),
        "reading": lambda name: _part(reading.PARTS, name)(),
        "plant": lambda name: _part(together.PARTS, name)(),
        "project": lambda name: _part(project.PARTS, name)(),
        "performance": lambda name: _part(performance.PARTS, name)(),
        "footnotes": footnotes,
        "text": text,
    }


def _part(parts: Mapping[str, Part], name: str) -> Part:
    if name not in parts:
        raise CogGeneratedError(f"there is no part {name!r}, only {', '.join(parts)}.")
    return parts[name]


def _with_dollars(part: str) -> str:
    return part if part.startswith("```") else plain_dollars(part)
