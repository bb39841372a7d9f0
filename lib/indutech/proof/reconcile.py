"""Reconciles topic and lake: reads the offsets of every stored row and compares them with what the topic holds.

Nothing is remembered between runs, and no count that producer or stream wrote down is trusted.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import identity, layout, replay_log
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity, LakeIdentityMismatch
from indutech.lake.layout import KINDS, DataFile
from indutech.producer import audit
from indutech.proof import offset_check
from indutech.proof.offset_check import Range
from indutech.proof.result import PartitionProof, Proof
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

_TRIES = 5
_MOST_OFFSETS_ASKED = 1_000_000
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
            f"Topic {settings.topic} does not exist at {broker.bootstrap_servers}. Send some tickets first."
        )
    if known and (known.topic, known.topic_id) != (topic.name, topic.topic_id):
        raise LakeIdentityMismatch(
            f"The lake in {settings.lake_dir} was written from topic {known.topic} ({known.topic_id}), not from "
            f"{topic.name} ({topic.topic_id}). Set KAFKA_TOPIC or INDUTECH_DATA_DIR to a pair that belongs together."
        )
    for _ in range(_TRIES - 1):
        try:
            return _prove(settings, broker, known, full)
        except (_FileVanished, duckdb.IOException):
            continue  # the stream or a compaction replaced files after they were listed
    return _prove(settings, broker, known, full)


class _FileVanished(Exception):
    pass


def _prove(settings: Settings, broker: Broker, known: Identity | None, full: bool) -> Proof:
    # The committed offsets are read before the files are listed: what is committed in between is not checked.
    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    files = [file for kind in KINDS for file in layout.all_files(settings, kind)]
    readable, unreadable = _readable(files, full)
    first = dict(known.start_offsets) if known else topics.start_offsets(broker, settings.topic)
    end = topics.end_offsets(broker, settings.topic)
    sent = audit.read_audit(settings)
    acknowledged = dict(sent.last_acknowledged) if sent else {}
    with _offsets_view(readable) as lake:
        found = offset_check.find(lake, first, {p: committed.get(p, first.get(p, 0)) for p in end})
        stored, quarantined = (_rows(lake, kind, committed) for kind in KINDS)
        duplicated = {
            p: found.duplicated.get(p, []) + found.foreign.get(p, []) for p in {*found.duplicated, *found.foreign}
        }
        holding = _files_holding(lake, duplicated)
    partitions = []
    for p in sorted(end):
        lost, gaps = _split_gaps(broker, settings.topic, p, found.missing.get(p, []))
        if p in acknowledged and acknowledged[p] >= end[p]:
            lost.append((end[p], acknowledged[p]))  # acknowledged, and not in the topic
        begin = committed.get(p, first.get(p, 0))
        partitions.append(
            PartitionProof(
                partition=p,
                first=first.get(p, 0),
                frontier=begin,
                end=end[p],
                last_acknowledged=acknowledged.get(p),
                stored=stored.get(p, 0),
                quarantined=quarantined.get(p, 0),
                pending=max(0, end[p] - begin),
                lost=lost,
                twice=duplicated.get(p, []),
                gaps=gaps,
            )
        )
    return Proof(
        topic=settings.topic,
        acknowledged=sent.acknowledged if sent else 0,
        stored=sum(stored.values()),
        quarantined=sum(quarantined.values()),
        lost=sum(offset_check.size(p.lost) for p in partitions),
        twice=sum(offset_check.size(ranges) for ranges in duplicated.values()),
        pending=sum(p.pending for p in partitions),
        gaps=sum(offset_check.size(p.gaps) for p in partitions),
        duplicate_tickets=_duplicate_tickets(readable, sum(stored.values()), full),
        replayed=len(replay_log.now(settings, broker).places),
        looked="full" if full else "ranges",
        partitions=partitions,
        unreadable=[str(file.path.relative_to(settings.lake_dir)) for file in unreadable],
        files_with_twice=[str(Path(name).relative_to(settings.lake_dir)) for name in holding],
    )


def _readable(files: Sequence[DataFile], full: bool) -> tuple[list[DataFile], list[DataFile]]:
    """Files whose offsets can be read, and files that are cut or damaged; `full` decodes every column."""
    columns = None if full else ["kafka_partition", "kafka_offset"]
    good: list[DataFile] = []
    bad: list[DataFile] = []
    for file in files:
        try:
            with pq.ParquetFile(file.path, page_checksum_verification=True) as parquet:
                for group in range(parquet.num_row_groups):
                    parquet.read_row_group(group, columns=columns, use_threads=True)
        except FileNotFoundError as error:
            raise _FileVanished from error
        except (pa.ArrowException, OSError):
            bad.append(file)
        else:
            good.append(file)
    return good, bad


def _offsets_view(files: Iterable[DataFile]) -> duckdb.DuckDBPyConnection:
    """A connection with the view `offsets` (`kind`, `file`, `kafka_partition`, `kafka_offset`)."""
    connection = duckdb.connect()
    parts = ["SELECT '' AS kind, '' AS file, 0 AS kafka_partition, 0::BIGINT AS kafka_offset WHERE false"]
    by_kind = {kind: [str(file.path) for file in files if file.kind == kind] for kind in KINDS}
    for kind, paths in by_kind.items():
        if paths:
            listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
            parts.append(
                f"SELECT '{kind}', filename, kafka_partition, kafka_offset "
                f"FROM read_parquet([{listed}], filename = true, hive_partitioning = false)"
            )
    connection.execute(f"CREATE VIEW offsets AS {' UNION ALL '.join(parts)}")
    return connection


def _rows(lake: duckdb.DuckDBPyConnection, kind: str, committed: offset_check.Offsets) -> dict[int, int]:
    """Rows per partition below the committed offset; rows above it are of a micro-batch that will be written again."""
    below = " OR ".join(f"(kafka_partition = {p} AND kafka_offset < {end})" for p, end in committed.items()) or "false"
    counted = lake.execute(
        f"SELECT kafka_partition, count(*) FROM offsets WHERE kind = '{kind}' AND ({below}) GROUP BY ALL"
    )
    return dict(counted.fetchall())


def _files_holding(lake: duckdb.DuckDBPyConnection, ranges: dict[int, list[Range]]) -> list[str]:
    """The first files that hold one of these offsets."""
    wanted = " OR ".join(
        f"(kafka_partition = {p} AND kafka_offset BETWEEN {low} AND {high})"
        for p, mine in ranges.items()
        for low, high in mine[:_FILES_NAMED]
    )
    if not wanted:
        return []
    found = lake.execute(f"SELECT DISTINCT file FROM offsets WHERE {wanted} ORDER BY file LIMIT {_FILES_NAMED}")
    return [name for (name,) in found.fetchall()]


def _split_gaps(broker: Broker, topic: str, partition: int, missing: list[Range]) -> tuple[list[Range], list[Range]]:
    """Missing offsets that hold a record are lost; where the broker has none (a transaction marker), it is a gap.

    Beyond a million missing offsets the broker is not asked any more: they count as lost.
    """
    lost: list[Range] = []
    gaps: list[Range] = []
    asked = 0
    for low, high in missing:
        asked += high - low + 1
        if asked > _MOST_OFFSETS_ASKED:
            lost.append((low, high))
            continue
        there = topics.existing_offsets(broker, topic, partition, low, high)
        wanted = np.arange(low, high + 1)
        held = np.isin(wanted, np.fromiter(there, dtype=np.int64, count=len(there)))
        lost.extend(offset_check.as_ranges(wanted[held]))
        gaps.extend(offset_check.as_ranges(wanted[~held]))
    return lost, gaps


def _duplicate_tickets(files: Sequence[DataFile], stored: int, full: bool) -> int | None:
    if stored > _MOST_TICKETS_COMPARED and not full:
        return None
    paths = [str(file.path) for file in files if file.kind == "tickets"]
    if not paths:
        return 0
    with duckdb.connect() as connection:
        count = "SELECT count(*) - count(DISTINCT ticket_id) FROM read_parquet(?, hive_partitioning = false)"
        return int(connection.execute(count, [paths]).fetchall()[0][0])
