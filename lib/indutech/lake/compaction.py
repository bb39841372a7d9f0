"""Compaction: rewrites the many small files of a closed day as few; readers through `lake` see no row duplicated.

A journal lists which files replace which before any is moved, so that a killed compaction is finished later.
Micro-batches that Spark may still run again are not touched, and no file name is ever reused.
"""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indutech.lake import layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.layout import DataFile, Kind
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.lake.store.s3_path import S3Path
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets import schema as schemas
from indutech.tickets.schema import Columns

TARGET_FILE_BYTES = 128 * 1024**2
CHECKED_EVERY_BATCHES = 100
DUE_AT_BATCHES = 50
_STAGED = ".compaction"
_ROW_GROUP_ROWS = 500_000


class BatchCompacted(InduTechError):
    """Spark wants to run a micro-batch again whose rows were merged into other files."""


class CompactionLost(InduTechError):
    """The rewritten rows are not the rows that were read; nothing was replaced."""


@dataclass(frozen=True)
class Compaction:
    """What one day's compaction did."""

    ingest_date: date
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def compact(
    settings: Settings,
    *,
    open_day_too: bool = False,
    on_day: Callable[[Compaction], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Compaction]:
    """Rewrite the days that have more files than they need; the caller holds the lake (`stream.sole_writer`).

    A day is closed when a later one has rows. With `open_day_too` the newest day is rewritten as well, up to the last
    micro-batch but one. It ends early, between two days, once `stop` returns True.

    Raises:
        CompactionLost: what was written does not read back as what was there; the old files stay.
    """
    finish_interrupted(settings)
    done = []
    for day, old in _days(settings, open_day_too):
        if stop():
            break
        if not _worth_it(settings, old):
            continue
        done.append(_compact_day(settings, day, old))
        if on_day:
            on_day(done[-1])
    return done


def between_batches(settings: Settings, batch: int) -> list[Compaction]:
    """Called by the stream before it writes a micro-batch: compacts closed days that lie in many batches, if due.

    Looks once in a hundred micro-batches, because looking lists the whole lake.
    """
    if batch % CHECKED_EVERY_BATCHES:
        return []
    days = _days(settings, open_day_too=False)
    due = any(len({file.batch for file in old}) >= DUE_AT_BATCHES for _, old in days)
    return compact(settings) if due else []


def refuse_compacted(settings: Settings, batch: int) -> None:
    """Refuse to write a micro-batch whose rows were compacted: they would be duplicated.

    Raises:
        BatchCompacted: the batch was compacted.
    """
    if batch <= _compacted_through(settings):
        raise BatchCompacted(
            f"Spark would run micro-batch {batch} again, but its rows were compacted and would be duplicated. "
            f"A commit in {settings.checkpoint_dir / 'commits'} was deleted; restore it. The lake itself is complete."
        )


def finish_interrupted(settings: Settings) -> bool:
    """Finish a killed compaction from its journal; True if there was one."""
    journal = layout.journal_file(settings)
    if journal.exists():
        _carry_out(settings, json.loads(journal.read_text()))
    lake = files.root(settings)
    left = [lake / _STAGED] if isinstance(lake, S3Path) else list(lake.glob(f"{_STAGED}-*"))
    removed = [files.remove_tree(staging) for staging in left]
    return any(removed)


def _days(settings: Settings, open_day_too: bool) -> list[tuple[date, list[DataFile]]]:
    """The files that may be touched, by day: committed, and not of the newest batch, which a start may run again."""
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    if newest is None:
        return []
    committed = [file for kind in layout.kinds(settings) for file in layout.committed_files(settings, kind)]
    last_day = max((file.ingest_date for file in committed), default=date.min)
    by_day: dict[date, list[DataFile]] = defaultdict(list)
    for file in committed:
        if file.batch < newest and (open_day_too or file.ingest_date < last_day):
            by_day[file.ingest_date].append(file)
    return sorted(by_day.items())


def _worth_it(settings: Settings, old: Sequence[DataFile]) -> bool:
    needed = sum(
        -(-sum(file.path.stat().st_size for file in old if file.kind == kind) // TARGET_FILE_BYTES)
        for kind in layout.kinds(settings)
    )
    return len(old) > 2 * needed


def _compact_day(settings: Settings, day: date, old: Sequence[DataFile]) -> Compaction:
    run = uuid.uuid4().hex
    lake = files.root(settings)
    # Of a folder beside the files that it is about; of a bucket on this machine, until it is whole.
    staging = (settings.staging_dir if isinstance(lake, S3Path) else lake) / f"{_STAGED}-{run}"
    # The name of the newest batch merged: an integer, or the column `batch` would change its type for readers.
    batch = max(file.batch for file in old)
    new: dict[str, str] = {}
    size = 0
    columns = schemas.of(products.of(settings))
    for kind in layout.kinds(settings):
        ours = [file for file in old if file.kind == kind]
        if not ours:
            continue
        folder = f"{kind}/ingest_date={day.isoformat()}/batch={batch}"
        (staging / folder).mkdir(parents=True)
        parts = list(_rewritten(ours, columns, staging / folder, run))
        _check(kind, ours, parts)
        for part in parts:
            size += part.stat().st_size
            staged = f"{staging.name}/{folder}/{part.name}"
            if isinstance(lake, S3Path):
                staged = f"{_STAGED}/{folder}/{part.name}"
                files.take_in(part, lake / staged)
            new[staged] = f"{folder}/{part.name}"
    before = sum(file.path.stat().st_size for file in old)
    names = [str(file.path.relative_to(lake)) for file in old]  # type: ignore[arg-type]  # both are of one kind
    plan = {"through": batch, "new": new, "old": names}
    files.write_json(layout.journal_file(settings), plan)
    _carry_out(settings, plan)
    files.remove_tree(staging)
    return Compaction(day, len(old), len(new), before, size)


def _carry_out(settings: Settings, plan: dict[str, object]) -> None:
    """Move the new files in, take the old ones out, note it; each step may be done a second time."""
    lake = files.root(settings)
    for staged, final in plan["new"].items():  # type: ignore[attr-defined]
        files.make_folder((lake / final).parent)
        if (lake / staged).exists():
            files.move(lake / staged, lake / final)
    folders = set()
    for old in plan["old"]:  # type: ignore[attr-defined]
        path = lake / old
        path.unlink(missing_ok=True)
        if isinstance(path, Path):
            path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        files.remove_if_empty(folder)
    through = max(int(plan["through"]), _compacted_through(settings))  # type: ignore[call-overload]
    files.write_json(layout.compacted_file(settings), {"through": through})
    layout.journal_file(settings).unlink(missing_ok=True)


def _rewritten(old: Sequence[DataFile], columns: Columns, folder: Path, run: str) -> Iterator[Path]:
    """Write the rows of `old` into few files of about the target size, in the order of the batches."""
    schema = _schema(old, columns.lake[old[0].kind])
    source = iter(old)
    waiting: list[pa.Table] = []
    part = 0
    pending = next(source, None)
    while pending is not None:
        path = folder / f"compacted-{run}-{part:04d}.parquet"
        with pq.ParquetWriter(
            path, schema, compression="zstd", use_dictionary=columns.repetitive, write_page_checksum=True
        ) as writer:
            while pending is not None and path.stat().st_size < TARGET_FILE_BYTES:
                waiting.append(_conformed(_read(pending.path), schema))
                pending = next(source, None)
                if pending is None or sum(table.num_rows for table in waiting) >= _ROW_GROUP_ROWS:
                    writer.write_table(pa.concat_tables(waiting), row_group_size=_ROW_GROUP_ROWS)
                    waiting.clear()
        part += 1
        yield path


def _read(path: LakePath, columns: list[str] | None = None) -> pa.Table:
    try:
        with files.parquet(path) as file:
            return file.read(columns=columns)
    except OSError as error:
        raise files.fault(path, error) from error


def _schema(old: Sequence[DataFile], known: pa.Schema) -> pa.Schema:
    """The lake's columns of today, and after them what any of the files has besides."""
    found = pa.unify_schemas([files.schema(file.path).remove_metadata() for file in old])
    return pa.schema([*known, *(field for field in found if field.name not in known.names)])


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly these columns; null where its file was written before there was one."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _check(kind: Kind, old: Sequence[DataFile], new: Sequence[Path]) -> None:
    if _offsets([file.path for file in old]) != _offsets(new):
        raise CompactionLost(
            f"The rewritten {kind} of {old[0].ingest_date} do not hold the offsets of the files they would replace; "
            f"the old files stay and the new ones lie in {new[0].parent.parent}."
        )


def _offsets(paths: Sequence[LakePath]) -> list[bytes]:
    """A digest of all partitions, and one of all offsets, in the order of the rows, which a rewriting keeps.

    File by file: a day may have more offsets than fit in memory.
    """
    columns = {name: hashlib.blake2b() for name in ("kafka_partition", "kafka_offset")}
    for path in paths:
        table = _read(path, list(columns))
        for name, digest in columns.items():
            digest.update(table[name].cast(pa.int64()).to_numpy())
    return [digest.digest() for digest in columns.values()]


def _compacted_through(settings: Settings) -> int:
    path = layout.compacted_file(settings)
    return int(json.loads(path.read_text())["through"]) if path.exists() else -1
