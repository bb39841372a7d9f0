"""Compaction: rewrites the many small files of a closed day as few; readers through `lake` see no row duplicated.

A journal lists which files replace which before any is moved, so that a killed compaction is finished later.
Micro-batches that Spark may still run again are not touched, and no file name is ever reused.
"""

import json
import shutil
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
from indutech.lake.layout import KINDS, DataFile, Kind
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.state_files import write_json
from indutech.tickets.schema import LAKE, REPETITIVE_COLUMNS

TARGET_FILE_BYTES = 128 * 1024**2
CHECKED_EVERY_BATCHES = 100
DUE_AT_BATCHES = 50
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
    for day, files in _days(settings, open_day_too):
        if stop():
            break
        if not _worth_it(files):
            continue
        done.append(_compact_day(settings, day, files))
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
    due = any(len({file.batch for file in files}) >= DUE_AT_BATCHES for _, files in days)
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
    for staging in settings.lake_dir.glob(".compaction-*"):
        shutil.rmtree(staging)
        return True
    return False


def _days(settings: Settings, open_day_too: bool) -> list[tuple[date, list[DataFile]]]:
    """The files that may be touched, by day: committed, and not of the newest batch, which a start may run again."""
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    if newest is None:
        return []
    files = [file for kind in KINDS for file in layout.committed_files(settings, kind)]
    last_day = max((file.ingest_date for file in files), default=date.min)
    by_day: dict[date, list[DataFile]] = defaultdict(list)
    for file in files:
        if file.batch < newest and (open_day_too or file.ingest_date < last_day):
            by_day[file.ingest_date].append(file)
    return sorted(by_day.items())


def _worth_it(files: Sequence[DataFile]) -> bool:
    needed = sum(
        -(-sum(file.path.stat().st_size for file in files if file.kind == kind) // TARGET_FILE_BYTES) for kind in KINDS
    )
    return len(files) > 2 * needed


def _compact_day(settings: Settings, day: date, files: Sequence[DataFile]) -> Compaction:
    run = uuid.uuid4().hex
    staging = settings.lake_dir / f".compaction-{run}"
    # The name of the newest batch merged: an integer, or the column `batch` would change its type for readers.
    batch = max(file.batch for file in files)
    new: dict[str, str] = {}
    for kind in KINDS:
        ours = [file for file in files if file.kind == kind]
        if not ours:
            continue
        folder = f"{kind}/ingest_date={day.isoformat()}/batch={batch}"
        (staging / folder).mkdir(parents=True)
        parts = list(_rewritten(ours, staging / folder, run))
        _check(kind, ours, parts)
        new |= {f"{staging.name}/{folder}/{part.name}": f"{folder}/{part.name}" for part in parts}
    sizes = [(settings.lake_dir / path).stat().st_size for path in new]
    before = sum(file.path.stat().st_size for file in files)
    plan = {"through": batch, "new": new, "old": [str(file.path.relative_to(settings.lake_dir)) for file in files]}
    write_json(layout.journal_file(settings), plan)
    _carry_out(settings, plan)
    shutil.rmtree(staging)
    return Compaction(day, len(files), len(new), before, sum(sizes))


def _carry_out(settings: Settings, plan: dict[str, object]) -> None:
    """Move the new files in, take the old ones out, note it; each step may be done a second time."""
    lake = settings.lake_dir
    for staged, final in plan["new"].items():  # type: ignore[attr-defined]
        (lake / final).parent.mkdir(parents=True, exist_ok=True)
        if (lake / staged).exists():
            (lake / staged).replace(lake / final)
    folders = set()
    for old in plan["old"]:  # type: ignore[attr-defined]
        path = lake / old
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    through = max(int(plan["through"]), _compacted_through(settings))  # type: ignore[call-overload]
    write_json(layout.compacted_file(settings), {"through": through})
    layout.journal_file(settings).unlink(missing_ok=True)


def _rewritten(files: Sequence[DataFile], folder: Path, run: str) -> Iterator[Path]:
    """Write the rows of `files` into few files of about the target size, in the order of the batches."""
    schema = _schema(files)
    source = iter(files)
    waiting: list[pa.Table] = []
    part = 0
    pending = next(source, None)
    while pending is not None:
        path = folder / f"compacted-{run}-{part:04d}.parquet"
        with pq.ParquetWriter(
            path, schema, compression="zstd", use_dictionary=REPETITIVE_COLUMNS, write_page_checksum=True
        ) as writer:
            while pending is not None and path.stat().st_size < TARGET_FILE_BYTES:
                waiting.append(_conformed(pq.ParquetFile(pending.path).read(), schema))
                pending = next(source, None)
                if pending is None or sum(table.num_rows for table in waiting) >= _ROW_GROUP_ROWS:
                    writer.write_table(pa.concat_tables(waiting), row_group_size=_ROW_GROUP_ROWS)
                    waiting.clear()
        part += 1
        yield path


def _schema(files: Sequence[DataFile]) -> pa.Schema:
    """The lake's columns of today, and after them what any of the files has besides."""
    known = LAKE[files[0].kind]
    found = pa.unify_schemas([pq.read_schema(file.path).remove_metadata() for file in files])
    return pa.schema([*known, *(field for field in found if field.name not in known.names)])


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly these columns; null where its file was written before there was one."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _check(kind: Kind, old: Sequence[DataFile], new: Sequence[Path]) -> None:
    if not _offsets([file.path for file in old]).equals(_offsets(new)):
        raise CompactionLost(
            f"The rewritten {kind} of {old[0].ingest_date} do not hold the offsets of the files they would replace; "
            f"the old files stay and the new ones lie in {new[0].parent.parent}."
        )


def _offsets(paths: Sequence[Path]) -> pa.Table:
    columns = ["kafka_partition", "kafka_offset"]
    table = pa.concat_tables([pq.ParquetFile(path).read(columns=columns) for path in paths])
    return table.sort_by([(name, "ascending") for name in columns]).combine_chunks()


def _compacted_through(settings: Settings) -> int:
    path = layout.compacted_file(settings)
    return int(json.loads(path.read_text())["through"]) if path.exists() else -1
