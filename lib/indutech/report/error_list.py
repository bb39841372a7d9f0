"""Makes the table of all errors that a user can cause: from their classes, where they are raised, and the tests.

A message says what happened, where, and the next step; it is shown as the code has it, each value as its name.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from indutech.report.module_list import PACKAGE
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

TESTS = PROJECT / "tests"
_LONGEST_VALUE = 32


@dataclass
class UserError:
    """One class of errors: what it means, its messages, and the tests in which it is raised."""

    name: str
    meaning: str
    messages: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)


def user_errors() -> list[UserError]:
    """Return every subclass of InduTechError, by name; those that are private to a module are left out."""
    modules = [ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]
    found = {
        node.name: UserError(node.name, " ".join((ast.get_docstring(node) or "").split()))
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and InduTechError.__name__ in map(_name, node.bases)
    }
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _name(node.func) in found and node.args:
                found[_name(node.func)].messages += _message(node.args[0])
    for path in sorted(TESTS.rglob("test_*.py")):
        for test, names in _tests(path):
            for name in names & found.keys():
                found[name].tests.append(f"{path.relative_to(PROJECT)}::{test}")
    return [found[name] for name in sorted(found)]


def error_table() -> str:
    """Return a row for each error: its name, what it means, what it says, and a test that causes it."""
    rows = [
        f"| `{one.name}` | {one.meaning} | {'<br>'.join(dict.fromkeys(one.messages))} | "
        f"{f'`{one.tests[0]}`' if one.tests else ''} |"
        for one in user_errors()
    ]
    return "\n".join(["| error | means | says: what, where, next step | caused by |", "|---|---|---|---|", *rows])


def _message(node: ast.expr) -> list[str]:
    """Return the text of a message as a list of none or one; a text that another function makes is not known here."""
    match node:
        case ast.Constant(str(text)):
            parts = [text]
        case ast.JoinedStr(values):
            parts = [str(part.value) if isinstance(part, ast.Constant) else _value(part) for part in values]
        case _:
            return []
    text = " ".join("".join(parts).split()).replace("|", "\\|").replace("<", "&lt;")
    return [text] if " " in text else []


def _value(part: ast.expr) -> str:
    """Return what stands for a value in a message: the code's own name for it, if that is short."""
    written = ast.unparse(part.value if isinstance(part, ast.FormattedValue) else part)
    name = written.split(".")[-1] if written.replace(".", "").isidentifier() else ""
    return f"‹{name.replace('_', ' ').strip()}›" if 0 < len(name) < _LONGEST_VALUE else "…"


def _tests(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each test of a file with all names in it and in the functions of that file that it uses."""
    nodes = ast.parse(path.read_text("utf-8")).body
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    used = {name: {_name(node) for node in ast.walk(function)} for name, function in functions.items()}
    for name, names in used.items():
        if name.startswith("test"):
            yield name, names.union(*(used[other] for other in names & used.keys() if not other.startswith("test")))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
