"""The lake's identity: the one topic, cluster and query that may write it, kept in identity.json.

Offsets of another topic, or micro-batches of another query, would overwrite good data; a start with them is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.kafka.topics import Topic
from indutech.lake import layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class LakeIdentityMismatch(InduTechError):
    """Lake, checkpoint and topic do not belong together."""


@dataclass(frozen=True)
class Identity:
    """The topic, the query and the first offsets of a lake; one JSON file in the lake folder."""

    topic: str
    topic_id: str
    cluster_id: str
    start_offsets: Mapping[int, int]
    query_id: str | None
    created_at: str

    def first_offset(self, partition: int) -> int:
        """Where the lake begins; a partition that the topic was given later begins at 0."""
        return self.start_offsets.get(partition, 0)


def identity_file(settings: Settings) -> LakePath:
    """Where the identity is kept."""
    return files.root(settings) / "identity.json"


def read(settings: Settings) -> Identity | None:
    """The identity of the lake, or None if it has none yet.

    Raises:
        LakeIdentityMismatch: the file is there but cannot be read.
    """
    path = identity_file(settings)
    try:
        content = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fields = json.loads(content)
        return Identity(**{**fields, "start_offsets": {int(p): o for p, o in fields["start_offsets"].items()}})
    except (ValueError, TypeError, KeyError) as error:
        raise LakeIdentityMismatch(
            f"The lake's identity {path} cannot be read. Restore it from a copy, or use another INDUTECH_DATA_DIR."
        ) from error


@dataclass(frozen=True)
class Backlog:
    """How many offsets of the topic the lake has committed since its first one, and how many wait.

    Of those that wait, `held_back` cannot be read by anybody yet: they come after the begin of an open transaction.
    """

    stored: int
    waiting: int
    held_back: int = 0


def backlog(settings: Settings, broker: Broker) -> Backlog | None:
    """Compare the committed offsets with the end of the topic; None if there is no topic yet."""
    if topics.describe_topic(broker, settings.topic) is None:
        return None
    known = read(settings)
    first = dict(known.start_offsets) if known else topics.start_offsets(broker, settings.topic)
    committed = {**first, **Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)}
    end = topics.end_offsets(broker, settings.topic)
    return Backlog(
        stored=sum(offset - first.get(partition, 0) for partition, offset in committed.items()),
        waiting=sum(offset - committed.get(partition, 0) for partition, offset in end.items()),
        held_back=sum(held_back(broker, settings.topic, end).values()),
    )


def held_back(broker: Broker, topic: str, end: Mapping[int, int]) -> dict[int, int]:
    """Partition → how many offsets before this end nobody can read yet, because a transaction is open before them."""
    # The end was asked for first: whoever sends without transactions has moved the stable offset on since then.
    stable = topics.stable_offsets(broker, topic)
    return {partition: offset - stable[partition] for partition, offset in end.items() if stable[partition] < offset}


def admit(settings: Settings, topic: Topic, first_offsets: Mapping[int, int]) -> Identity:
    """The identity under which this topic may be written into this lake; made on the first start.

    Raises:
        LakeIdentityMismatch: they do not belong together; the message names the way out.
    """
    checkpoint = Checkpoint(settings.checkpoint_dir)
    known = read(settings)
    if known is None:
        _refuse_incomplete_lake(settings, checkpoint)
        known = Identity(
            topic=topic.name,
            topic_id=topic.topic_id,
            cluster_id=topic.cluster_id,
            start_offsets=dict(first_offsets),
            query_id=None,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        _write(settings, known)
    _refuse_other_topics(settings, known, topic)
    _refuse_other_checkpoints(settings, known, checkpoint)
    return known


def check(settings: Settings, topic: Topic | None = None) -> Identity | None:
    """Compare lake, checkpoint and, if it is given, the topic as `admit` does, and write nothing.

    Raises:
        LakeIdentityMismatch: they do not belong together; the message names the way out.
    """
    known, checkpoint = read(settings), Checkpoint(settings.checkpoint_dir)
    if known is None:
        _refuse_incomplete_lake(settings, checkpoint)
        return None
    if topic:
        _refuse_other_topics(settings, known, topic)
    _refuse_other_checkpoints(settings, known, checkpoint)
    return known


def claim(settings: Settings, identity: Identity) -> Identity:
    """Write down the query's id, which Spark knows only once it has started, before its first row is stored."""
    query_id = Checkpoint(settings.checkpoint_dir).query_id()
    if identity.query_id == query_id:
        return identity
    claimed = replace(identity, query_id=query_id)
    _write(settings, claimed)
    return claimed


