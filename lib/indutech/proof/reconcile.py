"""Reconciles topic and lake: reads the offsets of every stored row and compares them with what the topic holds.

Nothing is remembered between runs, and no count that producer or stream wrote down is trusted.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import expired, identity, layout, replay_log
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity, LakeIdentityMismatch
from indutech.lake.layout import DataFile
from indutech.lake.store import files as lake_files
from indutech.lake.store.files import LakePath
from indutech.producer import audit
from indutech.proof import counting, offset_check, ranges
from indutech.proof.counting import Counted
from indutech.proof.ranges import Range
from indutech.proof.result import PartitionProof, Proof
from indutech.proof.sources import parquet
from indutech.proof.sources.columns import PRESETS
from indutech.proof.sources.unit import Unit, UnitVanished
from indutech.proof.topic_side import told_apart
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets import product as products

_TRIES = 5
_MOST_TICKETS_COMPARED = 20_000_000
_FILES_NAMED = 20


class NothingToProve(InduTechError):
    """There is no lake and no topic yet."""


def prove(settings: Settings, broker: Broker, *, full: bool = False) -> Proof:
    """Compare what the topic holds with what the lake and the quarantine hold, offset by offset.

    Raises:
        NothingToProve: the topic does not exist and nothing was stored.
        LakeIdentityMismatch: the lake belongs to another topic.
    """
    known = identity.read(settings)
    topic = topics.describe_topic(broker, settings.topic)
    if topic is None:
        raise NothingToProve(
            f"Topic {settings.topic} does not exist at {broker.bootstrap_servers}. Send some {settings.product} first."
        )
    if known and (known.topic, known.topic_id) != (topic.name, topic.topic_id):
        raise LakeIdentityMismatch(
            f"The lake in {lake_files.root(settings)} was written from topic {known.topic} ({known.topic_id}), not "
            f"from {topic.name} ({topic.topic_id}). Set KAFKA_TOPIC or INDUTECH_DATA_DIR to a pair that belongs "
            "together."
        )
    for _ in range(_TRIES - 1):
        try:
            return _prove(settings, broker, known, full)
        except (UnitVanished, duckdb.IOException):
            continue  # the stream or a compaction replaced files after they were listed
    return _prove(settings, broker, known, full)


def _prove(settings: Settings, broker: Broker, known: Identity | None, full: bool) -> Proof:
    # The committed offsets are read before the files are listed: what is committed in between is not checked.
    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    files = [file for kind in layout.kinds(settings) for file in layout.all_files(settings, kind)]
    damaged = _damaged(files) if full else set()
    first = dict(known.start_offsets) if known else topics.start_offsets(broker, settings.topic)
    # Before the end of the topic, or what a running producer is told of in between would lie beyond it.
    sent = audit.read_audit(settings)
    acknowledged = dict(sent.last_acknowledged) if sent else {}
    end = topics.end_offsets(broker, settings.topic)
    held_back = identity.held_back(broker, settings.topic, end)
    begins = topics.start_offsets(broker, settings.topic)  # of what the broker still has
    # Read after that: what was committed while the files were counted may be deleted, and is not lost.
    since = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    reached = {p: committed.get(p, first.get(p, 0)) for p in end}
    # What a killed micro-batch left above the committed offset will be written again.
    counted = counting.count([_unit(file) for file in files if file not in damaged], until={**committed, **reached})
    found = offset_check.find(counted, first, reached)
    stored, quarantined = (counted.rows(kind, committed) for kind in layout.kinds(settings))
    duplicated = {
        p: found.duplicated.get(p, []) + found.foreign.get(p, []) for p in {*found.duplicated, *found.foreign}
    }
    holding = _files_holding(counted, duplicated)
    cut = {unit.name for unit in counted.unreadable}
    lake = lake_files.root(settings)
    unreadable = [file for file in files if file in damaged or str(file.path) in cut]
    readable = [file for file in files if file not in unreadable]
    accepted = expired.accepted(settings)
    partitions = []
    for p in sorted(end):
        missing = ranges.array(found.missing.get(p, []))
        noted = ranges.array([(one.first, one.last) for one in accepted if one.partition == p])
        unknown = ranges.apart(missing, noted)
        lost, gaps = told_apart(broker, settings.topic, p, ranges.listed(ranges.clipped(unknown, low=begins[p])))
        if p in acknowledged and acknowledged[p] >= end[p]:
            lost.append((end[p], acknowledged[p]))  # acknowledged, and not in the topic
        begin = committed.get(p, first.get(p, 0))
        if begins[p] > (stored_since := since.get(p, begin)):
            lost.append((stored_since, begins[p] - 1))  # deleted by the broker before it was stored
        partitions.append(
            PartitionProof(
                partition=p,
                first=first.get(p, 0),
                frontier=begin,
                end=end[p],
                last_acknowledged=acknowledged.get(p),
                stored=stored.get(p, 0),
                quarantined=quarantined.get(p, 0),
                pending=max(0, end[p] - max(begin, begins[p])),
                lost=lost,
                twice=duplicated.get(p, []),
                gaps=gaps,
                expired=ranges.listed(ranges.shared(missing, noted)),
                unverifiable=ranges.listed(ranges.clipped(unknown, high=begins[p])),
                held_back=held_back.get(p, 0),
            )
        )
    return Proof(
        topic=settings.topic,
        product=settings.product,
        acknowledged=sent.acknowledged if sent else 0,
        stored=sum(stored.values()),
        quarantined=sum(quarantined.values()),
        lost=sum(ranges.size(p.lost) for p in partitions),
        twice=sum(ranges.size(mine) for mine in duplicated.values()),
        pending=sum(p.pending for p in partitions),
        gaps=sum(ranges.size(p.gaps) for p in partitions),
        duplicate_tickets=_duplicates(settings, readable, sum(stored.values()), full),
        replayed=len(replay_log.now(settings, broker).places),
        looked="full" if full else "ranges",
        partitions=partitions,
        unreadable=[_name(lake, file) for file in unreadable],
        files_with_twice=sorted(_name(lake, file) for file in files if str(file.path) in holding),
        held_back=sum(p.held_back for p in partitions),
        expired=sum(ranges.size(p.expired) for p in partitions),
        unverifiable=sum(ranges.size(p.unverifiable) for p in partitions),
    )


def _name(lake: LakePath, file: DataFile) -> str:
    return str(file.path.relative_to(lake))  # type: ignore[arg-type]  # both are of one kind


def _unit(file: DataFile) -> Unit:
    return parquet.file_unit(file.path, PRESETS["indutech"], kind=file.kind)


def _damaged(files: Sequence[DataFile]) -> set[DataFile]:
    """Files of which some column cannot be decoded; the count itself reads two of them."""
    found: set[DataFile] = set()
    for file in files:
        try:
            with lake_files.parquet(file.path, check_pages=True) as whole:
                for group in range(whole.num_row_groups):
                    whole.read_row_group(group, use_threads=True)
        except FileNotFoundError as error:
            raise UnitVanished(str(file.path)) from error
        except (pa.ArrowException, OSError) as error:
            if (fault := lake_files.fault(file.path, error)) is not error:
                raise fault from error  # the bucket, not the file
            found.add(file)
    return found


def _files_holding(counted: Counted, found: dict[int, list[Range]]) -> list[str]:
    """The first files that hold one of these offsets."""
    asked = {p: mine[:_FILES_NAMED] for p, mine in found.items()}
    names = {unit.name for units in counting.holders(counted, asked).values() for unit in units}
    return sorted(names)[:_FILES_NAMED]


def _duplicates(settings: Settings, files: Sequence[DataFile], stored: int, full: bool) -> int | None:
    if stored > _MOST_TICKETS_COMPARED and not full:
        return None
    product = products.of(settings)
    rows = [file.path for file in files if file.kind == product.name]
    if not rows:
        return 0
    with lake_files.duckdb_for(rows) as connection:
        count = f"SELECT {product.duplicates} FROM read_parquet(?, hive_partitioning = false)"
        return int(connection.execute(count, [[str(path) for path in rows]]).fetchall()[0][0])
