"""Finds the picture of a component by the name that the model gives: of the `diagrams` package, or of assets/icons."""

import difflib
import importlib
from functools import cache
from pathlib import Path

from diagrams import Node

from indutech.architecture.model import Component, PocPart
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

OWN = PROJECT / "assets" / "icons"
GENERAL = {"on_premise": "onprem.compute.Server", "boundary": "generic.network.Router", "aws": "aws.general.General"}


class DiagramError(InduTechError):
    """The model has something that the drawings cannot show."""


def icon(part: Component | PocPart) -> type[Node] | Path:
    """The picture of a component, or of a part of the proof of concept; a general one of its side if none is named.

    Raises:
        DiagramError: naming the component and what comes near, if there is no such icon.
    """
    name = part.icon or (GENERAL[part.site] if isinstance(part, Component) else GENERAL["on_premise"])
    found = _file(name) if name.endswith(".svg") else _node(name)
    if isinstance(found, str):
        raise DiagramError(f"{part.id!r} asks for the icon {name!r}, which does not exist.{found} Change it in "
                           "assets/platform.toml.")  # fmt: skip
    return found


def _file(name: str) -> Path | str:
    file = OWN / name
    return (
        file if file.is_file() else f" Files of assets/icons: {', '.join(sorted(f.name for f in OWN.glob('*.svg')))}."
    )


@cache
def _node(name: str) -> type[Node] | str:
    """The class of that name (`aws.database.RDS`), or a hint."""
    module, _, kind = name.rpartition(".")
    try:
        classes = vars(importlib.import_module(f"diagrams.{module}"))
    except ImportError:
        return " Names are like aws.database.RDS; https://diagrams.mingrammer.com lists them under Nodes."
    found = classes.get(kind)
    if isinstance(found, type) and issubclass(found, Node) and vars(found).get("_icon"):
        return found
    near = difflib.get_close_matches(kind, [word for word in classes if not word.startswith("_")], cutoff=0.4)
    return f" Near it in {module}: {', '.join(near)}." if near else ""
