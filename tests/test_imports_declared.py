"""What the code imports is declared in pyproject.toml, not merely there because another package brought it."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from indutech.system.settings import PROJECT

DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"indutech", "tests", "bench"}
DISTRIBUTIONS = packages_distributions()
# What only `make docs` and `make check` run, and only who changes the project.
FOR_DEVELOPERS = {
    "lib/indutech/architecture/templates/lint.py",
    "lib/indutech/report/documents.py",
    "lib/indutech/report/project_tables.py",
}
CODE = [path for folder in ("lib", "tests", "bench", "notebooks") for path in sorted((PROJECT / folder).rglob("*.py"))]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


def normal(requirement: str) -> str:
    """The name in a requirement, as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


PACKAGE = {normal(one) for one in DECLARED["dependencies"]}
DEVELOPERS = {normal(one) for one in DECLARED["optional-dependencies"]["dev"]}
# Read only for tables of that kind, with an error that says what to install.
OF_AN_EXTRA = {
    f"lib/indutech/proof/sources/{module}.py": {normal(one) for one in DECLARED["optional-dependencies"]["audit"]}
    for module in ("delta", "iceberg")
}
# Runs in an environment of its own, which bench/on_request/engines.py says how to make.
OF_ANOTHER_ENVIRONMENT = {"bench/jobs/quix.py": {"quixstreams"}}


def code_of(path: Path) -> str:
    """The Python of a module, or of a notebook's cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")


def imported(code: str) -> Iterator[str]:
    """The top names of all imports, also inside functions."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def undeclared(code: str, declared: set[str]) -> set[str]:
    """Imports whose distribution is not declared."""
    others = set(imported(code)) - OURS - set(sys.stdlib_module_names)
    return {name for name in others if not {normal(one) for one in DISTRIBUTIONS.get(name, [])} & declared}


@pytest.mark.parametrize("path", [*CODE, *NOTEBOOKS], ids=lambda path: str(path.relative_to(PROJECT)))
def test_what_is_imported_is_declared(path: Path) -> None:
    """The package and the notebooks run without the developers' tools; tests and benchmarks need not."""
    name = str(path.relative_to(PROJECT))
    of_developers = name.startswith(("tests/", "bench/")) or path.name == "conftest.py" or name in FOR_DEVELOPERS
    declared = PACKAGE | OF_AN_EXTRA.get(name, set()) | (DEVELOPERS if of_developers else set())

    assert undeclared(code_of(path), declared) == OF_ANOTHER_ENVIRONMENT.get(name, set())


def test_what_is_not_declared_is_found() -> None:
    """A package that is only there because another needs it, and a tool of developers in the package."""
    assert undeclared("import os\ndef f():\n    from click.core import x", PACKAGE | DEVELOPERS) == {"click"}
    assert undeclared("import pytest", PACKAGE) == {"pytest"}
    assert undeclared("import pytest", PACKAGE | DEVELOPERS) == set()
