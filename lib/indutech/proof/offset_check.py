"""The proof by offsets: per partition, lake ∪ quarantine must hold each offset from first to committed exactly once.

Each offset is counted, in one byte: 100 million rows take seconds on two cores, no more than comparing counts, sums and
hashes of ranges, and a count per range would not notice one lost and one duplicated offset.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

Offsets = Mapping[int, int]
Range = tuple[int, int]
"""First and last offset, both included."""

_COUNTED_AT_ONCE = 1 << 26  # 64 MB of counters


@dataclass(frozen=True)
class Findings:
    """Per partition, the ranges that are missing, stored more than once, or before the first offset."""

    missing: dict[int, list[Range]]
    duplicated: dict[int, list[Range]]
    foreign: dict[int, list[Range]]


def find(lake: duckdb.DuckDBPyConnection, first: Offsets, committed: Offsets) -> Findings:
    """Compare every row's offset with what must be there; offsets from the committed one on are not checked.

    Args:
        lake: a connection with a view `offsets` (`kafka_partition`, `kafka_offset`): every row, lake and quarantine.
        first: per partition the offset at which the lake begins (0 if not named).
        committed: per partition the first offset that is not committed.
    """
    missing: dict[int, list[Range]] = {}
    duplicated: dict[int, list[Range]] = {}
    for partition, high in sorted(committed.items()):
        for piece in _pieces(first.get(partition, 0), high):
            missing_here, duplicated_here = _count_each(lake, partition, piece)
            missing.setdefault(partition, []).extend(missing_here)
            duplicated.setdefault(partition, []).extend(duplicated_here)
    return Findings(_joined(missing), _joined(duplicated), _foreign(lake, first, committed))


def size(ranges: Iterable[Range]) -> int:
    """The number of offsets in the ranges."""
    return sum(last - first + 1 for first, last in ranges)


def as_ranges(offsets: npt.NDArray[np.int64]) -> list[Range]:
    """Sorted distinct offsets, written as ranges."""
    if not len(offsets):
        return []
    ends = np.flatnonzero(np.diff(offsets) > 1)
    starts = np.concatenate(([0], ends + 1))
    stops = np.concatenate((ends, [len(offsets) - 1]))
    return [(int(offsets[i]), int(offsets[j])) for i, j in zip(starts, stops, strict=True)]


def _pieces(low: int, high: int) -> Iterator[Range]:
    for start in range(low, high, _COUNTED_AT_ONCE):
        yield start, min(high, start + _COUNTED_AT_ONCE) - 1


def _count_each(lake: duckdb.DuckDBPyConnection, partition: int, piece: Range) -> tuple[list[Range], list[Range]]:
    low, high = piece
    batches = lake.sql(
        f"SELECT kafka_offset - {low} AS o FROM offsets "
        f"WHERE kafka_partition = {partition} AND kafka_offset BETWEEN {low} AND {high}"
    ).to_arrow_reader(1_000_000)
    rows = np.zeros(high - low + 1, dtype=np.uint8)
    for batch in batches:
        offsets = batch["o"].to_numpy()
        start = int(offsets.min())
        counts = np.bincount(offsets - start)
        part = rows[start : start + len(counts)]
        part[:] = np.minimum(part + counts, 2)  # a counter of one byte must not overflow
    return as_ranges(np.flatnonzero(rows == 0) + low), as_ranges(np.flatnonzero(rows > 1) + low)


def _foreign(lake: duckdb.DuckDBPyConnection, first: Offsets, committed: Offsets) -> dict[int, list[Range]]:
    """Offsets before the lake's first one, or of partitions that were never read: rows that should not be there."""
    known = " OR ".join(
        f"(kafka_partition = {partition} AND kafka_offset >= {first.get(partition, 0)})" for partition in committed
    )
    outside = f"FROM offsets WHERE NOT ({known or 'false'})"
    found = lake.execute(f"SELECT DISTINCT kafka_partition AS p, kafka_offset AS o {outside} ORDER BY ALL").fetchnumpy()
    return {int(p): as_ranges(found["o"][found["p"] == p]) for p in np.unique(found["p"])}


def _joined(found: Mapping[int, list[Range]]) -> dict[int, list[Range]]:
    """Ranges that touch become one; partitions without any are left out."""
    result: dict[int, list[Range]] = {}
    for partition, ranges in found.items():
        for low, high in sorted(ranges):
            mine = result.setdefault(partition, [])
            if mine and mine[-1][1] + 1 == low:
                mine[-1] = (mine[-1][0], high)
            else:
                mine.append((low, high))
    return result
