"""Documents that cannot drift: make targets, links and trees in the texts are those of the project."""

import re
import subprocess
from pathlib import Path

import pytest

from indutech.system.settings import PROJECT

README = PROJECT / "README.md"
DOCUMENTS = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]


def test_make_targets_in_the_texts_exist():
    """`make x` in a document is a target of the Makefile, and `make help` lists each target."""
    targets = set(re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets, document

    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert set(re.findall(r"make ([a-z-]+)", listed)) == targets


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
