"""The proof by offsets, on literal tables."""

from collections.abc import Iterable

import numpy as np
import pytest

from indutech.proof import counting, offset_check, ranges
from indutech.proof.sources.unit import Places, Unit, UnitUnreadable


def lake_with(*rows: tuple[int, int], batches: int = 1) -> counting.Counted:
    """A lake of one file that holds these rows, `(partition, offset)`, counted."""
    return counting.count([unit_with(rows, batches)])


def unit_with(rows: Iterable[tuple[int, int]], batches: int = 1) -> Unit:
    """A file that yields its rows in so many batches."""
    pairs = np.array(list(rows), dtype=np.int64).reshape(-1, 2)
    return Unit("file", lambda: (Places(part[:, 0], part[:, 1]) for part in np.array_split(pairs, batches)))


def test_each_offset_once_is_proven():
    """Nothing is found where every partition holds first to committed once."""
    findings = offset_check.find(lake_with((0, 5), (0, 6), (1, 0)), first={0: 5}, committed={0: 7, 1: 1})

    assert findings == offset_check.Findings(missing={}, duplicated={}, foreign={})


def test_one_lost_and_one_doubled_do_not_cancel():
    """Counts and sums are those of a complete range, and both faults are still named."""
    findings = offset_check.find(lake_with((0, 1), (0, 1), (0, 4), (0, 4)), first={0: 1}, committed={0: 5})

    assert findings.missing == {0: [(2, 3)]}
    assert findings.duplicated == {0: [(1, 1), (4, 4)]}


def test_offsets_from_the_committed_one_on_are_not_checked():
    """What a running or killed micro-batch wrote is neither lost nor duplicated."""
    findings = offset_check.find(lake_with((0, 0), (0, 1), (0, 1)), first={}, committed={0: 1})

    assert findings == offset_check.Findings(missing={}, duplicated={}, foreign={})


def test_rows_that_nobody_should_have_written_are_foreign():
    """An offset before the lake's first one, and a partition that was never read."""
    findings = offset_check.find(lake_with((0, 3), (0, 10), (7, 0)), first={0: 10}, committed={0: 11})

    assert findings.foreign == {0: [(3, 3)], 7: [(0, 0)]}


def test_a_partition_without_any_row_is_lost_as_a_whole():
    """An empty lake under a committed offset misses everything."""
    assert offset_check.find(lake_with(), first={}, committed={0: 3}).missing == {0: [(0, 2)]}


@pytest.mark.parametrize("page", [1, 2, 3, 100])
@pytest.mark.parametrize("most_pages", [1, 2, 100])
def test_pages_are_joined(monkeypatch: pytest.MonkeyPatch, page: int, most_pages: int):
    """Ranges come out whole, however many offsets share a page and however many pages are open at once."""
    monkeypatch.setattr(counting, "PAGE", page)
    monkeypatch.setattr(counting, "MOST_PAGES", most_pages)

    findings = offset_check.find(lake_with((0, 0), (0, 5), (0, 5), (0, 6), (0, 6)), first={}, committed={0: 8})

    assert findings.missing == {0: [(1, 4), (7, 7)]}
    assert findings.duplicated == {0: [(5, 6)]}


@pytest.mark.parametrize("order", ["sorted", "shuffled", "sparse"])
@pytest.mark.parametrize(("page", "most_pages"), [(1 << 20, 512), (64, 3)])
def test_random_damage_is_found_exactly(monkeypatch: pytest.MonkeyPatch, page: int, most_pages: int, order: str):
    """What is found is what was broken: sets of offsets, not counts, in whatever order the rows come."""
    monkeypatch.setattr(counting, "PAGE", page)
    monkeypatch.setattr(counting, "MOST_PAGES", most_pages)
    draws = np.random.default_rng(7)
    step = 50 if order == "sparse" else 1
    times = np.zeros(2_000 * step, dtype=int)
    times[::step] = draws.choice([0, 1, 1, 1, 2, 300], size=2_000)
    offsets = np.repeat(np.arange(len(times)), times)
    if order == "shuffled":
        draws.shuffle(offsets)

    findings = offset_check.find(lake_with(*((0, o) for o in offsets), batches=7), first={}, committed={0: len(times)})

    assert findings.missing[0] == ranges.listed(ranges.of_offsets(np.flatnonzero(times == 0)))
    assert findings.duplicated[0] == ranges.listed(ranges.of_offsets(np.flatnonzero(times > 1)))


def test_rows_of_many_partitions_are_told_apart():
    """More partitions than are told apart one by one, in one batch."""
    rows = [(partition, offset) for offset in range(3) for partition in range(40) if (partition, offset) != (17, 1)]

    findings = offset_check.find(lake_with(*rows), first={}, committed=dict.fromkeys(range(40), 3))

    assert findings == offset_check.Findings(missing={17: [(1, 1)]}, duplicated={}, foreign={})


def test_a_file_that_breaks_in_the_middle_is_not_counted_at_all():
    """Its first batches were counted before the damage was met, and are taken out again."""

    def breaks():
        yield Places(np.zeros(5, dtype=np.int64), np.arange(5))
        raise UnitUnreadable("cut")

    counted = counting.count([unit_with([(0, 5)]), broken := Unit("broken", breaks)])

    assert counted.unreadable == {broken: "cut"}
    assert counted.held[0].tolist() == [[5, 5]]
