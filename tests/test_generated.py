"""What is generated and committed: stale is noticed and named, and a block that asks for nothing real is an error."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from indutech.architecture import document as architecture
from indutech.cli.app import app
from indutech.costs.model import read_model
from indutech.costs.views import document as costs
from indutech.report import documents, project_tables
from indutech.report.documents import DocumentError, renewed
from indutech.system.settings import PROJECT, Settings
from indutech.tickets import document as ticket

PARTS = {
    "platform": architecture.PARTS,
    "costs": costs.PARTS,
    "ticket": ticket.PARTS,
    "project": project_tables.PARTS,
}
END = "<!-- [[[end]]] -->\n"


def block(call: str, output: str = "") -> str:
    """A cog block with the output that it had."""
    return f"<!-- [[[cog cog.outl({call}) ]]] -->\n{output}{END}"


def test_a_block_is_renewed_and_the_text_around_it_stays() -> None:
    """Two blocks that follow each other are two blocks."""
    month = block('costs("month")', "A month is 730 hours.\n")

    empty, old = block('costs("month")'), block('costs("month")', "old\n")

    assert renewed(f"before\n\n{empty}{old}\nafter\n", "a.md", read_model()) == f"before\n\n{month}{month}\nafter\n"


@pytest.mark.parametrize(
    ("call", "says"), [('costs("mouth")', "no part 'mouth', only .*month"), ("cost(1)", "name 'cost' is not defined")]
)
def test_a_block_that_asks_for_nothing_real_is_named(call: str, says: str) -> None:
    """A block with a typing error would keep its old text for ever."""
    with pytest.raises(DocumentError, match=rf"(?s)a\.md cannot be renewed: .*{says}"):
        renewed(block(call), "a.md", read_model())


def test_footnotes_are_those_of_the_other_blocks_too() -> None:
    """A claim that the model leans on has its footnote at once, not after a second `make docs`."""
    text = renewed(block('platform("doubts")') + block("footnotes(text)"), "a.md", read_model())

    assert "\n[^" in text
    assert text == renewed(text, "a.md", read_model())


@pytest.mark.parametrize("room", PARTS)
def test_each_part_stands_in_a_document(room: str) -> None:
    """A part that no document shows is dead weight."""
    written = "".join(path.read_text(encoding="utf-8") for path in documents.documents())

    assert [name for name in PARTS[room] if f'cog cog.outl({room}("{name}")) ]]]' not in written] == []


def test_a_setting_is_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """README and .env.example follow the class, in its order."""
    monkeypatch.setattr(Settings.model_fields["trigger_s"], "default", 7)

    assert "| `INDUTECH_TRIGGER_S` | `7` | Shortest time" in project_tables.settings_table()
    assert "\nINDUTECH_TRIGGER_S=7\n" in project_tables.env_example()


@pytest.mark.slow
def test_stale_files_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line edited by hand, a drawing that is not there: the command says which, what to do, and writes nothing."""
    document = tmp_path / "a.md"
    document.write_text(block('costs("month")', "A month is 700 hours.\n"))
    monkeypatch.setattr(documents, "PROJECT", tmp_path)
    monkeypatch.setattr(documents.render, "DIAGRAMS", tmp_path / "diagrams")
    monkeypatch.setattr(documents, "documents", lambda: [document])

    result = CliRunner().invoke(app, ["documents", "--check"])
    assert isinstance(result.exception, DocumentError)
    assert "a.md" in str(result.exception)
    assert "overview.png" in str(result.exception)
    assert "run `make docs`" in str(result.exception)
    assert "700 hours" in document.read_text()

    documents.renew()
    assert "730 hours" in document.read_text()


def test_every_document_of_the_project_is_looked_at() -> None:
    """README, .env.example and the pages of docs/ that have blocks."""
    names = {str(path.relative_to(PROJECT)) for path in documents.documents()}

    assert {".env.example", "README.md", "docs/03-costs.md", "docs/modules.md", "docs/ticket.md"} <= names
