"""The proof as a table for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from indutech.proof.ranges import Range, size
from indutech.proof.reconcile import Proof

_RANGES_SHOWN = 5


def show(proof: Proof, console: Console | None = None) -> None:
    """Print the partitions, then what is wrong, if anything, then the verdict."""
    console = console or Console()
    table = Table(
        title=f"Topic {proof.topic}: each offset from first to committed, exactly once",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    columns = {
        "partition": [part.partition for part in proof.partitions],
        "first": [part.first for part in proof.partitions],
        "committed": [part.frontier for part in proof.partitions],
        "end": [part.end for part in proof.partitions],
        "stored": [part.stored for part in proof.partitions],
        "set aside": [part.quarantined for part in proof.partitions],
        "lost": [size(part.lost) for part in proof.partitions],
        "twice": [size(part.twice) for part in proof.partitions],
        "gaps": [size(part.gaps) for part in proof.partitions],
        "pending": [part.pending for part in proof.partitions],
    }
    # Columns of zeros would only push the others off a narrow terminal; the last line names what matters of them.
    shown = {
        name: counts for name, counts in columns.items() if any(counts) or name in ("partition", "first", "stored")
    }
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for row in zip(*shown.values(), strict=True):
        table.add_row(*(f"{number:,}" for number in row))
    console.print(table)
    for part in proof.partitions:
        for word, ranges in (("lost", part.lost), ("twice", part.twice)):
            if ranges:
                console.print(f"Partition {part.partition}, {word}: offsets {in_words(ranges)}", style="red")
    for file in proof.unreadable:
        console.print(f"Damaged file: {file}", style="red", soft_wrap=True)
    for file in proof.files_with_twice:
        console.print(f"Holds offsets that stand twice: {file}", style="red", soft_wrap=True)
    style = {0: "green", 1: "red", 2: "yellow"}[proof.exit_code]
    console.print(
        f"{'reconciled' if proof.exit_code == 0 else 'not reconciled'}: {proof.sentence}", style=style, soft_wrap=True
    )
    if proof.exit_code == 2:
        console.print("Pending tickets wait in the topic: `indutech stream --once` stores them.")


def in_words(ranges: list[Range]) -> str:
    """The first few ranges, readable: `4 to 9, 12 and 3 more ranges`."""
    shown = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in ranges[:_RANGES_SHOWN]]
    rest = len(ranges) - _RANGES_SHOWN
    return ", ".join(shown) + (f" and {rest} more ranges" if rest > 0 else "")
