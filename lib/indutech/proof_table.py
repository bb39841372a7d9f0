"""The proof as a table for the terminal."""

from rich.console import Console
from rich.table import Table

from indutech.proof import Range
from indutech.reconcile import Proof

_RANGES_SHOWN = 5


def show(proof: Proof, console: Console | None = None) -> None:
    """Print the partitions, then what is wrong, if anything, then the verdict."""
    console = console or Console()
    table = Table(title=f"Topic {proof.topic}: each offset from first to frontier, exactly once", title_justify="left")
    for name in ("partition", "first", "frontier", "end", "stored", "set aside", "lost", "twice", "gaps", "pending"):
        table.add_column(name, justify="right")
    for part in proof.partitions:
        counts = (part.partition, part.first, part.frontier, part.end, part.stored, part.quarantined)
        found = (sum(last - first + 1 for first, last in ranges) for ranges in (part.lost, part.twice, part.gaps))
        table.add_row(*(f"{number:,}" for number in (*counts, *found, part.pending)))
    console.print(table)
    for part in proof.partitions:
        for word, ranges in (("lost", part.lost), ("twice", part.twice)):
            if ranges:
                console.print(f"Partition {part.partition}, {word}: offsets {in_words(ranges)}", style="red")
    for file in proof.unreadable:
        console.print(f"Damaged file: {file}", style="red")
    for file in proof.files_with_twice:
        console.print(f"Holds offsets that stand twice: {file}", style="red")
    style = {0: "green", 1: "red", 2: "yellow"}[proof.exit_code]
    console.print(f"{'reconciled' if proof.exit_code == 0 else 'not reconciled'}: {proof.sentence}", style=style)
    if proof.exit_code == 2:
        console.print("Pending tickets wait in the topic: `indutech stream --once` stores them.")


def in_words(ranges: list[Range]) -> str:
    """The first few ranges, readable: `4 to 9, 12 and 3 more ranges`."""
    shown = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in ranges[:_RANGES_SHOWN]]
    rest = len(ranges) - _RANGES_SHOWN
    return ", ".join(shown) + (f" and {rest} more ranges" if rest > 0 else "")
