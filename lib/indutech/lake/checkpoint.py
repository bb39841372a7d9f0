"""Reads Spark's checkpoint: which offsets each micro-batch covers, and which micro-batches are committed.

The files are Spark's own write-ahead log: `offsets/N` is written before micro-batch N runs, `commits/N` after it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from indutech.system.errors import InduTechError

Offsets = dict[int, int]


class CheckpointDamaged(InduTechError):
    """A file of the checkpoint cannot be read."""


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint folder of a query; read only, but for checksums of files that are gone, which are removed."""

    folder: Path

    def exists(self) -> bool:
        """Whether a query ever planned a micro-batch here."""
        return self.last_planned() is not None

    def query_id(self) -> str | None:
        """The id that Spark gave to the query when it first used this folder."""
        path = self.folder / "metadata"
        if not path.exists():
            return None
        try:
            return str(json.loads(path.read_text())["id"])
        except (ValueError, KeyError) as error:
            raise self._damaged(path) from error

    def last_planned(self) -> int | None:
        """The newest micro-batch that was planned: its offsets are written."""
        return _newest(self.folder / "offsets")

    def last_committed(self) -> int | None:
        """The newest committed micro-batch."""
        return _newest(self.folder / "commits")

    def to_replay(self) -> int | None:
        """The micro-batch that a start would run again, if any."""
        planned, committed = self.last_planned(), self.last_committed()
        return None if planned is None or planned == committed else planned

    def end_offsets(self, batch: int, topic: str) -> Offsets:
        """Per partition the first offset that comes after this micro-batch.

        Raises:
            CheckpointDamaged: the file is empty or cut.
        """
        path = self.folder / "offsets" / str(batch)
        try:
            # v1: a version line, a line about the batch, then one line per source
            return {int(p): int(o) for p, o in json.loads(path.read_text().splitlines()[2])[topic].items()}
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise self._damaged(path) from error

    def committed_offsets(self, topic: str) -> Offsets:
        """Per partition the first offset that is not committed; empty when nothing is."""
        committed = self.last_committed()
        return {} if committed is None else self.end_offsets(committed, topic)

    def check(self, topic: str) -> None:
        """Read the files that a start of the stream reads.

        Raises:
            CheckpointDamaged: a file that Spark needs is empty or cut.
        """
        self.query_id()
        for batch in {self.last_planned(), self.last_committed()} - {None}:
            self.end_offsets(batch, topic)  # type: ignore[arg-type]

    def remove_orphaned_checksums(self) -> list[Path]:
        """Delete `.N.crc` where N is gone: Spark could write N again, but would stop at the checksum that is there."""
        orphans = [
            path
            for name in ("offsets", "commits")
            for path in (self.folder / name).glob(".*.crc")
            if not path.with_name(path.name.removeprefix(".").removesuffix(".crc")).exists()
        ]
        for path in orphans:
            path.unlink()
        return orphans

    def _damaged(self, path: Path) -> CheckpointDamaged:
        replayed = path.parent.name == "offsets" and path.name == str(self.to_replay())
        way_out = (
            "That micro-batch was never committed: delete this one file and start again, it will be planned anew."
            if replayed
            else "Restore it from a copy, or keep this folder and start over in another INDUTECH_DATA_DIR."
        )
        return CheckpointDamaged(f"The checkpoint file {path} cannot be read: it is missing, empty or cut. {way_out}")


def _newest(folder: Path) -> int | None:
    numbers = [int(entry.name) for entry in folder.glob("*") if entry.name.isdigit()] if folder.is_dir() else []
    return max(numbers, default=None)
