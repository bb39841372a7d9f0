"""docs/01 and docs/02 say what the model says."""

import re
from pathlib import Path

import pytest

from indutech.architecture import document as dossier
from indutech.architecture.platform import platform

SECONDS_A_MONTH = 730 * 3600


@pytest.mark.parametrize("document", dossier.DOCUMENTS, ids=lambda path: path.name)
def test_generated_parts_are_those_of_the_model(document: Path) -> None:
    """`make docs` was run after the last change of the model."""
    text = document.read_text(encoding="utf-8")
    assert dossier.renewed(text, platform()) == text, "run `make docs`"


@pytest.mark.parametrize("document", dossier.DOCUMENTS, ids=lambda path: path.name)
def test_no_table_is_cut(document: Path) -> None:
    """Each row of a generated table has as many cells as its heading, and no marker is left open."""
    text = document.read_text(encoding="utf-8")
    assert text.count("<!-- platform:") == text.count("<!-- /platform -->")
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table


def test_a_part_that_nobody_makes_is_named() -> None:
    """A misspelt marker does not stay silently empty."""
    with pytest.raises(dossier.DossierError, match="'flow'"):
        dossier.renewed("<!-- platform:flow -->\n<!-- /platform -->", platform())


def test_a_change_of_the_model_reaches_the_documents() -> None:
    """A port that changes in the model changes the table."""
    model = platform()
    [events] = [flow for flow in model.flow if flow.id == "events_in"]
    moved = model.model_copy(update={"flow": (events.model_copy(update={"ports": ("19092",)}),)})
    text = "<!-- platform:flows -->\n<!-- /platform -->"
    assert "19092" in dossier.renewed(text, moved)
    assert "19092" not in dossier.renewed(text, model)


def test_every_service_is_argued() -> None:
    """Need, choice, alternatives, reasons, limits and sources for each thing that is bought."""
    text = dossier.DOCUMENTS[0].read_text(encoding="utf-8")
    for name in platform().billed:
        card = text.partition(f"| | `{name}` |")[2].partition("###")[0]
        for part in ("Need", "Choice", "Alternatives", "Reasons", "Limits", "If it stops", "Sources"):
            assert f"| {part} | " in card, (name, part)


def test_figures_in_the_sentences_are_right() -> None:
    """19 kB a second is what 50 GB a month are, and the volumes are those of the model."""
    text = dossier.DOCUMENTS[0].read_text(encoding="utf-8")
    volumes = platform().volumes
    assert f"{volumes['sensor_gb_month']:g} GB a month are 19 kB a second" in text
    assert round(volumes["sensor_gb_month"] * 1e9 / SECONDS_A_MONTH / 1e3) == 19
    assert f"{volumes['history_tb']:g} TB of history" in text


@pytest.mark.parametrize(
    "asked",
    ["distributor", "full (or bulk-logged) recovery", "Clients", "Logs_Capteurs", "28 days|hourly", "RGPD", "Erase",
     "way back", "SSE|KMS", "selective authentication"],
)  # fmt: skip
def test_the_fit_with_the_plant_answers_what_is_asked(asked: str) -> None:
    """Prerequisites, the join, leavers, the law and the way back are all there."""
    assert re.search(re.escape(asked).replace(r"\|", "|"), dossier.DOCUMENTS[1].read_text(encoding="utf-8"))
