"""The lake's files: `<kind>/ingest_date=YYYY-MM-DD/batch=N/*.parquet`, and which of them are committed."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from indutech.lake.checkpoint import Checkpoint
from indutech.system.settings import Settings
from indutech.tickets.schema import LAKE, RowKind

Kind = RowKind
KINDS: tuple[Kind, ...] = tuple(LAKE)


@dataclass(frozen=True, order=True)
class DataFile:
    """One Parquet file of the lake."""

    kind: Kind
    ingest_date: date
    batch: int
    path: Path


def root(settings: Settings, kind: Kind) -> Path:
    """The folder of one kind of rows."""
    return settings.tickets_dir if kind == "tickets" else settings.quarantine_dir


def journal_file(settings: Settings) -> Path:
    """Where a compaction writes down what it replaces by what, before it does."""
    return settings.lake_dir / "compaction.json"


def compacted_file(settings: Settings) -> Path:
    """Where compactions note the newest micro-batch that they merged; rewritten by each of them."""
    return settings.lake_dir / "compacted.json"


def all_files(settings: Settings, kind: Kind) -> list[DataFile]:
    """Every file of a kind, committed or not, oldest batch first; a compaction under way counts once."""
    while True:
        before = _compactions(settings)
        files = _files_now(settings, kind)
        # A compaction that came or went while the folders were listed may have hidden rows from the list.
        if _compactions(settings) == before:
            return files


def committed_files(settings: Settings, kind: Kind) -> list[DataFile]:
    """The files of committed micro-batches; those of a running or killed micro-batch are not among them."""
    committed = Checkpoint(settings.checkpoint_dir).last_committed()
    if committed is None:
        return []
    return [file for file in all_files(settings, kind) if file.batch <= committed]


def temporary_files(settings: Settings) -> list[Path]:
    """Return the temporary folders of writers: DuckDB's `**` would read them and stop at a truncated file."""
    return [
        path
        for kind in KINDS
        for pattern in (".spark-staging-*", "_temporary", "*/*/_temporary")
        for path in root(settings, kind).glob(pattern)
    ]


def remove_temporary_files(settings: Settings) -> list[Path]:
    """Delete the temporary folders of a killed writer; the caller holds the lake."""
    left = temporary_files(settings)
    for path in left:
        shutil.rmtree(path)
    return left


def remove_stale(settings: Settings, kind: Kind, batch: int, written: Iterable[date]) -> list[Path]:
    """Delete folders of this batch that an earlier try wrote and this one did not, because overwriting spares them."""
    kept = {f"ingest_date={day.isoformat()}" for day in written}
    stale = [path for path in root(settings, kind).glob(f"ingest_date=*/batch={batch}") if path.parent.name not in kept]
    for path in stale:
        shutil.rmtree(path)
    return stale


def _compactions(settings: Settings) -> tuple[int, int]:
    """Changes whenever a compaction begins to replace files or has done so."""
    return _changed(journal_file(settings)), _changed(compacted_file(settings))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _files_now(settings: Settings, kind: Kind) -> list[DataFile]:
    found = {
        path: _data_file(kind, path, path) for path in root(settings, kind).glob("ingest_date=*/batch=*/*.parquet")
    }
    try:
        plan = json.loads(journal_file(settings).read_text())
    except FileNotFoundError:
        return sorted(found.values())
    for old in plan["old"]:
        found.pop(settings.lake_dir / old, None)
    for staged, final in plan["new"].items():
        if final.startswith(f"{kind}/"):
            place = settings.lake_dir / final
            there = place if place.exists() else settings.lake_dir / staged
            found[place] = _data_file(kind, place, there)
    return sorted(found.values())


def _data_file(kind: Kind, named: Path, there: Path) -> DataFile:
    day = named.parent.parent.name.removeprefix("ingest_date=")
    return DataFile(kind, date.fromisoformat(day), int(named.parent.name.removeprefix("batch=")), there)
