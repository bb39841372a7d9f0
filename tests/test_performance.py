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
        {"what": "our stream, per core", "value": 150_002, "unit": "tickets/s"},
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
    monkeypatch.setattr(runs.month, "__defaults__", (tmp_path / "no month",))
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

    assert (found["tickets_per_s"].shown, found["tickets_per_core_second"].shown) == ("300,001", "150,002")
    assert (found["speed_tickets"].shown, found["speed_cores"].shown) == ("5,000,000", "2")


def test_a_run_that_cannot_be_read_is_named(committed: Path) -> None:
    """The file, what is wrong with it, and what makes it again."""
    committed.write_text(json.dumps({"stream": {**RUN, "cores": "many"}}))
    with pytest.raises(RunUnusable, match=r"bench-runs\.json: cores: .*python -m bench --save"):
        runs.sections()
    with pytest.raises(RunUnusable, match="has no figure 'our stream'"):
        Section.model_validate({**RUN, "figures": []}).figure("our stream")


MONTH = {
    "date": "2026-11-30T12:00:00+00:00", "cores": 2, "memory_gib": 8, "days": 30, "max_batch_tickets": 5_000_000,
    "tickets": 200_000_000, "bytes_per_ticket": 249.2, "tickets_per_core_second": 60_000, "micro_batches": 40,
    "drained_alone": {"tickets": 10_000_000, "tickets_per_s": 250_000},
    "growth": [
        {"stored": stored, "tickets_per_s": pace, "stream_mib": 1_700,
         "seconds": {"reconcile": 1.2, "monitor": 1.1, "open_and_count": 0.04}}
        for stored, pace in ((5_000_000, 240_000), (100_000_000, 200_000))
    ],
    "question": {"asked": "How urgent is it?", "columns": ["priority"], "bytes_after": 99_000_000, "seconds": 1.5},
    "seconds": {"total": 1_700, "produced_and_drained": 1_500, "draining": 1_400, "producer_waited": 200,
                "compaction": 180, "reconciliation": 2, "audit": 3},
    "peak_mib": {"stream": 1_800, "producer": 350},
    "bytes": {"raw": 50e9, "broker": 20e9, "broker_at_most": 4e9, "parquet_after": 7e9},
    "files": {"before": 400, "after": 40},
    "stored": 200_000_000, "quarantined": 0, "lost": 0, "twice": 0, "audit": "proven",
}  # fmt: skip


def test_a_month_has_its_bounds_and_what_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drain of a month at the pace of what was drained alone; of fewer days, no times are wanted."""
    file = tmp_path / "month-run.json"
    file.write_text(json.dumps(MONTH))
    monkeypatch.setattr(runs.month, "__defaults__", (file,))
    assert (month := runs.month())

    assert {one.what: (one.value, one.reached) for one in month.bounds} == {
        "lost or twice": (0, True),
        "memory, stream": (1_800, True),
        "memory, producer": (350, False),
        "produced and drained": (1_500, True),
        "audit": (3, True),
        "drained, once produced": (800, False),
        "drained, per core": (125_000, False),
        "files of a closed day at 10,000 tickets/s, compacted alike": (173, True),
    }
    assert len(month.model_copy(update={"days": 29}).bounds) == 4
    said = document.PARTS["month"]()
    assert "| drained, once produced | 800 s, at the 250,000/s of 10,000,000 while nothing was sent |" in said
    assert "| 100,000,000 | 200,000 tickets/s | 1.2 s | 1.1 s | 0.0 s | 1,700 MiB |" in said
    assert "| read by a question: How urgent is it? | 99.0 MB of priority in 1.5 s |" in said
    assert "| month | drained, once produced | 800 s | at most 720 s |" in document.PARTS["wanted"]()


def test_what_grows_has_a_column_for_each_size(committed: Path) -> None:
    """Each figure beside the same one with more stored, and the ratio with its bound."""
    figures = [
        {"what": f"{what}, {size} stored", "value": value, "unit": unit}
        for what, unit, values in (("a batch", "s", (1, 1.2)), ("memory", "MiB", (900, 1_000)))
        for size, value in zip(("1,000", "10,000"), values, strict=True)
    ]
    ratio = {"what": "a batch, 10,000 / 1,000 stored", "value": 1.2, "unit": "x", "at_most": 1.1}
    committed.write_text(json.dumps({"growth": {**RUN, "figures": [*figures, ratio]}}))

    said = document.PARTS["growth"]()

    assert said.startswith("| | 1,000 stored | 10,000 stored |\n|---|--:|--:|\n| a batch | 1.00 s | 1.20 s |\n")
    assert "| memory | 900 MiB | 1,000 MiB |" in said
    assert "| a batch, 10,000 / 1,000 stored | 1.20 × |  | at most 1.10 × | **missed** |" in said


@pytest.mark.parametrize(
    ("bounds", "reached"),
    [({}, None), ({"at_least": 2}, True), ({"at_least": 3}, False), ({"at_most": 2}, True), ({"at_most": 1}, False)],
)
def test_a_bound_holds_or_not(bounds: dict[str, float], reached: bool | None) -> None:
    """At least, at most, or nothing wanted."""
    assert Measured(what="x", value=2, unit="s", **bounds).reached is reached
