"""What an audit reads: a table as units, the smallest parts that can be named, each yielding partitions and offsets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from indutech.system.errors import InduTechError

Ints = npt.NDArray[np.int64]

BATCH_ROWS = 1 << 20


class TableUnreadable(InduTechError):
    """The table as a whole cannot be opened or read."""


class UnitUnreadable(Exception):
    """One unit is cut, damaged, or lacks the columns; the others can still be counted."""


class UnitVanished(Exception):
    """A file was deleted after it was listed: by a compaction, or by whoever expires snapshots."""


@dataclass(frozen=True)
class Places:
    """Where some rows come from: two arrays of the same length, and how many rows said nothing of it."""

    partitions: Ints
    offsets: Ints
    rows_without: int = 0


@dataclass(frozen=True)
class Unit:
    """A file of a table, or a whole view. `added` says by which snapshot or when, as far as that is known."""

    name: str
    read: Callable[[], Iterator[Places]] = field(compare=False)
    kind: str = "table"
    added: str = ""

    @property
    def described(self) -> str:
        """The name, and when or by what it came in."""
        return f"{self.name} ({self.added})" if self.added else self.name


@dataclass(frozen=True)
class Source:
    """A table that was opened."""

    name: str
    shape: str
    columns: str
    version: str
    units: list[Unit]
