"""The log of messages that were sent again from the quarantine: which, and where each one stands in the topic now.

One JSON object a line, flushed to disk. A run writes what it is about to send, with the ends of the topic, before it
sends anything: whoever finds such a plan unfinished looks in the topic from there on for what had been sent.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indutech.kafka import topics
from indutech.kafka.connection import Broker
from indutech.kafka.topics import Topic
from indutech.lake.quarantine import Place
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

HEADER = "indutech-replay-of"


class ReplayLogDamaged(InduTechError):
    """The log of replayed messages cannot be read or written."""


class SecondReplay(InduTechError):
    """Another process replays messages of this quarantine."""


@dataclass
class Replayed:
    """What the log says: replayed messages with their new places, and the unfinished plan, if there is one."""

    places: dict[Place, Place] = field(default_factory=dict)
    unfinished_since: dict[int, int] | None = None  # partition → end offset when that run began to send


def log_file(settings: Settings) -> Path:
    """Where the log is kept."""
    return settings.lake_dir / "replayed.jsonl"


def header_value(topic: Topic, place: Place) -> bytes:
    """Return the value of the header that says which message this one repeats."""
    origin = {"topic": topic.name, "topic_id": topic.topic_id, "partition": place.partition, "offset": place.offset}
    return json.dumps(origin).encode()


def read(settings: Settings) -> Replayed:
    """Return what the log says; a last line that a kill cut short was never acted upon, and does not count.

    Raises:
        ReplayLogDamaged: another line cannot be read.
    """
    found = Replayed()
    try:
        content = log_file(settings).read_bytes()
    except FileNotFoundError:
        return found
    except OSError as error:
        raise _damaged(settings, error) from error
    try:
        for line in content[: content.rfind(b"\n") + 1].splitlines():
            entry = json.loads(line)
            if "ends" in entry:
                ends = {int(partition): int(end) for partition, end in entry["ends"].items()}
                before = found.unfinished_since or {}
                found.unfinished_since = {p: min(end, before.get(p, end)) for p, end in ends.items()}
            else:
                found.places |= {Place(*origin): Place(*now) for origin, now in entry["replayed"]}
                found.unfinished_since = None if entry["finished"] else found.unfinished_since
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(settings, error) from error
    return found


def now(settings: Settings, broker: Broker) -> Replayed:
    """Return what was replayed, including what a run that was killed had sent and could not write down."""
    found = read(settings)
    if found.unfinished_since is not None and (topic := topics.describe_topic(broker, settings.topic)):
        found.places |= in_topic(broker, topic, found.unfinished_since)
    return found


def in_topic(broker: Broker, topic: Topic, since: Mapping[int, int]) -> dict[Place, Place]:
    """Return origin → new place of each replayed message that stands in the topic from these offsets on."""
    found: dict[Place, Place] = {}
    for partition, offset, value in topics.header_values(broker, topic.name, since, HEADER):
        try:
            origin = json.loads(value)
            if (origin["topic"], origin["topic_id"]) == (topic.name, topic.topic_id):
                found.setdefault(Place(origin["partition"], origin["offset"]), Place(partition, offset))
        except (ValueError, TypeError, KeyError):
            continue  # somebody else's header
    return found


class ReplayLog:
    """The log, open for the one run that may add to it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        _remove_cut_line(settings)

    def plan(self, ends: Mapping[int, int]) -> None:
        """Write that messages will be sent now that the topic ends at these offsets."""
        self._append({"ends": dict(ends)})

    def replayed(self, places: Mapping[Place, Place], *, finished: bool) -> None:
        """Write where messages stand now; `finished` when nothing else of the plan can still arrive."""
        pairs = [[[a.partition, a.offset], [b.partition, b.offset]] for a, b in places.items()]
        self._append({"replayed": pairs, "finished": finished})

    def _append(self, entry: Mapping[str, Any]) -> None:
        path = log_file(self._settings)
        try:
            with path.open("ab") as file:
                file.write(json.dumps(entry).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _damaged(self._settings, error) from error


@contextmanager
def sole_replay(settings: Settings) -> Iterator[ReplayLog]:
    """Hold the log for this process; the system frees it when the process dies, however it dies.

    Raises:
        SecondReplay: another process holds it.
    """
    settings.lake_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.lake_dir / "replayed.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise SecondReplay(
            f"Another replay of the quarantine in {settings.lake_dir} is running: wait for it, then run yours."
        ) from None
    try:
        yield ReplayLog(settings)
    finally:
        lock.release()


def _remove_cut_line(settings: Settings) -> None:
    """Remove what a kill left of a line, so that the next one does not continue it."""
    path = log_file(settings)
    try:
        content = path.read_bytes() if path.exists() else b""
        if content and not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)
    except OSError as error:
        raise _damaged(settings, error) from error


def _damaged(settings: Settings, error: Exception) -> ReplayLogDamaged:
    return ReplayLogDamaged(
        f"The log of replayed messages {log_file(settings)} cannot be used ({type(error).__name__}: {error}), and "
        "without it a message could be sent twice: restore it from a copy, or make room and give write access."
    )
