"""Was anything lost or stored twice? The audit of our own lake: every file is read each time, nothing is remembered.

Exit codes of the command: 0 nothing lost, twice or pending; 1 lost or twice; 2 only pending.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity, LakeIdentityMismatch
from indutech.lake.layout import KINDS, DataFile
from indutech.producer import audit
from indutech.proof import counting, offset_check, ranges
from indutech.proof.counting import Counted
from indutech.proof.ranges import Range
from indutech.proof.sources import parquet
from indutech.proof.sources.columns import PRESETS
from indutech.proof.sources.unit import Unit, UnitVanished
from indutech.proof.topic_side import told_apart
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

_TRIES = 5
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
        except (UnitVanished, duckdb.IOException):
            continue  # the stream or a compaction replaced files after they were listed
    return _prove(settings, broker, known, full)


def _prove(settings: Settings, broker: Broker, known: Identity | None, full: bool) -> Proof:
    # The committed offsets are read before the files are listed: what is committed in between is not checked.
    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    files = [file for kind in KINDS for file in layout.all_files(settings, kind)]
    damaged = _damaged(files) if full else set()
    first = dict(known.start_offsets) if known else topics.start_offsets(broker, settings.topic)
    end = topics.end_offsets(broker, settings.topic)
    sent = audit.read_audit(settings)
    acknowledged = dict(sent.last_acknowledged) if sent else {}
    reached = {p: committed.get(p, first.get(p, 0)) for p in end}
    # What a killed micro-batch left above the committed offset will be written again.
    counted = counting.count([_unit(file) for file in files if file not in damaged], until={**committed, **reached})
    found = offset_check.find(counted, first, reached)
    stored, quarantined = (counted.rows(kind, committed) for kind in KINDS)
    twice = {p: found.twice.get(p, []) + found.foreign.get(p, []) for p in {*found.twice, *found.foreign}}
    named = _files_holding(counted, twice)
    cut = {unit.name for unit in counted.unreadable}
    unreadable = [file for file in files if file in damaged or str(file.path) in cut]
    readable = [file for file in files if file not in unreadable]
    partitions = []
    for p in sorted(end):
        lost, gaps = told_apart(broker, settings.topic, p, found.missing.get(p, []))
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
        lost=sum(ranges.size(p.lost) for p in partitions),
        twice=sum(ranges.size(mine) for mine in twice.values()),
        pending=sum(p.pending for p in partitions),
        gaps=sum(ranges.size(p.gaps) for p in partitions),
        duplicate_tickets=_duplicate_tickets(readable, sum(stored.values()), full),
        looked="full" if full else "ranges",
        partitions=partitions,
        unreadable=[str(file.path.relative_to(settings.lake_dir)) for file in unreadable],
        files_with_twice=[str(Path(name).relative_to(settings.lake_dir)) for name in named],
    )


def _unit(file: DataFile) -> Unit:
    return parquet.file_unit(file.path, PRESETS["indutech"], kind=file.kind)


def _damaged(files: Sequence[DataFile]) -> set[DataFile]:
    """Files of which some column cannot be decoded; the count itself reads two of them."""
    found: set[DataFile] = set()
    for file in files:
        try:
            with pq.ParquetFile(file.path, page_checksum_verification=True) as whole:
                for group in range(whole.num_row_groups):
                    whole.read_row_group(group, use_threads=True)
        except FileNotFoundError as error:
            raise UnitVanished(str(file.path)) from error
        except (pa.ArrowException, OSError):
            found.add(file)
    return found


def _files_holding(counted: Counted, found: dict[int, list[Range]]) -> list[str]:
    """The first files that hold one of these offsets."""
    asked = {p: mine[:_FILES_NAMED] for p, mine in found.items()}
    names = {unit.name for units in counting.holders(counted, asked).values() for unit in units}
    return sorted(names)[:_FILES_NAMED]


def _duplicate_tickets(files: Sequence[DataFile], stored: int, full: bool) -> int | None:
    if stored > _MOST_TICKETS_COMPARED and not full:
        return None
    paths = [str(file.path) for file in files if file.kind == "tickets"]
    if not paths:
        return 0
    with duckdb.connect() as connection:
        count = "SELECT count(*) - count(DISTINCT ticket_id) FROM read_parquet(?, hive_partitioning = false)"
        return int(connection.execute(count, [paths]).fetchall()[0][0])
