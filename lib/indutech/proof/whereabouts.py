"""In which file an offset stands or should stand."""

from collections.abc import Sequence

from indutech.proof.counting import Counted
from indutech.proof.ranges import Range
from indutech.proof.sources.unit import Unit

_MOST_NAMED = 10


def where_from(units: Sequence[Unit]) -> list[str]:
    """The units that hold it, the first ten of them."""
    return [f"in {unit.described}" for unit in units[:_MOST_NAMED]]


def where_missing(counted: Counted, partition: int, missing: Range) -> list[str]:
    """The units that span the missing range; where none does, those that end before it and begin after it."""
    low, high = missing
    cut = [f"or in {unit.described}, which cannot be read" for unit in list(counted.unreadable)[:_MOST_NAMED]]
    mine = [extent for extent in counted.extents if extent.partition == partition]
    if not mine:
        return ["no row of this partition anywhere", *cut]
    spanning = [e for e in mine if e.first < low and high < e.last]
    if spanning:
        return [
            f"should be in {e.unit.described}, which holds {e.first:,} to {e.last:,}" for e in spanning[:_MOST_NAMED]
        ]
    before = max((e for e in mine if e.last < low), key=lambda e: e.last, default=None)
    after = min((e for e in mine if e.first > high), key=lambda e: e.first, default=None)
    return [
        f"after {before.unit.described}, which ends at {before.last:,}"
        if before
        else "before every file that is there",
        f"before {after.unit.described}, which begins at {after.first:,}"
        if after
        else "after every file that is there",
        *cut,
    ]
