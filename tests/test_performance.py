"""docs/performance.md says what was measured and what is missed; a run that cannot be read is named."""

import json
from pathlib import Path

import pytest

from indutech.report.edition import reference_runs
from indutech.report.edition.performance import document, runs
from indutech.report.edition.performance.runs import Measured, RunUnusable, Section

RUN = {
    "date": "2026-11-30T12:00:00+00:00", "cores": 2, "memory_gib": 8, "processor": "X", "load_before": 0.1,
    "versions": {"Kafka": "4.3.1"}, "command": "python -m bench stream", "seconds": 60,
    "figures": [
        {"what": "our stream", "value": 300_001, "unit": "tickets/s", "lowest": 290_000, "highest": 310_000},
        {"what": "tickets drained, each time", "value": 5_000_000, "unit": "tickets"},
        {"what": "our stream / another", "value": 0.5, "unit": "x", "at_least": 1.2},
        {"what": "memory", "value": 900, "unit": "MiB", "at_most": 1_000},
    ],
}  # fmt: skip


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed run of one section."""
    file = tmp_path / "bench-runs.json"
    file.write_text(json.dumps({"stream": RUN}))
    monkeypatch.setattr(runs.sections, "__defaults__", (file,))
    return file


def test_a_missed_bound_stays_in_the_list(committed: Path) -> None:
    """What is wanted and not reached is named first; what is reached is only counted."""
    said = document.PARTS["wanted"]()

    assert said.startswith("Of 2 bounds 1 are reached.")
    assert "| stream | our stream / another | 0.50 × | at least 1.20 × |" in said
    assert "memory" not in said


def test_a_section_has_its_figures_its_day_and_its_machine(committed: Path) -> None:
    """Median, lowest and highest, the bound, and where it was measured."""
    said = document.PARTS["stream"]()

    assert "| our stream | 300,001 tickets/s | 290,000 – 310,000 |  |  |" in said
    assert "| our stream / another | 0.50 × |  | at least 1.20 × | **missed** |" in said
    assert "on 2026-11-30 at 12:00 UTC by `python -m bench stream`" in said
    assert "2 cores (X) and 8 GiB" in said
    assert "Kafka 4.3.1" in said


def test_what_was_not_measured_says_how(committed: Path) -> None:
    """No section, no figure: the command that would measure it."""
    assert document.PARTS["produce"]() == "Not measured yet: `python -m bench produce --save`."


def test_the_front_page_has_the_speed_of_the_committed_drain(committed: Path) -> None:
    """One fact in one place: the rate of a machine, and of each of its cores."""
    found = reference_runs.figures(bench_runs=committed)

    assert (found["tickets_per_s"].shown, found["tickets_per_core_second"].shown) == ("300,001", "150,000")
    assert (found["speed_tickets"].shown, found["speed_cores"].shown) == ("5,000,000", "2")


def test_a_run_that_cannot_be_read_is_named(committed: Path) -> None:
    """The file, what is wrong with it, and what makes it again."""
    committed.write_text(json.dumps({"stream": {**RUN, "cores": "many"}}))
    with pytest.raises(RunUnusable, match=r"bench-runs\.json: cores: .*python -m bench --save"):
        runs.sections()
    with pytest.raises(RunUnusable, match="has no figure 'our stream'"):
        Section.model_validate({**RUN, "figures": []}).figure("our stream")


@pytest.mark.parametrize(
    ("bounds", "reached"),
    [({}, None), ({"at_least": 2}, True), ({"at_least": 3}, False), ({"at_most": 2}, True), ({"at_most": 1}, False)],
)
def test_a_bound_holds_or_not(bounds: dict[str, float], reached: bool | None) -> None:
    """At least, at most, or nothing wanted."""
    assert Measured(what="x", value=2, unit="s", **bounds).reached is reached
