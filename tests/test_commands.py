"""Every `indutech …` that somebody is sent to exists: its `--help` answers, and it has the options named after it."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.system.settings import PROJECT

WRITTEN = [
    *PROJECT.glob("*.md"),
    *PROJECT.glob("docs/**/*.md"),
    *PROJECT.glob("assets/**/*.yaml"),
    *(PROJECT / name for name in ("docker-compose.yml", "Dockerfile", "Makefile", ".env.example", "environment.yml")),
    PROJECT / "assets" / "platform.toml",
]
CODE = sorted((PROJECT / "lib").rglob("*.py"))
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
# The project calls itself InduTech, so `indutech` with a word after it is a command; except where Python imports it.
COMMAND = re.compile(r"(?<![\w.-])(?<!import )(?<!from )indutech (-?[a-z][^`\n]*)")
LIST = re.compile(r"\[(?:CMD, )?(indutech, [^\]]+)\]")  # as docker-compose.yml writes a command
END = re.compile(r"\s#|\s\|\s|&&|;|\*\*|\"")  # a comment, another command, the end of a sentence's quotation


def named_in(text: str) -> Iterator[list[str]]:
    """The words of each command that a text names."""
    text = LIST.sub(lambda found: f"`{found[1].replace(',', '')}`", text)
    for found in COMMAND.finditer(text):
        yield [word.strip(".,:;()'\"") for word in END.split(found[1])[0].split()]


def strings(path: Path) -> str:
    """The strings of a module: messages and docstrings; where a value goes into one, an X."""
    found, inside = [], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found.append(node.value)
    return "\n".join(found)


def sources(path: Path) -> str:
    """The cells of a notebook, without what they print."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


@cache
def commands() -> dict[tuple[str, ...], set[str]]:
    """Each command and group of commands, with its options."""
    found: dict[tuple[str, ...], set[str]] = {}

    def enter(path: tuple[str, ...], command: Any) -> None:
        found[path] = {"--help", *(option for parameter in command.params for option in parameter.opts)}
        for name, child in getattr(command, "commands", {}).items():
            enter((*path, name), child)

    enter((), typer.main.get_command(app))
    return found


def fault(words: list[str]) -> str | None:
    """What is wrong with a command that a text names; None if nothing is."""
    path: tuple[str, ...] = ()
    groups = {known[:-1] for known in commands() if known}
    for word in words:
        if path not in groups or word.startswith("-"):
            break
        if (*path, word) not in commands():
            return f"`indutech {' '.join(words)}`: there is no {' '.join((*path, word))}"
        path = (*path, word)
    unknown = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} - commands()[path]
    return f"`indutech {' '.join(words)}`: {' '.join(path)} has no {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("path", [*WRITTEN, *CODE, *NOTEBOOKS], ids=lambda path: str(path.relative_to(PROJECT)))
def test_commands_in_the_texts_exist(path: Path) -> None:
    """Messages, docstrings, notebooks, documents, the compose file: what they name can be run."""
    read = {".py": strings, ".ipynb": sources}.get(path.suffix, lambda file: file.read_text(encoding="utf-8"))

    assert [wrong for words in named_in(read(path)) if (wrong := fault(words))] == []


def test_commands_are_found_wherever_they_stand() -> None:
    """The search is not blind in one of the places: each kind of file names a command."""
    assert ["health", "stream"] in list(named_in((PROJECT / "docker-compose.yml").read_text()))
    assert ["documents", "--check"] in list(named_in((PROJECT / "Makefile").read_text()))
    assert any(words[0] == "reset" for words in named_in((PROJECT / "README.md").read_text()))
    assert ["broker", "secrets"] in list(named_in(strings(PROJECT / "lib/indutech/kafka/users.py")))
    assert any(list(named_in(sources(path))) for path in NOTEBOOKS)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("5 set aside (`indutech quarantine lost`)", "no quarantine"),
        ("Run `indutech broker frob`.", "there is no broker frob"),
        ("run indutech stream --twice  # again", "stream has no --twice"),
        ("test: [CMD-SHELL, x]\ncommand: [indutech, produce, --speed, '5']", "produce has no --speed"),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, wrong: str) -> None:
    """A wrong command, a wrong command of a group, a wrong option."""
    [words] = named_in(text)

    assert wrong in str(fault(words))


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_each_command_has_a_help(path: tuple[str, ...]) -> None:
    """`--help` answers and says what the command does."""
    result = CliRunner().invoke(app, [*path, "--help"])

    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


def test_the_package_can_be_run() -> None:
    """`python -m indutech` is the command line, where its script is not on the PATH."""
    done = subprocess.run([sys.executable, "-m", "indutech", "--help"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "reconcile" in done.stdout


@pytest.mark.parametrize(
    ("module", "not_read"),
    [
        ("cli.app", {"pandas", "pyspark", "pyarrow", "duckdb", "numpy", "requests", "trustme", "plotly"}),
        ("proof.reconcile", {"pandas", "pyspark", "requests", "trustme"}),
        ("producer.produce", {"pandas", "pyspark", "faker", "duckdb", "requests", "trustme"}),
    ],
)
def test_a_command_reads_only_what_it_needs(module: str, not_read: set[str]) -> None:
    """The start is most of what a short command takes; each of these would add a tenth to a half of a second."""
    program = f"import sys, indutech.{module}; print(*sys.modules)"

    read = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert not_read & set(read) == set()
