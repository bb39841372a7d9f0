"""Starting over deletes what belongs together, and nothing that somebody uses."""

from pathlib import Path

import pytest

from indutech.lake import reset
from indutech.lake.writer_lock import SecondWriter, sole_writer
from indutech.system.settings import Settings
from tests import lakes


@pytest.fixture
def used(tmp_path: Path) -> Settings:
    """A data folder with a lake, a checkpoint, an audit, and a report that is not part of it."""
    settings = Settings(_env_file=None, data_dir=tmp_path, bootstrap_servers="127.0.0.1:1")
    lakes.store(settings, "tickets", "2026-01-01", 0, [0])
    lakes.commit(settings, 0, {0: 1})
    settings.audit_file.parent.mkdir()
    settings.audit_file.write_text("{}")
    (tmp_path / "report").mkdir()
    return settings


def test_all_of_it_goes_and_nothing_else(used: Settings):
    """Lake, checkpoint and audit together: each is meaningless without the others."""
    reset.delete(used)

    assert reset.listed(used) == []
    assert not used.lake_dir.exists()
    assert not used.checkpoint_dir.exists()
    assert (used.data_dir / "report").exists()


def test_nothing_goes_while_a_stream_writes(used: Settings):
    """The writer is asked first."""
    with sole_writer(used), pytest.raises(SecondWriter, match="Another stream or compaction"):
        reset.delete(used)

    assert used.checkpoint_dir.exists()
