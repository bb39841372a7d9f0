"""Checks a set-up without changing it: Java, jars, disk, broker, topic, lake, checkpoint, and what killed runs left.

Each check looks at one thing and returns findings; a problem carries the command or the step that mends it. Nothing is
started, created or deleted, and Spark is not needed.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import psutil

from indutech.jvm import jars, java
from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.topics import Topic
from indutech.lake import compaction, identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.store import connection
from indutech.producer import audit
from indutech.system import leases, supervisor
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

BROKER_TIMEOUT_S = 1.0  # to connect; a broker that needs longer is a finding in itself
LITTLE_SPACE_BYTES = 2 * 10**9  # below this a burst of tickets can fill the disk before anybody looks
NO_SPACE_BYTES = 200 * 10**6  # below this Spark and Kafka cannot even start


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"  # works, and is worth knowing
    PROBLEM = "problem"  # something will fail or has failed


@dataclass(frozen=True)
class Finding:
    """What one check saw, and the safe next step if there is one."""

    subject: str
    level: Level
    says: str
    next_step: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the finding as JSON shows it."""
        return asdict(self)


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order of the checks."""

    findings: list[Finding]

    @property
    def healthy(self) -> bool:
        """Tell whether no finding is a problem."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as JSON shows it."""
        return {"healthy": self.healthy, "findings": [finding.as_dict() for finding in self.findings]}


def examine(settings: Settings) -> Diagnosis:
    """Run every check; a check that depends on another one that failed says that it was not made."""
    findings = [*_java(), *_jars(settings), *_data_folder(settings), *_processes(settings)]
    reached, found = _store(settings)
    findings += found
    broker, found = _broker(settings)
    findings += found
    topic, found = _topic(settings, broker)
    findings += found
    if reached:
        findings += [*_lake(reached, topic), *_offsets(reached, broker, topic)]
    findings += _audit(settings, topic)
    return Diagnosis(findings)


def _java() -> Iterator[Finding]:
    try:
        yield _ok("Java", f"{java.java_home()} fits Kafka and Spark.")
    except InduTechError as error:
        yield _problem("Java", error)


def _jars(settings: Settings) -> Iterator[Finding]:
    try:
        missing = jars.missing(s3=settings.lake_bucket is not None)
    except InduTechError as error:
        yield _problem("jars", error)
        return
    if missing:
        say = f"{len(missing)} locked jars are not in {jars.cache_dir()} yet, such as {missing[0]}."
        later = "make setup" if jars.missing() else "nothing: the next stream fetches those for S3"
        yield Finding("jars", Level.PROBLEM if jars.missing() else Level.NOTE, say, later)
    else:
        yield _ok("jars", f"All locked jars are in {jars.cache_dir()}.")


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            "data folder", Level.PROBLEM, f"{existing} cannot be written to.",
            "chmod u+w it, or set INDUTECH_DATA_DIR to a folder of yours",
        )  # fmt: skip
    else:
        yield _ok("data folder", f"{folder} can be written to.")
    free = shutil.disk_usage(existing).free
    say = f"{free / 1e9:,.1f} GB are free for {folder}."
    if free < NO_SPACE_BYTES:
        yield Finding("disk space", Level.PROBLEM, say, "free some space, or set INDUTECH_DATA_DIR to another disk")
    elif free < LITTLE_SPACE_BYTES:
        yield Finding(
            "disk space", Level.NOTE, say, "free some space before a large run; `indutech compact` saves some"
        )
    else:
        yield _ok("disk space", say)


def _processes(settings: Settings) -> Iterator[Finding]:
    if (pid := brokers.orphan(settings)) is not None:
        yield Finding(
            "processes", Level.PROBLEM, f"The embedded broker, process {pid}, runs without its supervisor.",
            f"the next `indutech broker start` ends it and starts anew; or kill {pid}",
        )  # fmt: skip
    if left := _left_by_a_plant(settings):
        yield Finding(
            "processes", Level.NOTE, f"A plant that was killed has left {', '.join(left)} running in "
            f"{settings.plant_dir}.", "indutech plant down",
        )  # fmt: skip
    for pid in _abandoned_spark(settings):
        yield Finding(
            "processes", Level.PROBLEM, f"A Spark of this data folder, process {pid}, has lost the program it served.",
            f"kill {pid}",
        )  # fmt: skip
    if _is_written(settings):
        yield Finding("processes", Level.NOTE, "A stream or a compaction is writing the lake at this moment.")


