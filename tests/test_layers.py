"""The package has four bands, and imports go one way; docs/modules.md is its map."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from indutech.settings import PROJECT

PACKAGE = PROJECT / "lib" / "indutech"
BANDS = ["facts", "rules", "edges", "front door"]
MODULES = {path.stem: path for path in PACKAGE.glob("*.py") if path.stem != "__init__"}


def the_map() -> dict[str, tuple[str, str]]:
    """Band and sentence of each module, as the document says."""
    found: dict[str, tuple[str, str]] = {}
    band = ""
    for line in (PROJECT / "docs" / "modules.md").read_text().splitlines():
        if heading := re.match(r"## .* \((.+)\)$", line):
            band = heading.group(1)
        elif entry := re.match(r"- `(\w+)`: (.+)$", line):
            assert entry.group(1) not in found, f"{entry.group(1)} is listed twice"
            found[entry.group(1)] = (band, entry.group(2))
    return found


def imported(path: Path) -> set[str]:
    """The modules of this package that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "indutech":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("indutech."):
            names.add(str(node.module).split(".")[1])
    return names & MODULES.keys()


def test_the_map_lists_each_module_with_its_own_words():
    """No module is missing, none is gone, and the sentence is the first line of its docstring."""
    docstrings = {name: ast.get_docstring(ast.parse(path.read_text())) or "" for name, path in MODULES.items()}

    assert {name: text for name, (_, text) in the_map().items()} == {
        name: text.splitlines()[0] for name, text in docstrings.items()
    }


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_one_way(name: str):
    """A module imports from its own band or from one below."""
    bands = {module: BANDS.index(band) for module, (band, _) in the_map().items()}

    assert {other for other in imported(MODULES[name]) if bands[other] > bands[name]} == set()


def test_nobody_imports_in_a_circle():
    """Modules can be read from the bottom up."""
    TopologicalSorter({name: imported(path) for name, path in MODULES.items()}).prepare()


@pytest.mark.parametrize("word", ["utils", "helpers", "common"])
def test_no_room_without_a_name(word: str):
    """A module is named for what it does."""
    assert word not in MODULES