def _write(settings: Settings, identity: Identity) -> None:
    files.write_json(identity_file(settings), asdict(identity))


def has_rows(settings: Settings) -> bool:
    """Whether any Parquet file stands in the lake."""
    folders = [layout.root(settings, kind) for kind in layout.kinds(settings)]
    return any(next(folder.glob("ingest_date=*/batch=*/*.parquet"), None) for folder in folders)


def _refuse_incomplete_lake(settings: Settings, checkpoint: Checkpoint) -> None:
    if has_rows(settings):
        raise LakeIdentityMismatch(
            f"{files.root(settings)} holds Parquet but no identity.json, so nobody can say which topic it came from. "
            "Restore that file, or use another INDUTECH_DATA_DIR."
        )
    if checkpoint.exists():
        raise LakeIdentityMismatch(
            f"{settings.checkpoint_dir} remembers offsets, but the lake it wrote is gone: {files.root(settings)} "
            "is empty. Restore the lake, or run `indutech reset`, which deletes both together."
        )


def _refuse_other_topics(settings: Settings, known: Identity, topic: Topic) -> None:
    ours = (known.cluster_id, known.topic, known.topic_id)
    if ours == (topic.cluster_id, topic.name, topic.topic_id):
        return
    if known.topic != topic.name:
        what = f"The lake in {files.root(settings)} was written from topic {known.topic}, not {topic.name}."
    elif known.cluster_id != topic.cluster_id:
        what = (
            f"The lake in {files.root(settings)} was written from the Kafka cluster {known.cluster_id}, "
            f"and this one is {topic.cluster_id}."
        )
    else:
        what = (
            f"Topic {topic.name} was deleted and created again (id {topic.topic_id}, the lake knows "
            f"{known.topic_id}): the same offsets now name other messages."
        )
    raise LakeIdentityMismatch(f"{what} Use another INDUTECH_DATA_DIR for it, or `indutech reset` to start over.")


def _refuse_other_checkpoints(settings: Settings, known: Identity, checkpoint: Checkpoint) -> None:
    if known.query_id is not None and checkpoint.query_id() is None:
        raise LakeIdentityMismatch(
            f"The lake in {files.root(settings)} is there, but its checkpoint {settings.checkpoint_dir} is gone: "
            "a new one would number its micro-batches from 0 again and overwrite good data. "
            "Restore the checkpoint, or use another INDUTECH_DATA_DIR."
        )
    if known.query_id is not None and checkpoint.query_id() != known.query_id:
        raise LakeIdentityMismatch(
            f"The checkpoint in {settings.checkpoint_dir} belongs to query {checkpoint.query_id()}, the lake to query "
            f"{known.query_id}. Put the pair back together, or use another INDUTECH_DATA_DIR."
        )
    stored = checkpoint.committed_offsets(known.topic)
    if any(end > known.first_offset(partition) for partition, end in stored.items()) and not has_rows(settings):
        raise LakeIdentityMismatch(
            f"The checkpoint in {settings.checkpoint_dir} says that rows were stored, "
            f"but {files.root(settings)} has none. Restore the lake, or run `indutech reset`, which deletes both "
            "together."
        )