def _left_by_a_plant(settings: Settings) -> list[str]:
    """Return the parts of a plant that run although no `plant up` does."""
    folder = settings.plant_dir
    if leases.is_locked(folder / "up.lock"):
        return []
    places = [found.parent for depth in ("*", "*/*") for found in folder.glob(f"{depth}/supervisor.lock")]
    return [place.name for place in places if supervisor.is_supervised(place)]


def _abandoned_spark(settings: Settings) -> list[int]:
    """Return the JVMs that write this folder's Spark log and whose parent is gone."""
    mark = f"-Dindutech.log={settings.log_dir / 'spark.log'}"
    found = []
    for one in psutil.process_iter(["pid", "ppid", "name", "cmdline"]):
        if "java" in (one.info["name"] or "") and mark in (one.info["cmdline"] or []) and one.info["ppid"] == 1:
            found.append(one.info["pid"])
    return found


def _store(settings: Settings) -> tuple[Settings | None, list[Finding]]:
    """Return settings that reach the lake's store if it answers; an embedded server that does not run is no problem."""
    if settings.lake_bucket is None:
        return settings, []
    if settings.s3_endpoint is None and not connection.status(settings).running:
        say = "No S3 endpoint is named and the embedded server does not run; commands start it when they need it."
        return None, [Finding("lake's store", Level.NOTE, f"{say} The lake was not looked at.", "indutech lake start")]
    try:
        with connection.connected(settings.model_copy(update={"broker_timeout_s": BROKER_TIMEOUT_S})) as reached:
            whose = "not ours" if settings.s3_endpoint else "the embedded one"
            return connection.known(settings), [_ok("lake's store", f"{reached.s3_endpoint} answers ({whose}).")]
    except InduTechError as error:
        return None, [_problem("lake's store", error)]


def _broker(settings: Settings) -> tuple[Broker | None, list[Finding]]:
    """Return the broker if one answers; an embedded one that does not run is no problem, and is not started."""
    try:
        broker = brokers.existing(settings.model_copy(update={"broker_timeout_s": BROKER_TIMEOUT_S}))
    except InduTechError as error:
        return None, [_problem("broker", error)]
    if broker is None:
        say = "No broker is named and the embedded one does not run; commands start it when they need it."
        return None, [Finding("broker", Level.NOTE, say, "indutech broker start")]
    whose = "the embedded one" if broker.embedded else "not ours"
    return broker, [_ok("broker", f"{broker.bootstrap_servers} answers ({whose}).")]


def _topic(settings: Settings, broker: Broker | None) -> tuple[Topic | None, list[Finding]]:
    if broker is None:
        return None, [_not_looked("topic")]
    try:
        topic = topics.describe_topic(broker, settings.topic)
    except InduTechError as error:
        return None, [_problem("topic", error)]
    if topic is None:
        say = f"{settings.topic} does not exist yet; the first producer or stream makes it."
        return None, [Finding("topic", Level.NOTE, say, "check KAFKA_TOPIC, or run `indutech broker prepare`")]
    found = [_ok("topic", f"{topic.name} has {topic.partitions} partitions (cluster {topic.cluster_id}).")]
    if "compact" in topic.config.get("cleanup.policy", ""):
        say = f"{topic.name} is compacted: Kafka deletes all but the last message of each key."
        found.append(
            Finding("topic", Level.PROBLEM, say, "set cleanup.policy=delete on it, or use another KAFKA_TOPIC")
        )
    for setting, wanted in topics.CONFIG.items():
        there = topic.config.get(setting, wanted)
        if there != wanted and setting != "cleanup.policy":
            say = f"{topic.name} has {setting}={there}, InduTech would set {wanted}."
            found.append(Finding("topic", Level.NOTE, say, _CONSEQUENCES[setting]))
    return topic, found


_CONSEQUENCES: Mapping[str, str] = {
    "message.timestamp.type": "dates then follow the producers' clocks; set LogAppendTime on the topic",
    "retention.ms": "tickets that are not stored within that time are deleted; keep the stream running, or raise it",
    "retention.bytes": "tickets beyond that size are deleted; keep the stream running, or raise it",
}


