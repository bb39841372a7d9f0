"""Documents that cannot drift: commands, settings and trees in the texts are those of the project."""

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from indutech.cli.app import app
from indutech.system.settings import PROJECT, Settings

README = PROJECT / "README.md"
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]
SETTINGS = {field.alias: field for field in Settings.model_fields.values()}


def _shown(default: object) -> str:
    if default is None:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_env_example_is_the_settings_class():
    """The same names, the same defaults and the same words, in the same order."""
    lines = (PROJECT / ".env.example").read_text().splitlines()
    entries = [(lines[i - 1], *line.split("=", 1)) for i, line in enumerate(lines) if re.match(r"[A-Z_]+=", line)]

    assert entries == [(f"# {f.description}", name, _shown(f.default)) for name, f in SETTINGS.items()]


def test_readme_lists_the_settings():
    """A row for each setting: name, default, meaning."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\| (.+) \|$", README.read_text(), re.MULTILINE)

    assert rows == [(name, _shown(f.default), f.description) for name, f in SETTINGS.items()]


def test_make_targets_in_the_texts_exist():
    """`make x` in a document is a target of the Makefile, and `make help` lists each target."""
    targets = set(re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets, document

    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert set(re.findall(r"make ([a-z-]+)", listed)) == targets


def test_commands_in_the_texts_exist():
    """`indutech x --y` in a document is a command with that option."""
    commands = typer.main.get_command(app).commands
    for document in DOCUMENTS:
        for words in re.findall(r"(?:^|`|bin/)indutech ([a-z][^`\n|&]*)", document.read_text(), re.MULTILINE):
            first, *rest = words.split()
            assert first in commands, f"{document.name}: indutech {words}"
            command = commands[first]
            if hasattr(command, "commands") and rest and not rest[0].startswith("-"):
                assert rest[0] in command.commands, f"{document.name}: indutech {words}"
                command = command.commands[rest[0]]
            options = {name for parameter in command.params for name in parameter.opts}
            for option in re.findall(r"--[a-z-]+", words):
                assert option in options | {"--help"}, f"{document.name}: indutech {words}"


def test_the_tree_in_the_readme_is_there():
    """Each path of the layout exists."""
    block = re.search(r"## Layout\n.*?```\n(.*?)```", README.read_text(), re.DOTALL)
    assert block
    for line in block.group(1).splitlines():
        for name in re.split(r"\s{2,}", line)[0].split():
            assert (PROJECT / name.rstrip("/")).exists(), name


@pytest.mark.parametrize(
    "document", sorted({*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")}), ids=lambda p: p.name
)
def test_links_lead_somewhere(document: Path):
    """Relative links of the documents point at files that are there."""
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text()):
        assert (document.parent / target).exists(), target
