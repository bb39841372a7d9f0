"""The package has rooms, and imports go one way between them, at every level; each room is used through its face."""

import ast
import importlib
from collections import defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import indutech
from indutech.system.settings import PROJECT

PACKAGE = PROJECT / "lib" / "indutech"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if path.stem != "__init__"
}
ROOMS = sorted({name.rpartition(".")[0] for name in MODULES} - {""})
MOST_AT_THE_TOP = 16
MOST_IN_A_FOLDER = 20


@cache
def imported(path: Path) -> set[str]:
    """The modules of this package that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("indutech."):
            base = str(node.module).removeprefix("indutech").removeprefix(".")
            names |= {base, *(f"{base}.{alias.name}".removeprefix(".") for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("indutech.") for alias in node.names}
    return names & MODULES.keys()


def face(room: str) -> list[str]:
    """What a room lets others import."""
    return importlib.import_module(f"indutech.{room}").__all__


def seen_from(name: str, room: str) -> str | None:
    """The child of this room that holds a module; None where it stands elsewhere."""
    prefix = f"{room}." if room else ""
    return name.removeprefix(prefix).split(".")[0] if name.startswith(prefix) else None


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way_between_rooms(name: str) -> None:
    """A module imports from its own room or from one that stands before it in the package's list."""
    order = [*indutech.__all__, "__main__"]
    own = order.index(name.split(".")[0])

    assert {other for other in imported(MODULES[name]) if order.index(other.split(".")[0]) > own} == set()


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_no_circle_at_any_level(room: str) -> None:
    """Seen as modules and rooms within one folder, imports make no circle; so each can be read from the bottom up."""
    graph = defaultdict(set)
    for name, path in MODULES.items():
        if here := seen_from(name, room):
            there = {seen_from(other, room) for other in imported(path)}
            graph[here] |= there - {here, None}

    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_room_is_used_through_its_face(name: str) -> None:
    """Whoever stands outside a room imports only what its `__all__` names."""
    hidden = set()
    for other in imported(MODULES[name]):
        room, _, child = other.rpartition(".")
        if not f"{name}.".startswith(f"{room}.") and child not in face(room):
            hidden.add(other)

    assert hidden == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_names_what_is_there(room: str) -> None:
    """Each name of `__all__` is a module or a room of this folder, in alphabetical order, and no room is empty."""
    children = {seen_from(name, room) for name in MODULES} - {None}

    assert face(room) == sorted(face(room))
    assert set(face(room)) <= children
    assert face(room)


def test_every_room_stands_in_the_order() -> None:
    """The package lists all of its rooms."""
    assert sorted(indutech.__all__) == sorted({room.split(".")[0] for room in ROOMS})


def test_no_folder_is_crowded() -> None:
    """A folder is small enough to be read at a glance."""
    listed = {
        folder: [path for path in folder.iterdir() if path.name != "__pycache__"]
        for folder in [PACKAGE, *(PACKAGE / room.replace(".", "/") for room in ROOMS)]
    }

    assert len(listed.pop(PACKAGE)) <= MOST_AT_THE_TOP
    assert {folder.name: len(files) for folder, files in listed.items() if len(files) > MOST_IN_A_FOLDER} == {}


@pytest.mark.parametrize("word", ["utils", "helpers", "common"])
def test_no_room_without_a_name(word: str) -> None:
    """Modules and rooms are named for what they do."""
    assert word not in {part for name in MODULES for part in name.split(".")}
