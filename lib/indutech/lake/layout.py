"""The lake's files: `<kind>/ingest_date=YYYY-MM-DD/batch=N/*.parquet`, and which of them are committed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from indutech.lake.checkpoint import Checkpoint
from indutech.lake.store import files as lake_files
from indutech.lake.store.files import LakePath
from indutech.system.settings import Settings
from indutech.tickets.schema import LAKE, QUARANTINE, RowKind

Kind = RowKind
KINDS: tuple[Kind, ...] = tuple(LAKE)  # of a lake of tickets
_TEMPORARY = (".spark-staging-*", "_temporary", "*/*/_temporary")


@dataclass(frozen=True, order=True)
class DataFile:
    """One Parquet file of the lake."""

    kind: Kind
    ingest_date: date
    batch: int
    path: LakePath


def kinds(settings: Settings) -> tuple[Kind, Kind]:
    """The kinds of rows of this lake: the right ones, and those that were refused."""
    return settings.product, QUARANTINE


def root(settings: Settings, kind: Kind) -> LakePath:
    """The folder of one kind of rows."""
    return lake_files.root(settings) / kind


def journal_file(settings: Settings) -> LakePath:
    """Where a compaction writes down what it replaces by what, before it does."""
    return lake_files.root(settings) / "compaction.json"


def compacted_file(settings: Settings) -> LakePath:
    """Where compactions note the newest micro-batch that they merged; rewritten by each of them."""
    return lake_files.root(settings) / "compacted.json"


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
    """Return the temporary folders of writers: DuckDB's `**` would read them and stop at a truncated file.

    Those of a lake in a bucket are on this machine: in the bucket nothing is seen before it is whole.
    """
    staging = settings.staging_dir
    left = [staging] if staging.exists() else []
    for kind in kinds(settings):
        if isinstance(folder := root(settings, kind), Path):
            left += [path for pattern in _TEMPORARY for path in folder.glob(pattern)]
    return left


def remove_temporary_files(settings: Settings) -> list[Path]:
    """Delete the temporary folders of a killed writer; the caller holds the lake."""
    left = temporary_files(settings)
    for path in left:
        lake_files.remove_tree(path)
    return left


def uncommitted_files(settings: Settings) -> list[DataFile]:
    """Every file of a micro-batch that is not committed: what a killed one left, while nothing writes."""
    committed = Checkpoint(settings.checkpoint_dir).last_committed()
    files = [file for kind in kinds(settings) for file in all_files(settings, kind)]
    return [file for file in files if committed is None or file.batch > committed]


def remove_stale(
    settings: Settings, kind: Kind, batch: int, written: Iterable[date], before: Iterable[DataFile] = ()
) -> list[LakePath]:
    """Delete folders of this batch that an earlier try wrote and this one did not, because overwriting spares them.

    Args:
        settings: of the lake.
        kind: of rows.
        batch: the micro-batch that was written.
        written: its days.
        before: what was not committed when this process began to write; to list a whole bucket again would cost much.
    """
    kept = {f"ingest_date={day.isoformat()}" for day in written}
    place = root(settings, kind)
    if isinstance(place, Path):
        folders: set[LakePath] = set(place.glob(f"ingest_date=*/batch={batch}"))
    else:
        folders = {file.path.parent for file in before if (file.kind, file.batch) == (kind, batch)}
    stale = [folder for folder in folders if folder.parent.name not in kept]
    for folder in stale:
        lake_files.remove_tree(folder)
    return stale


def _compactions(settings: Settings) -> tuple[int | str | None, int | str | None]:
    """Changes whenever a compaction begins to replace files or has done so."""
    return lake_files.version(journal_file(settings)), lake_files.version(compacted_file(settings))


def _files_now(settings: Settings, kind: Kind) -> list[DataFile]:
    found: dict[LakePath, DataFile] = {
        path: _data_file(kind, path, path) for path in root(settings, kind).glob("ingest_date=*/batch=*/*.parquet")
    }
    lake = lake_files.root(settings)
    try:
        plan = json.loads(journal_file(settings).read_text())
    except FileNotFoundError:
        return sorted(found.values())
    for old in plan["old"]:
        found.pop(lake / old, None)
    for staged, final in plan["new"].items():
        if final.startswith(f"{kind}/"):
            place = lake / final
            there = place if place.exists() else lake / staged
            found[place] = _data_file(kind, place, there)
    return sorted(found.values())


def _data_file(kind: Kind, named: LakePath, there: LakePath) -> DataFile:
    day = named.parent.parent.name.removeprefix("ingest_date=")
    return DataFile(kind, date.fromisoformat(day), int(named.parent.name.removeprefix("batch=")), there)
