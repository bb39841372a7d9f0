"""Makes the list of all modules in docs/modules.md from their docstrings."""

import ast
from pathlib import Path

import indutech
from indutech.system.settings import PROJECT

PACKAGE = PROJECT / "lib" / "indutech"


def module_list() -> str:
    """Return the rooms in the order of their imports, in Markdown; modules in a face are in bold."""
    return "\n".join(_room(PACKAGE / room) for room in indutech.__all__).rstrip()


def _room(folder: Path, level: int = 2) -> str:
    name = ".".join(folder.relative_to(PACKAGE).parts)
    lines = [f"{'#' * level} `{name}`", "", _docstring(folder / "__init__.py"), ""]
    shown = _face(folder / "__init__.py")
    for path in sorted(folder.glob("*.py")):
        if path.stem != "__init__":
            mark = "**" if path.stem in shown else ""
            lines.append(f"- {mark}`{path.stem}`{mark}: {_docstring(path).splitlines()[0]}")
    inner = [_room(path.parent, level + 1) for path in sorted(folder.glob("*/__init__.py"))]
    return "\n".join([*lines, "", *inner])


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _face(path: Path) -> list[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []
