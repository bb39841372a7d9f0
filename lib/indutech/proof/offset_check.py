"""The proof by offsets: per partition, lake ∪ quarantine must hold each offset from first to committed exactly once.

It compares what `counting` found with what must be there; a count per range would not notice one lost and one
duplicated offset.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from indutech.proof import ranges
from indutech.proof.counting import Counted
from indutech.proof.ranges import Range

Offsets = Mapping[int, int]


@dataclass(frozen=True)
class Findings:
    """Per partition, the ranges that are missing, stored more than once, or before the first offset."""

    missing: dict[int, list[Range]]
    duplicated: dict[int, list[Range]]
    foreign: dict[int, list[Range]]


def find(counted: Counted, first: Offsets, committed: Offsets) -> Findings:
    """Compare every row's offset with what must be there; offsets from the committed one on are not checked.

    Args:
        counted: every row, lake and quarantine.
        first: per partition the offset at which the lake begins (0 if not named).
        committed: per partition the first offset that is not committed; rows of other partitions are foreign.
    """
    missing, duplicated, foreign = {}, {}, {}
    for partition, high in sorted(committed.items()):
        low = first.get(partition, 0)
        held = counted.held.get(partition, ranges.NONE)
        missing[partition] = ranges.without(held, low, high)
        duplicated[partition] = ranges.clipped(counted.repeated.get(partition, ranges.NONE), low, high)
        foreign[partition] = ranges.clipped(held, high=low)
    foreign |= {partition: held for partition, held in counted.held.items() if partition not in committed}
    return Findings(
        *({p: ranges.listed(some[p]) for p in sorted(some) if len(some[p])} for some in (missing, duplicated, foreign))
    )
