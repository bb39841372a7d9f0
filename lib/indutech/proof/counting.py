"""Counts every offset of a table, exactly and in bounded memory: never, once, or more than once.

Each offset has one byte in a page of a million; when too many pages are open, the others are counted in another pass
over the table. What comes out are ranges, so a complete table costs next to nothing to remember.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from indutech.proof import ranges
from indutech.proof.ranges import Range
from indutech.proof.sources.unit import Ints, Places, Unit, UnitUnreadable

PAGE = 1 << 20  # offsets, and bytes
MOST_PAGES = 512  # so 512 MB at most
_FEW_PARTITIONS = 16
_MOST_UNITS_SEARCHED = 500


@dataclass
class Extent:
    """What one unit holds of one partition."""

    unit: Unit
    partition: int
    first: int
    last: int
    rows: int


@dataclass
class Counted:
    """A table, counted. Ranges are arrays of first and last offset, both included."""

    held: dict[int, Ints] = field(default_factory=dict)
    repeated: dict[int, Ints] = field(default_factory=dict)
    extents: list[Extent] = field(default_factory=list)
    unreadable: dict[Unit, str] = field(default_factory=dict)
    rows_without_place: int = 0

    def rows(self, kind: str, partitions: Iterable[int] | None = None) -> dict[int, int]:
        """Rows per partition in the units of this kind."""
        found: dict[int, int] = {}
        for extent in self.extents:
            if extent.unit.kind == kind and (partitions is None or extent.partition in partitions):
                found[extent.partition] = found.get(extent.partition, 0) + extent.rows
        return found


def count(units: Sequence[Unit], until: Mapping[int, int] | None = None) -> Counted:
    """Count every row of the units; of the partitions in `until`, only offsets below the one given.

    A unit that cannot be read to its end is not counted at all, and is named.
    """
    bad: dict[Unit, str] = {}
    while True:
        counted = _count([unit for unit in units if unit not in bad], until or {})
        if not counted.unreadable:
            counted.unreadable = {unit: bad[unit] for unit in units if unit in bad}
            return counted
        bad |= counted.unreadable  # some of their rows may have been counted already: once more without them


def holders(counted: Counted, wanted: Mapping[int, Sequence[Range]]) -> dict[tuple[int, Range], list[Unit]]:
    """For each (partition, range), the units that hold an offset of it; only units whose extent meets it are read."""
    found: dict[tuple[int, Range], list[Unit]] = {(p, one): [] for p, mine in wanted.items() for one in mine}
    candidates: dict[int, tuple[Unit, list[tuple[int, Range]]]] = {}
    for extent in counted.extents:
        for low, high in wanted.get(extent.partition, []):
            if extent.first <= high and low <= extent.last:
                candidates.setdefault(id(extent.unit), (extent.unit, []))[1].append((extent.partition, (low, high)))
    for unit, asked in list(candidates.values())[:_MOST_UNITS_SEARCHED]:
        open_questions = set(asked)
        for places in unit.read():
            for partition, (low, high) in sorted(open_questions):
                offsets = places.offsets[places.partitions == partition]
                if ((offsets >= low) & (offsets <= high)).any():
                    open_questions.discard((partition, (low, high)))
                    found[partition, (low, high)].append(unit)
            if not open_questions:
                break
    return found


def _count(units: Sequence[Unit], until: Mapping[int, int]) -> Counted:
    counted = Counted()
    pages = _Pages()
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as workers:
        for unit, (extents, without, error) in zip(
            units, workers.map(lambda unit: _count_unit(unit, pages, until), units), strict=True
        ):
            if error:
                counted.unreadable[unit] = error
            counted.extents.extend(extents.values())
            counted.rows_without_place += without
        pages.close()
        while pages.deferred and not counted.unreadable:
            pages.deferred.clear()
            list(workers.map(lambda unit: _count_unit(unit, pages, until), units))
            pages.close()
    counted.held, counted.repeated = pages.held(), pages.repeated()
    return counted


def _count_unit(unit: Unit, pages: "_Pages", until: Mapping[int, int]) -> tuple[dict[int, Extent], int, str | None]:
    extents: dict[int, Extent] = {}
    without = 0
    try:
        for places in unit.read():
            without += places.rows_without
            for partition, offsets in _by_partition(places):
                mine = offsets
                if partition in until and len(mine):
                    mine = mine[mine < until[partition]]
                if not len(mine):
                    continue
                low, high = int(mine.min()), int(mine.max())
                pages.add(partition, mine, low, high)
                extent = extents.setdefault(partition, Extent(unit, partition, low, high, 0))
                extent.first, extent.last = min(extent.first, low), max(extent.last, high)
                extent.rows += len(mine)
    except UnitUnreadable as error:
        return {}, 0, str(error) or "it cannot be read"
    return extents, without, None


def _by_partition(places: Places) -> list[tuple[int, Ints]]:
    partitions, offsets = places.partitions, places.offsets
    if not len(partitions):
        return []
    low, high = int(partitions.min()), int(partitions.max())
    if low == high:
        return [(low, offsets)]
    if high - low < _FEW_PARTITIONS:
        return [(p, offsets[partitions == p]) for p in range(low, high + 1)]
    order = np.argsort(partitions, kind="stable")
    changes = np.flatnonzero(np.diff(partitions[order])) + 1
    names = partitions[order][np.concatenate(([0], changes))]
    return list(zip(names.tolist(), np.split(offsets[order], changes), strict=True))


class _Pages:
    """One byte per offset: 0 never, 1 once, 2 more often; filled by several threads."""

    def __init__(self) -> None:
        self.deferred: set[tuple[int, int]] = set()  # met in this pass when there was no room: not counted in it
        self._open: dict[tuple[int, int], npt.NDArray[np.uint8]] = {}
        self._touched: dict[tuple[int, int], tuple[int, int]] = {}  # only this part of a page is looked at again
        self._done: set[tuple[int, int]] = set()
        self._held: dict[int, list[tuple[int, Ints]]] = {}
        self._repeated: dict[int, list[tuple[int, Ints]]] = {}
        self._lock = Lock()

    def add(self, partition: int, offsets: Ints, low: int, high: int) -> None:
        """Count these offsets, of which `low` and `high` are the smallest and the largest."""
        span = high - low + 1
        if span == len(offsets) and bool((np.diff(offsets) == 1).all()):
            self._add_span(partition, low, np.ones(span, dtype=np.uint8))
        elif span <= 8 * len(offsets):
            times = np.bincount(offsets - low, minlength=span)
            self._add_span(partition, low, np.minimum(times, 2).astype(np.uint8))
        else:
            which, times = np.unique(offsets, return_counts=True)
            changes = np.flatnonzero(np.diff(which // PAGE)) + 1
            small = np.minimum(times, 2).astype(np.uint8)
            for some, often in zip(np.split(which, changes), np.split(small, changes), strict=True):
                number = int(some[0] // PAGE)
                with self._lock:
                    inside = some - number * PAGE
                    if (page := self._page(partition, number, int(inside[0]), int(inside[-1]) + 1)) is not None:
                        page[inside] = np.minimum(page[inside] + often, 2)

    def _add_span(self, partition: int, low: int, times: npt.NDArray[np.uint8]) -> None:
        done = 0
        while done < len(times):
            number, start = divmod(low + done, PAGE)
            size = min(PAGE - start, len(times) - done)
            with self._lock:
                if (page := self._page(partition, number, start, start + size)) is not None:
                    part = page[start : start + size]
                    np.add(part, times[done : done + size], out=part)
                    np.minimum(part, 2, out=part)
            done += size

    def _page(self, partition: int, number: int, low: int, high: int) -> npt.NDArray[np.uint8] | None:
        """The page if it is counted in this pass; its part from `low` on and below `high` will be written."""
        key = (partition, number)
        page = self._open.get(key)
        if page is None:
            if key in self._done or key in self.deferred:
                return None
            if len(self._open) >= MOST_PAGES:
                self.deferred.add(key)
                return None
            page = self._open[key] = np.zeros(PAGE, dtype=np.uint8)
        before = self._touched.get(key, (low, high))
        self._touched[key] = (min(low, before[0]), max(high, before[1]))
        return page

    def close(self) -> None:
        """Turn the open pages into ranges and forget them."""
        for (partition, number), page in self._open.items():
            low, high = self._touched.get((partition, number), (0, 0))
            for level, found in ((1, self._held), (2, self._repeated)):
                if len(some := ranges.true_runs(page[low:high] >= level)):
                    found.setdefault(partition, []).append((number, some + number * PAGE + low))
            self._done.add((partition, number))
        self._open.clear()
        self._touched.clear()

    def held(self) -> dict[int, Ints]:
        return self._joined(self._held)

    def repeated(self) -> dict[int, Ints]:
        return self._joined(self._repeated)

    @staticmethod
    def _joined(found: Mapping[int, list[tuple[int, Ints]]]) -> dict[int, Ints]:
        ordered = {p: [one for _, one in sorted(mine, key=lambda entry: entry[0])] for p, mine in sorted(found.items())}
        return {p: ranges.touching_joined(np.concatenate(mine)) for p, mine in ordered.items()}
