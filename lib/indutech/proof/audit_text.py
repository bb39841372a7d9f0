"""The audit of a table as text for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from indutech.proof.audit_result import Audit
from indutech.proof.ranges import size
from indutech.proof.result import in_words

_FINDINGS_SHOWN = 20
_ALWAYS = ("partition", "start", "checked to", "end", "rows")
_KINDS = ("missing", "duplicate", "foreign", "pending", "gaps", "expired", "unverifiable")


def show(audit: Audit, console: Console | None = None) -> None:
    """Print the partitions, then what is wrong and where, then the verdict."""
    console = console or Console()
    console.print(f"Topic {audit.topic} against {audit.table} ({audit.shape}, {audit.version})", soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = {
        "partition": [part.partition for part in audit.partitions],
        "start": [part.start for part in audit.partitions],
        "checked to": [part.reached for part in audit.partitions],
        "end": [part.end for part in audit.partitions],
        "rows": [part.rows for part in audit.partitions],
        "dead letters": [part.dead_letters for part in audit.partitions],
        **{kind: [size(getattr(part, kind)) for part in audit.partitions] for kind in _KINDS},
    }
    shown = {name: counts for name, counts in columns.items() if name in _ALWAYS or any(counts)}
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for row in zip(*shown.values(), strict=True):
        table.add_row(*(f"{number:,}" for number in row))
    # A line that is too long for the terminal is better than an offset that is cut.
    needed = Measurement.get(console, console.options.update(max_width=400), table).maximum
    console.print(table, width=max(console.width, needed), crop=False)
    for finding in audit.findings[:_FINDINGS_SHOWN]:
        offsets = in_words([(finding.first, finding.last)])
        console.print(f"{finding.kind}: partition {finding.partition}, offset {offsets}", style="red", soft_wrap=True)
        for line in [*finding.where, *([finding.since] if finding.since else [])]:
            console.print(f"    {line}", soft_wrap=True, markup=False, highlight=False)
    more = len(audit.findings) - _FINDINGS_SHOWN
    if (rest := max(more, 0) + audit.findings_not_named) > 0:
        console.print(f"and {rest:,} more ranges; --json and --html list the first hundred of each kind", style="red")
    for name, why in audit.unreadable.items():
        console.print(f"cannot be read: {name}: {why}", style="red", soft_wrap=True, markup=False)
    if audit.recreated:
        console.print(audit.recreated, style="red", soft_wrap=True, markup=False)
    if audit.unverifiable:
        console.print(
            "Unverifiable offsets lie between rows and are deleted from the topic: transaction markers, or a loss. "
            "--strict counts them as missing; a --history knows it the next time.",
            style="yellow",
            soft_wrap=True,
        )
    if audit.missing and audit.told_by == "by hand":
        console.print(
            "No broker was asked: transaction markers and aborted records count as missing here.",
            style="yellow",
            soft_wrap=True,
        )
    style = {0: "green", 1: "red", 2: "yellow"}[audit.exit_code]
    console.print(f"{audit.verdict}: {audit.sentence}", style=style, soft_wrap=True)
