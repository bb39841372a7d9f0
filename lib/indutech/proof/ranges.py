"""Ranges of offsets, first and last both included: an array of two columns, sorted, none touching another."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from indutech.proof.sources.unit import Ints

Range = tuple[int, int]
"""First and last offset, both included."""

NONE: Ints = np.empty((0, 2), dtype=np.int64)


def size(ranges: Iterable[Range]) -> int:
    """How many offsets the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def listed(ranges: Ints) -> list[Range]:
    """The same as tuples."""
    return [(low, high) for low, high in ranges.tolist()]


def array(ranges: Iterable[Range]) -> Ints:
    """Ranges in any order as an array, those that touch or overlap joined."""
    some = sorted(ranges)
    if not some:
        return NONE
    joined = [list(some[0])]
    for low, high in some[1:]:
        if low <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return np.array(joined, dtype=np.int64)


def of_offsets(offsets: Ints) -> Ints:
    """Sorted distinct offsets, written as ranges."""
    if not len(offsets):
        return NONE
    ends = np.flatnonzero(np.diff(offsets) > 1)
    starts = np.concatenate(([0], ends + 1))
    stops = np.concatenate((ends, [len(offsets) - 1]))
    return np.column_stack((offsets[starts], offsets[stops])).astype(np.int64)


def true_runs(flags: npt.NDArray[np.bool_]) -> Ints:
    """The runs of true in an array, as ranges of its positions."""
    if flags.all():
        return np.array([[0, len(flags) - 1]], dtype=np.int64) if len(flags) else NONE
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    edges = np.concatenate(([0] if flags[0] else [], changes, [len(flags)] if flags[-1] else [])).astype(np.int64)
    return np.column_stack((edges[0::2], edges[1::2] - 1))


def touching_joined(ranges: Ints) -> Ints:
    """Sorted ranges, those that touch made one."""
    if len(ranges) < 2:
        return ranges
    apart = ranges[1:, 0] > ranges[:-1, 1] + 1
    firsts = ranges[np.concatenate(([True], apart)), 0]
    lasts = ranges[np.concatenate((apart, [True])), 1]
    return np.column_stack((firsts, lasts))


def clipped(ranges: Ints, low: int | None = None, high: int | None = None) -> Ints:
    """The part from `low` on and below `high`."""
    if low is not None:
        ranges = np.column_stack((np.maximum(ranges[:, 0], low), ranges[:, 1]))
    if high is not None:
        ranges = np.column_stack((ranges[:, 0], np.minimum(ranges[:, 1], high - 1)))
    return ranges[ranges[:, 0] <= ranges[:, 1]]


def without(ranges: Ints, low: int, high: int) -> Ints:
    """What lies from `low` on and below `high`, and in none of the ranges."""
    if low >= high:
        return NONE
    inside = clipped(ranges, low, high)
    firsts = np.concatenate(([low], inside[:, 1] + 1))
    lasts = np.concatenate((inside[:, 0] - 1, [high - 1]))
    return np.column_stack((firsts, lasts))[firsts <= lasts]


def shared(these: Ints, those: Ints) -> Ints:
    """What lies in both."""
    parts = [clipped(those, low, high + 1) for low, high in these.tolist()]
    return np.concatenate(parts) if parts else NONE


def apart(these: Ints, those: Ints) -> Ints:
    """What lies in the first, and not in the second."""
    parts = [without(those, low, high + 1) for low, high in these.tolist()]
    return np.concatenate(parts) if parts else NONE
