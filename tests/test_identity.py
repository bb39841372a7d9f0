"""A lake belongs to one topic and one checkpoint; everything else is refused with the way out."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from indutech.kafka.topics import Topic
from indutech.lake import identity
from indutech.lake.checkpoint import Checkpoint, CheckpointDamaged
from indutech.lake.identity import LakeIdentityMismatch
from indutech.system.settings import Settings
from tests import lakes

TOPIC = Topic(name="client_tickets", topic_id="topic-1", cluster_id="cluster-1", partitions=1, config={})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder of its own."""
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def running_lake(settings: Settings) -> Settings:
    """A lake that has stored one micro-batch and whose identity knows its query."""
    known = identity.admit(settings, TOPIC, {0: 5})
    lakes.store(settings, "tickets", "2026-01-01", 0, range(5, 8))
    lakes.commit(settings, 0, {0: 8})
    identity.claim(settings, known)
    return settings


def test_the_first_start_writes_the_identity(settings: Settings):
    """Topic, cluster and first offsets are kept before the first row is."""
    identity.admit(settings, TOPIC, {0: 5})

    known = identity.read(settings)
    assert known is not None
    assert (known.topic_id, known.cluster_id, known.start_offsets, known.query_id) == (
        "topic-1",
        "cluster-1",
        {0: 5},
        None,
    )


def test_later_starts_keep_the_first_offsets(running_lake: Settings):
    """The broker's log start moves on; what the lake must hold does not."""
    assert identity.admit(running_lake, TOPIC, {0: 7}).start_offsets == {0: 5}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"topic_id": "topic-2"}, "deleted and created again"),
        ({"cluster_id": "cluster-2"}, "cluster cluster-1"),
        ({"name": "other"}, "from topic client_tickets, not other"),
    ],
)
def test_another_topic_is_refused(running_lake: Settings, change: dict[str, str], words: str):
    """The same offsets of another topic are other messages; the message says what differs and the way out."""
    with pytest.raises(LakeIdentityMismatch, match=words) as refusal:
        identity.admit(running_lake, dataclasses.replace(TOPIC, **change), {0: 0})

    assert "INDUTECH_DATA_DIR" in str(refusal.value)


def test_a_checkpoint_deleted_alone_is_refused(running_lake: Settings):
    """A new checkpoint would number micro-batches from 0 and overwrite good data."""
    shutil.rmtree(running_lake.checkpoint_dir)

    with pytest.raises(LakeIdentityMismatch, match=r"its checkpoint .* is gone"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_the_checkpoint_of_another_query_is_refused(running_lake: Settings):
    """A checkpoint of another query under this lake."""
    lakes.plan(running_lake, 1, {0: 9}, query_id="q2")

    with pytest.raises(LakeIdentityMismatch, match="belongs to query q2"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_a_lake_deleted_alone_is_refused(running_lake: Settings):
    """The checkpoint would go on behind rows that are gone."""
    shutil.rmtree(running_lake.lake_dir)

    with pytest.raises(LakeIdentityMismatch, match="the lake it wrote is gone"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_rows_deleted_alone_are_refused(running_lake: Settings):
    """The identity is there, the checkpoint too, and no row."""
    shutil.rmtree(running_lake.tickets_dir)

    with pytest.raises(LakeIdentityMismatch, match="says that rows were stored"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_rows_without_identity_are_refused(running_lake: Settings):
    """Parquet that nobody can attribute."""
    identity.identity_file(running_lake).unlink()

    with pytest.raises(LakeIdentityMismatch, match=r"no identity\.json"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_an_unreadable_identity_is_refused(running_lake: Settings):
    """A cut file is not taken for a missing one."""
    identity.identity_file(running_lake).write_text('{"topic": "client')

    with pytest.raises(LakeIdentityMismatch, match="cannot be read"):
        identity.admit(running_lake, TOPIC, {0: 0})


def test_a_start_killed_before_its_first_batch_may_start_again(settings: Settings):
    """Planned, never committed, no query id yet: nothing is wrong."""
    identity.admit(settings, TOPIC, {0: 5})
    lakes.plan(settings, 0, {0: 8})

    assert identity.admit(settings, TOPIC, {0: 5}).start_offsets == {0: 5}


def test_a_moved_data_folder_still_belongs_together(running_lake: Settings, tmp_path: Path):
    """Nothing inside knows its own address."""
    moved = Settings(_env_file=None, data_dir=tmp_path / "elsewhere é")
    moved.data_dir.mkdir()
    for part in (running_lake.lake_dir, running_lake.checkpoint_dir):
        shutil.move(part, moved.data_dir / part.name)

    assert identity.admit(moved, TOPIC, {0: 0}).query_id == "q1"


def test_checksums_of_files_that_are_gone_are_removed(running_lake: Settings):
    """A commit that was deleted leaves its checksum, at which Spark would stop when it commits again."""
    commits = running_lake.checkpoint_dir / "commits"
    for name in (".0.crc", ".1.crc"):
        (commits / name).write_bytes(b"crc")

    removed = Checkpoint(running_lake.checkpoint_dir).remove_orphaned_checksums()

    assert [path.name for path in removed] == [".1.crc"]
    assert (commits / ".0.crc").exists()


@pytest.mark.parametrize("text", ["", "v1\n", 'v1\n{}\n{"client_tickets":{"0":'])
def test_a_cut_checkpoint_file_is_named(running_lake: Settings, text: str):
    """Of a micro-batch that was never committed, the file may be deleted; of a committed one it may not."""
    offsets = running_lake.checkpoint_dir / "offsets"
    (offsets / "1").write_text(text)
    with pytest.raises(CheckpointDamaged, match=r"offsets/1 cannot be read.* delete this one file"):
        Checkpoint(running_lake.checkpoint_dir).check(TOPIC.name)

    (offsets / "1").unlink()
    (offsets / "0").write_text(text)
    with pytest.raises(CheckpointDamaged, match=r"offsets/0 cannot be read.* Restore it from a copy"):
        Checkpoint(running_lake.checkpoint_dir).check(TOPIC.name)
