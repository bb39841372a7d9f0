"""Which files of the lake count, and which are removed."""

from datetime import date
from pathlib import Path

import pytest

from indutech.lake import layout
from indutech.system.settings import Settings
from tests import lakes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder of its own."""
    return Settings(_env_file=None, data_dir=tmp_path)


def test_only_committed_batches_count(settings: Settings):
    """What a running or killed micro-batch wrote is there, but not counted."""
    first = lakes.store(settings, "tickets", "2026-01-01", 0, [0])
    second = lakes.store(settings, "tickets", "2026-01-01", 1, [1])
    lakes.commit(settings, 0, {0: 1})

    assert [file.path for file in layout.committed_files(settings, "tickets")] == [first]
    assert [file.path for file in layout.all_files(settings, "tickets")] == [first, second]


def test_a_folder_that_this_try_did_not_write_is_removed(settings: Settings):
    """Dynamic overwrite spares it: its rows would stand beside the new ones."""
    kept = lakes.store(settings, "tickets", "2026-01-01", 3, [0])
    other_batch = lakes.store(settings, "tickets", "2026-01-02", 4, [1])
    stale = lakes.store(settings, "tickets", "2026-01-02", 3, [0])

    removed = layout.remove_stale(settings, "tickets", 3, [date(2026, 1, 1)])

    assert removed == [stale.parent]
    assert kept.exists()
    assert other_batch.exists()
    assert not stale.exists()


def test_temporary_files_of_a_killed_writer_are_removed(settings: Settings):
    """DuckDB's `**` enters hidden folders and stops on a truncated file there."""
    kept = lakes.store(settings, "tickets", "2026-01-01", 0, [0])
    for kind in layout.KINDS:
        cut = layout.root(settings, kind) / ".spark-staging-1" / "ingest_date=2026-01-01" / "part-0.parquet"
        cut.parent.mkdir(parents=True)
        cut.write_bytes(b"PAR1")

    layout.remove_temporary_files(settings)

    assert list(settings.lake_dir.rglob("*.parquet")) == [kept]