def _lake(settings: Settings, topic: Topic | None) -> Iterator[Finding]:
    checkpoint = Checkpoint(settings.checkpoint_dir)
    checks: list[Callable[[], object]] = [
        lambda: identity.check(settings, topic),
        lambda: checkpoint.check(settings.topic),
        lambda: (
            compaction.refuse_compacted(settings, replay) if (replay := checkpoint.to_replay()) is not None else None
        ),
    ]
    found = [fault for check in checks if (fault := _fault(check))]
    faults = list({str(fault): fault for fault in found}.values())  # two checks read the same damaged file
    for fault in faults:
        yield _problem("lake and checkpoint", fault)
    if not faults:
        committed = checkpoint.last_committed()
        state = "no micro-batch yet" if committed is None else f"micro-batches 0 to {committed} committed"
        yield _ok("lake and checkpoint", f"They belong together: {state}.")
    if _is_written(settings):
        return  # what a writer has open is no leftover
    left = layout.temporary_files(settings)
    if left:
        say = f"{len(left)} hidden folders of a killed writer are left, such as {left[0]}."
        yield Finding("leftovers", Level.NOTE, say, "indutech stream --once (its start removes them)")
    if layout.journal_file(settings).exists():
        say = "A compaction was interrupted; readers through indutech.lake.reader see whole data all the same."
        yield Finding("leftovers", Level.NOTE, say, "indutech compact (it finishes what was begun)")


def _offsets(settings: Settings, broker: Broker | None, topic: Topic | None) -> Iterator[Finding]:
    """Compare what the broker still holds with what the lake still needs."""
    if broker is None or topic is None or _fault(lambda: identity.check(settings, topic)):
        return
    known, checkpoint = identity.read(settings), Checkpoint(settings.checkpoint_dir)
    if known is None or _fault(lambda: checkpoint.check(settings.topic)):
        return
    wanted = {**known.start_offsets, **checkpoint.committed_offsets(known.topic)}
    first, end = topics.start_offsets(broker, topic.name), topics.end_offsets(broker, topic.name)
    for partition, offset in sorted(wanted.items()):
        if first.get(partition, 0) > offset:
            say = (
                f"Partition {partition}: the broker has deleted offsets {offset:,} to {first[partition] - 1:,}, "
                "which were never stored."
            )
            yield Finding("offsets", Level.PROBLEM, say, "they are lost; indutech stream --accept-expired goes on")
        if end.get(partition, 0) < offset:
            say = f"Partition {partition}: the lake has stored offset {offset - 1:,}, the topic ends before it."
            yield Finding(
                "offsets", Level.PROBLEM, say, "the topic lost data or is another one; use another INDUTECH_DATA_DIR"
            )
    waiting = sum(max(0, stop - wanted.get(partition, first.get(partition, 0))) for partition, stop in end.items())
    held_back = identity.held_back(broker, topic.name, end)
    for partition, count in held_back.items():
        say = f"Partition {partition}: a transaction is open at offset {end[partition] - count:,}; nobody can read on."
        yield Finding("offsets", Level.NOTE, say, "end the producer's transaction, or wait for its time limit")
    if waiting:
        yield Finding("offsets", Level.NOTE, f"{waiting:,} messages wait to be stored.", "indutech stream --once")
    else:
        yield _ok("offsets", "Everything in the topic is stored.")


def _audit(settings: Settings, topic: Topic | None) -> Iterator[Finding]:
    try:
        sent = audit.read_audit(settings)
    except InduTechError as error:
        yield _problem("producer's audit", error)
        return
    if sent and topic and not sent.belongs_to(topic):
        say = f"{settings.audit_file} is about another topic than the {topic.name} that is there now."
        yield Finding("producer's audit", Level.PROBLEM, say, "use another INDUTECH_DATA_DIR, or `indutech reset`")
    elif sent:
        yield _ok("producer's audit", f"{sent.acknowledged:,} acknowledged of {sent.sent:,} sent.")


def _is_written(settings: Settings) -> bool:
    return leases.is_locked(settings.writer_lock)


def _fault(check: Callable[[], object]) -> InduTechError | None:
    try:
        check()
    except InduTechError as error:
        return error
    return None


def _ok(subject: str, says: str) -> Finding:
    return Finding(subject, Level.OK, says)


def _problem(subject: str, error: InduTechError) -> Finding:
    return Finding(subject, Level.PROBLEM, str(error))  # our errors name the next step themselves


def _not_looked(subject: str) -> Finding:
    return Finding(subject, Level.NOTE, "Not looked at: no broker answers.")
