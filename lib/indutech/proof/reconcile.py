"""Was anything lost or stored twice? Every file is read each time; nobody's word is taken.

Exit codes of the command: 0 nothing lost, twice or pending; 1 lost or twice; 2 only pending.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity, LakeIdentityMismatch
from indutech.lake.layout import KINDS, DataFile
from indutech.producer import audit
from indutech.proof import offset_check
from indutech.proof.offset_check import Range
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

_TRIES = 5
_MOST_OFFSETS_ASKED = 1_000_000
_MOST_TICKETS_COMPARED = 20_000_000
_FILES_NAMED = 20


class NothingToProve(InduTechError):
    """There is no lake and no topic yet."""


@dataclass(frozen=True)
class PartitionProof:
    """One partition, in offsets; ranges name their first and last offset, both included."""

    partition: int
    first: int
    frontier: int  # the committed offset; readers of the JSON know it by this name
    end: int
    last_acknowledged: int | None
    stored: int
    quarantined: int
    pending: int
    lost: list[Range] = field(default_factory=list)
    twice: list[Range] = field(default_factory=list)
    gaps: list[Range] = field(default_factory=list)


@dataclass(frozen=True)
class Proof:
    """What was found; the counts are sums over the partitions.

    `duplicate_tickets` counts rows whose `ticket_id` stands in the lake already (the producer sent again); it is None
    when the lake is too large to compare ids and `full` was not asked for. `looked` is `ranges` when the two offset
    columns of every file were read, `full` when every column was decoded and its page checksums verified as well.
    """

    topic: str
    acknowledged: int
    stored: int
    quarantined: int
    lost: int
    twice: int
    pending: int
    gaps: int
    duplicate_tickets: int | None
    looked: Literal["ranges", "full"]
    partitions: list[PartitionProof]
    unreadable: list[str]
    files_with_twice: list[str]

    @property
    def exit_code(self) -> int:
        """0: all there, once. 1: something lost, twice or unreadable. 2: only something pending."""
        if self.lost or self.twice or self.unreadable:
            return 1
        return 2 if self.pending else 0

    @property
    def sentence(self) -> str:
        """The proof in one line."""
        acknowledged = f"{self.acknowledged:,} acknowledged, " if self.acknowledged else ""
        aside = f", {self.quarantined:,} set aside" if self.quarantined else ""
        pending = f", {self.pending:,} pending" if self.pending else ""
        return f"{acknowledged}{self.stored:,} stored{aside}, {self.lost:,} lost, {self.twice:,} twice{pending}"

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON prints it."""
        return asdict(self)


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
        twice = {p: found.twice.get(p, []) + found.foreign.get(p, []) for p in {*found.twice, *found.foreign}}
        named = _files_holding(lake, twice)
    partitions = []
    for p in sorted(end):
        lost, gaps = _split_gaps(broker, settings.topic, p, found.missing.get(p, []))
        if p in acknowledged and acknowledged[p] >= end[p]:
            lost.append((end[p], acknowledged[p]))  # the broker said it had them
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
                twice=twice.get(p, []),
                gaps=gaps,
            )
        )
    return Proof(
        topic=settings.topic,
        acknowledged=sent.acknowledged if sent else 0,
        stored=sum(stored.values()),
        quarantined=sum(quarantined.values()),
        lost=sum(offset_check.size(p.lost) for p in partitions),
        twice=sum(offset_check.size(ranges) for ranges in twice.values()),
        pending=sum(p.pending for p in partitions),
        gaps=sum(offset_check.size(p.gaps) for p in partitions),
        duplicate_tickets=_duplicate_tickets(readable, sum(stored.values()), full),
        looked="full" if full else "ranges",
        partitions=partitions,
        unreadable=[str(file.path.relative_to(settings.lake_dir)) for file in unreadable],
        files_with_twice=[str(Path(name).relative_to(settings.lake_dir)) for name in named],
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
    """Rows per partition below the committed offset: what a killed micro-batch left above it will be written again."""
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

    Beyond a million missing offsets nobody is asked any more: they count as lost.
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
