"""Compaction: few files, the same offsets, at every moment and after every kill."""

from pathlib import Path

import pytest

from indutech.lake import compaction, layout, reader
from indutech.system.settings import Settings
from tests import lakes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder of its own, with a space and an accent."""
    return Settings(_env_file=None, data_dir=tmp_path / "données à part")


@pytest.fixture
def ten_batches(settings: Settings) -> Settings:
    """Batches 0 to 9 of ten offsets each on two days; every third offset is in quarantine."""
    for batch in range(10):
        day = "2026-01-01" if batch < 6 else "2026-01-02"
        mine = range(batch * 10, batch * 10 + 10)
        lakes.store(settings, "tickets", day, batch, [o for o in mine if o % 3])
        lakes.store(settings, "quarantine", day, batch, [o for o in mine if o % 3 == 0])
        lakes.commit(settings, batch, {0: batch * 10 + 10})
    return settings


def test_a_closed_day_becomes_one_file_a_kind(ten_batches: Settings):
    """The same offsets stand there before and after, in one folder with an integer name."""
    before = {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS}

    [done] = compaction.compact(ten_batches)

    assert (done.files_before, done.files_after) == (12, 2)
    assert {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS} == before
    day = ten_batches.tickets_dir / "ingest_date=2026-01-01"
    assert [folder.name for folder in day.iterdir()] == ["batch=5"]


def test_the_newest_batch_is_left_alone(ten_batches: Settings):
    """Spark may run it again, and would then write its folder beside merged rows."""
    compaction.compact(ten_batches, open_day_too=True)

    day = ten_batches.tickets_dir / "ingest_date=2026-01-02"
    assert sorted(folder.name for folder in day.iterdir()) == ["batch=8", "batch=9"]


def test_a_second_compaction_finds_nothing(ten_batches: Settings):
    """What is compact stays as it is, file names included."""
    compaction.compact(ten_batches)
    files = layout.all_files(ten_batches, "tickets")

    assert compaction.compact(ten_batches) == []
    assert layout.all_files(ten_batches, "tickets") == files


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", range(20))
def test_a_kill_at_any_file_operation_is_finished_later(
    ten_batches: Settings, monkeypatch: pytest.MonkeyPatch, step: int
):
    """Readers through `lake` see each offset once right after the kill; every reader does after the next start."""
    before = {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS}
    left = step
    for name in ("replace", "unlink", "rmdir"):
        real = getattr(Path, name)

        def dying(self: Path, *args: object, real=real, **kwargs: object):
            nonlocal left
            left -= 1
            if left < 0:
                raise _Killed
            return real(self, *args, **kwargs)

        monkeypatch.setattr(Path, name, dying)
    with pytest.raises(_Killed):
        compaction.compact(ten_batches)
    monkeypatch.undo()

    for kind in layout.KINDS:
        assert sorted(reader.read(ten_batches, kind)["kafka_offset"].to_pylist()) == before[kind]
    compaction.finish_interrupted(ten_batches)
    assert {kind: lakes.offsets_seen(ten_batches, kind) for kind in layout.KINDS} == before
    assert not list(ten_batches.lake_dir.glob(".compaction-*"))


def test_the_stream_compacts_between_two_batches(ten_batches: Settings, monkeypatch: pytest.MonkeyPatch):
    """Once in a hundred micro-batches, and only days that lie in many of them."""
    assert compaction.between_batches(ten_batches, 100) == []
    monkeypatch.setattr(compaction, "DUE_AT_BATCHES", 6)
    assert compaction.between_batches(ten_batches, 101) == []

    [done] = compaction.between_batches(ten_batches, 100)

    assert done.files_before == 12


def test_a_compacted_batch_is_not_run_again(ten_batches: Settings):
    """Its rows would stand in the lake twice, so it is refused by number."""
    compaction.compact(ten_batches)

    with pytest.raises(compaction.BatchCompacted, match="micro-batch 5 "):
        compaction.refuse_compacted(ten_batches, 5)
    compaction.refuse_compacted(ten_batches, 9)


def test_files_grow_to_the_target_and_no_further(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """A large day becomes several files, in the order of its batches."""
    monkeypatch.setattr(compaction, "TARGET_FILE_BYTES", 20_000)
    monkeypatch.setattr(compaction, "_ROW_GROUP_ROWS", 1_000)
    for batch in range(40):
        for _ in range(2):
            lakes.store(settings, "tickets", "2026-01-01", batch, range(batch * 1_000, batch * 1_000 + 1_000, 2))
        lakes.commit(settings, batch, {0: batch * 1_000 + 1_000})

    [done] = compaction.compact(settings, open_day_too=True)

    sizes = [file.path.stat().st_size for file in layout.all_files(settings, "tickets") if file.batch == 38]
    assert 2 < done.files_after == len(sizes)
    assert all(size < 45_000 for size in sizes)
