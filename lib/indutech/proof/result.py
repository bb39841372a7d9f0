"""The result of a reconciliation: counts and ranges of offsets, its exit code, and its table for the terminal.

Exit codes: 0 nothing lost, stored twice or pending; 1 lost, stored twice or unreadable; 2 only pending.
Fields are the keys of `indutech reconcile --json`, which other programs read: `frontier` is the committed offset, and
`twice` counts duplicated offsets.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from indutech.proof.ranges import Range, size

_RANGES_SHOWN = 5


@dataclass(frozen=True)
class PartitionProof:
    """The result for one partition; a range is its first and its last offset, both included."""

    partition: int
    first: int
    frontier: int
    end: int
    last_acknowledged: int | None
    stored: int
    quarantined: int
    pending: int
    lost: list[Range] = field(default_factory=list)
    twice: list[Range] = field(default_factory=list)
    gaps: list[Range] = field(default_factory=list)
    expired: list[Range] = field(default_factory=list)
    unverifiable: list[Range] = field(default_factory=list)
    held_back: int = 0


@dataclass(frozen=True)
class Proof:
    """The result of a reconciliation; the counts are sums over the partitions.

    `duplicate_tickets` counts rows whose `ticket_id`, or whatever fields of `product` are unique, stands in the lake
    already (the producer sent again); it is None
    when the lake is too large to compare ids and `full` was not asked for. `replayed` counts messages of the quarantine
    that were sent again: they stay there, and what they became has an offset of its own. `looked` is `ranges` when the
    two offset columns of every file were read, `full` when every column was decoded and its checksums verified as well.
    Of those pending, `held_back` wait for an open transaction to end. `expired` were deleted by the broker before they
    were stored, and `indutech stream --accept-expired` has noted them; of `unverifiable` ones, which are missing, the
    broker has nothing any more, so that nobody can say whether they were records or markers of transactions.
    """

    topic: str
    product: str
    acknowledged: int
    stored: int
    quarantined: int
    lost: int
    twice: int
    pending: int
    gaps: int
    duplicate_tickets: int | None
    replayed: int
    looked: Literal["ranges", "full"]
    partitions: list[PartitionProof]
    unreadable: list[str]
    files_with_twice: list[str]
    held_back: int = 0
    expired: int = 0
    unverifiable: int = 0

    @property
    def exit_code(self) -> int:
        """0: all there, once. 1: something lost, twice or unreadable. 2: only something pending."""
        if self.lost or self.twice or self.unreadable:
            return 1
        return 2 if self.pending else 0

    @property
    def sentence(self) -> str:
        """The proof in one line."""
        acknowledged = f"{self.acknowledged:,} acknowledged, " if self.acknowledged else ""
        aside = f", {self.quarantined:,} set aside" if self.quarantined else ""
        pending = f", {self.pending:,} pending" if self.pending else ""
        replayed = f", {self.replayed:,} replayed" if self.replayed else ""
        held_back = f" ({self.held_back:,} behind an open transaction)" if self.held_back else ""
        expired = f", {self.expired:,} expired and accepted" if self.expired else ""
        unverifiable = f", {self.unverifiable:,} unverifiable" if self.unverifiable else ""
        return (
            f"{acknowledged}{self.stored:,} stored{aside}{replayed}, {self.lost:,} lost, {self.twice:,} twice"
            f"{pending}{held_back}{expired}{unverifiable}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON prints it."""
        return asdict(self)


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
        "held back": [part.held_back for part in proof.partitions],
        "expired": [size(part.expired) for part in proof.partitions],
        "unverifiable": [size(part.unverifiable) for part in proof.partitions],
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
        for word, ranges, style in (
            ("lost", part.lost, "red"),
            ("twice", part.twice, "red"),
            ("expired before they were stored, and accepted", part.expired, "yellow"),
            ("missing and expired since, so nobody can say what they were", part.unverifiable, "yellow"),
        ):
            if ranges:
                console.print(f"Partition {part.partition}, {word}: offsets {in_words(ranges)}", style=style)
    for file in proof.unreadable:
        console.print(f"Damaged file: {file}", style="red", soft_wrap=True)
    for file in proof.files_with_twice:
        console.print(f"Holds offsets that stand twice: {file}", style="red", soft_wrap=True)
    style = {0: "green", 1: "red", 2: "yellow"}[proof.exit_code]
    console.print(
        f"{'reconciled' if proof.exit_code == 0 else 'not reconciled'}: {proof.sentence}", style=style, soft_wrap=True
    )
    if proof.held_back:
        console.print(
            "A producer's transaction is open: what comes after its first message can be read when it commits, aborts, "
            "or exceeds its transaction.timeout.ms."
        )
    if proof.exit_code == 2 and proof.pending > proof.held_back:
        console.print(f"Pending {proof.product} wait in the topic: `indutech stream --once` stores them.")


def in_words(ranges: list[Range]) -> str:
    """The first few ranges, readable: `4 to 9, 12 and 3 more ranges`."""
    shown = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in ranges[:_RANGES_SHOWN]]
    rest = len(ranges) - _RANGES_SHOWN
    return ", ".join(shown) + (f" and {rest} more ranges" if rest > 0 else "")
