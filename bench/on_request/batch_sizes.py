"""What the size of a micro-batch changes: our stream drains the same topic in smaller and larger ones.

Each micro-batch costs something besides its rows: Spark plans and commits it, the quarantine is written, tasks start
and end apart. A larger one costs that less often; a kill repeats more of it, and a stop waits longer for its end.
"""

import statistics

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.drain import OURS, PARTITIONS, TICKETS, WARM_UP_TICKETS, Drain, filled, timed
from bench.figures import Figure, of_rounds
from bench.own_broker import own_broker

SIZES, ROUNDS = (500_000, 1_000_000, 2_500_000, 5_000_000), 2


def run(console: Console) -> list[Figure]:
    """Drain with each size in turn, print the table, return the rates."""
    drains: dict[int, list[Drain]] = {size: [] for size in SIZES}
    with own_broker() as (settings, broker):
        filled(console, broker, PARTITIONS, TICKETS, WARM_UP_TICKETS)
        for number in range(ROUNDS):
            for size in SIZES:
                with console.status(f"micro-batches of {size:,}, round {number + 1} of {ROUNDS}"):
                    out, asked = settings.data_dir / f"{size}-{number}", {"INDUTECH_MAX_BATCH_TICKETS": str(size)}
                    drains[size].append(timed(OURS, PARTITIONS, TICKETS, broker, out, asked))
    table = Table(title=f"Our stream draining {TICKETS:,} tickets, warm", title_justify="left", box=SIMPLE_HEAD)
    for name in ("tickets in a micro-batch, at most", "tickets/s", "MiB"):
        table.add_column(name, justify="right")
    for size, rounds in drains.items():
        rate, peak = statistics.median(one.tickets_per_s for one in rounds), max(one.peak_mib for one in rounds)
        table.add_row(f"{size:,}", f"{rate:,.0f}", f"{peak:,.0f}")
    console.print(table)
    return [
        of_rounds("batch-sizes", f"micro-batches of {size:,}", [one.tickets_per_s for one in rounds], "tickets/s")
        for size, rounds in drains.items()
    ] + [
        of_rounds("batch-sizes", f"memory, micro-batches of {size:,}", [one.peak_mib for one in rounds], "MiB")
        for size, rounds in drains.items()
    ]
