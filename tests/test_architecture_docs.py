"""docs/01 and docs/02 say what the model says."""

import re
from pathlib import Path

import pytest

from indutech.architecture import document as dossier
from indutech.architecture.platform import platform
from indutech.costs.model import read_model
from indutech.report import build_tables, generated_templates
from indutech.system.settings import PROJECT

DOCUMENTS = (PROJECT / "docs" / "01-service-choices.md", PROJECT / "docs" / "02-compatibility.md")
SECONDS_A_MONTH = 730 * 3600


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_table_is_cut(document: Path) -> None:
    """Each row of a generated table has as many cells as its heading."""
    text = document.read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table


def test_a_change_of_the_model_reaches_the_documents() -> None:
    """A port that changes in the model changes the table."""
    model = platform()
    [events] = [flow for flow in model.flow if flow.id == "events_in"]
    moved = model.model_copy(update={"flow": (events.model_copy(update={"ports": ("19092",)}),)})
    assert "19092" in dossier.PARTS["flows"](moved)
    assert "19092" not in dossier.PARTS["flows"](model)


def test_every_service_is_argued() -> None:
    """Need, choice, alternatives, reasons, limits and sources for each thing that is bought."""
    text = DOCUMENTS[0].read_text(encoding="utf-8")
    for name in platform().billed:
        card = text.partition(f"| | `{name}` |")[2].partition("###")[0]
        for part in ("Need", "Choice", "Alternatives", "Reasons", "Limits", "If it stops", "Sources"):
            assert f"| {part} | " in card, (name, part)


def test_figures_in_the_sentences_are_right() -> None:
    """19 kB a second is what 50 GB a month are, and the volumes are those of the model."""
    text = DOCUMENTS[0].read_text(encoding="utf-8")
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
    assert re.search(re.escape(asked).replace(r"\|", "|"), DOCUMENTS[1].read_text(encoding="utf-8"))


def test_after_the_last_step_the_whole_bill_is_paid() -> None:
    """The months of the migration grow into the bill, and the steps add up."""
    rows = [line.split("|")[1:-1] for line in build_tables.waves(platform(), read_model()).splitlines()[2:]]
    months, steps = ([float(row[i].replace(",", "")) for row in rows[:-1]] for i in (4, 5))

    assert months == sorted(months)
    assert months[-1] == pytest.approx(float(generated_templates.bill(platform()).monthly_total.amount), abs=1)
    assert float(rows[-1][5].replace(",", "")) == pytest.approx(sum(steps), abs=len(steps))
