"""What a run found: figures that notebook cells say, and those of dated reference runs, each with its origin.

A cell says a figure with `say`: the same value stands in the sentence and, for programs, in the cell's output.
"""

import json
import string
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import nbformat

from indutech.show.tables import text
from indutech.system.errors import InduTechError

MIME = "application/vnd.indutech.figures+json"


class FindingError(InduTechError):
    """A figure that cannot be used: two cells say it, or a cell says a sentence without its figure."""


@dataclass(frozen=True)
class Figure:
    """One figure: as a reader sees it, as a program reads it, and where it comes from."""

    shown: str
    value: int | float | str
    where: str  # a link within the report: the cell that says it, or the file of the reference run
    origin: str  # in words
    measured_on: str = ""  # the day of a reference run; empty for a figure of this run


Findings = dict[str, Figure]


class Said:
    """A sentence of a notebook together with the figures in it."""

    def __init__(self, sentence: str, figures: Mapping[str, Mapping[str, object]]) -> None:
        self._sentence = sentence
        self._figures = figures

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return {"text/markdown": text(self._sentence).data, "text/plain": self._sentence, MIME: dict(self._figures)}


def say(sentence: str, **figures: object) -> Said:
    """A sentence for a notebook, with `{name}` or `{name:format}` where a figure stands.

    The figures go into the sentence and into the output's data, so that the report's front page cannot say another.

    Raises:
        FindingError: a figure is not in the sentence.
    """
    said: dict[str, dict[str, object]] = {}
    for _, name, form, _ in string.Formatter().parse(sentence):
        if name:
            if name not in figures:
                raise FindingError(f"The sentence asks for {{{name}}}, which is not given: {sentence}")
            said[name] = {"shown": format(figures[name], form or ""), "value": _plain(figures[name])}
    if missing := figures.keys() - said.keys():
        raise FindingError(f"The sentence does not say {', '.join(sorted(missing))}: {sentence}")
    return Said(sentence.format(**figures), said)


def anchor(outputs: Iterable[Mapping[str, Any]]) -> str:
    """The name by which the report links to a cell that says figures: that of its first one; empty if it says none."""
    return next((f"says-{name}" for said in _said(outputs) for name in said), "")


def of_notebook(notebook: nbformat.NotebookNode, page: str, title: str) -> Findings:
    """The figures that the cells of an executed notebook say."""
    found: Findings = {}
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        for said in _said(outputs):
            for name, figure in said.items():
                if name in found:
                    raise FindingError(f"Two cells of {page} say {name!r}: give one of them another name.")
                found[name] = Figure(figure["shown"], figure["value"], f"{page}#{anchor(outputs)}", title)
    return found


def together(parts: Iterable[Findings]) -> Findings:
    """All figures of a run.

    Raises:
        FindingError: a name stands for two of them.
    """
    found: Findings = {}
    for part in parts:
        if both := found.keys() & part.keys():
            name = min(both)
            raise FindingError(f"{name!r} is said on {found[name].where} and on {part[name].where}: rename one.")
        found |= part
    return found


def as_data(findings: Findings) -> dict[str, dict[str, object]]:
    """The figures for run.json."""
    return {name: asdict(figure) for name, figure in sorted(findings.items())}


def _said(outputs: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for output in outputs:
        said = output.get("data", {}).get(MIME)
        if said:
            yield json.loads(said) if isinstance(said, str) else said


def _plain(value: object) -> object:
    """The value as JSON has it: numbers of numpy and decimals become plain ones."""
    if isinstance(value, Decimal):
        return float(value)
    item = getattr(value, "item", None)
    return item() if callable(item) else value
