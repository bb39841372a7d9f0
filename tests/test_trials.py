"""What notebook 06 is made of, where nbval does not look: trials that miss their moment, and the sentences."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from indutech.lake.quarantine import Place
from indutech.report.trials import kills, laboratory, outage, readers
from indutech.report.trials.kills import TrialFailed
from indutech.report.trials.laboratory import LaboratoryRun
from indutech.report.trials.outage import OutageNotOver
from indutech.system.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder of its own."""
    return Settings(_env_file=None, data_dir=tmp_path / "données")


@pytest.mark.parametrize("program", ["pass", "print('ready', flush=True); input()"])
def test_a_process_that_ends_before_its_moment(settings: Settings, program: str) -> None:
    """It could not start, or it went by the place at which it was to be held: an error, and no wait for ever."""
    command = [sys.executable, "-c", program]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        pytest.raises(TrialFailed, match=r"could not start|did not come to offset 3:17"),
    ):
        kills._go(process, Place(3, 17), settings)


def test_a_broker_that_does_not_run_cannot_be_killed(settings: Settings) -> None:
    """No other process is taken for it."""
    with pytest.raises(OutageNotOver, match="no embedded broker"):
        outage._process_of_the_broker(settings)


def test_readers_are_compared_with_what_was_sent() -> None:
    """Rows too many are named with their share; where there are none, the sentence says so."""
    columns = ["sink", "reader", "the folder as it is", "unreadable files", "rows", "rows too many"]
    rows = [
        (readers.FILE_SINK, "DuckDB", "stops", 2, 150, 50),
        (readers.FILE_SINK, "Spark", "is read", 0, 100, 0),
        ("ours", "DuckDB", "is read", 0, 100, 0),
        ("ours", "Spark", "is read", 0, 100, 0),
    ]

    found = pd.DataFrame(rows, columns=columns)

    assert readers.rows_too_many(found) == {"twice_by_file_sink": 50, "twice_by_ours": 0}
    assert readers.compared(found, 100).splitlines() == [
        "- Spark's file sink: 100 sent; 1 of 2 readers stop at damaged files (2); "
        "the other files hold **50 rows too many** (50 %).",
        "- Ours: 100 sent; all 2 readers see **100** rows, each once.",
    ]


def test_a_cut_file_is_not_readable(tmp_path: Path) -> None:
    """Its end is what readers begin with."""
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-9])

    assert [kills.is_readable(tmp_path / name) for name in ("whole.parquet", "cut.parquet", "none.parquet")] == [
        True,
        False,
        False,
    ]


def test_a_run_of_the_laboratory_is_summed_up() -> None:
    """Lost and doubled are added over the rows, not taken from a total that somebody wrote."""
    row = {"family": 1, "fault": "a", "injected": 2, "sent": 10, "stored": 9, "quarantined": 0, "lost": 1, "twice": 0}
    rows = [
        {**row, "recovery_s": 1.5, "expired": 3},
        {**row, "fault": "b", "expired": 0, "lost": 0, "twice": 2, "recovery_s": 0.5},
    ]
    run = LaboratoryRun("2026-11-29T20:00:00+00:00", 2, 23.5, "make faults", 13, 600, rows)

    assert run.sentence == (
        "On 2026-11-29, `make faults` with seed 13 took 2 kinds of faults from 1 of 21 families, in 10 minutes on 2 "
        "cores with 23.5 GiB: **20 sent, 1 lost, 2 twice**; 3 expired: the topic deleted them, on "
        "purpose, before they could be stored."
    )
    assert run.table()["recovery, s"].tolist() == [1.5, 0.5]


def test_the_committed_run_can_be_shown() -> None:
    """Each row has what the table shows, and a family that there is."""
    run = laboratory.committed_run()

    assert len(run.table()) == len(run.rows) > 0
    assert {row["family"] for row in run.rows} <= set(range(1, laboratory.FAMILIES + 1))
