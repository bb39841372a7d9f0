"""Where a route begins and which topic it belongs to: kept in route.json before Spark starts.

So what arrives while Spark starts is routed, also if it is killed meanwhile, and offsets of another topic are refused.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from indutech.kafka.topics import Topic
from indutech.lake.checkpoint import Checkpoint
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.state_files import write_json


class RouteRefused(InduTechError):
    """Urgent tickets cannot be routed as asked: another topic, another route, offsets that are gone, too few cores."""


@dataclass(frozen=True)
class RouteStart:
    """The topic that a route reads, by id and cluster, and the offsets before which it routes nothing."""

    topic: str
    topic_id: str
    cluster_id: str
    start_offsets: Mapping[int, int]
    created_at: str


def checkpoint(settings: Settings) -> Checkpoint:
    """The checkpoint of the route, which is not the stream's."""
    return Checkpoint(settings.route_dir / "checkpoint")


@contextmanager
def sole_route(settings: Settings) -> Iterator[None]:
    """Hold the route of this data folder for this process.

    Raises:
        RouteRefused: another process routes.
    """
    settings.route_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.route_lock)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise RouteRefused(
            f"Another `indutech route` works in {settings.route_dir}: stop it, or use another INDUTECH_DATA_DIR."
        ) from None
    try:
        yield
    finally:
        lock.release()


def admit(settings: Settings, topic: Topic, ends: Mapping[int, int], starts: Mapping[int, int]) -> RouteStart:
    """Return where the route of this topic begins; a new one begins at the topic's present end.

    Raises:
        RouteRefused: the route is of another topic, or what it has to read next is gone.
    """
    log, file = checkpoint(settings), settings.route_dir / "route.json"
    known = _read(file)
    if known is None:
        if log.exists():
            raise RouteRefused(
                f"{log.folder} remembers offsets, but {file}, which says of which topic, is gone. {_anew(settings)}"
            )
        known = RouteStart(
            topic.name, topic.topic_id, topic.cluster_id, dict(ends), datetime.now(UTC).isoformat(timespec="seconds")
        )
        write_json(file, asdict(known))
    if (known.cluster_id, known.topic, known.topic_id) != (topic.cluster_id, topic.name, topic.topic_id):
        raise RouteRefused(
            f"The route in {settings.route_dir} is of topic {known.topic} (id {known.topic_id}) of cluster "
            f"{known.cluster_id}, not of {topic.name} (id {topic.topic_id}) of {topic.cluster_id}. {_anew(settings)}"
        )
    log.check(topic.name)
    log.remove_orphaned_checksums()
    _refuse_expired(settings, known, starts)
    return known


def _refuse_expired(settings: Settings, known: RouteStart, starts: Mapping[int, int]) -> None:
    looked_at = checkpoint(settings).committed_offsets(known.topic)
    gone = []
    for partition, start in sorted(starts.items()):
        wanted = looked_at.get(partition, known.start_offsets.get(partition, 0))
        if start > wanted:
            gone.append(f"partition {partition}, offsets {wanted:,} to {start - 1:,}")
    if gone:
        raise RouteRefused(
            f"The broker has deleted messages that the route had not looked at: {'; '.join(gone)}. {_anew(settings)}"
        )


def _read(file: Path) -> RouteStart | None:
    try:
        fields = json.loads(file.read_text())
        return RouteStart(**{**fields, "start_offsets": {int(p): o for p, o in fields["start_offsets"].items()}})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise RouteRefused(f"{file} cannot be read: restore it from a copy, or delete it with its folder.") from error


def _anew(settings: Settings) -> str:
    return (
        f"Move {settings.route_dir} away, and the route begins anew with what arrives next; "
        "or use another INDUTECH_DATA_DIR."
    )
