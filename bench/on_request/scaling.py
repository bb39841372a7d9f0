"""What cores and partitions change: our stream drains the same tickets on one core and on all, from 1 to 16 partitions.

The broker runs beside it on the same machine, so "one core" is one task of Spark's at a time, and not one core for all.
"""

import psutil
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.drain import OURS, PARTITIONS, filled, timed
from bench.figures import Figure
from bench.own_broker import own_broker

TICKETS, WARM_UP_TICKETS = 1_500_000, 300_000
PARTITION_COUNTS = (1, 2, 4, 8, 16)


def run(console: Console) -> list[Figure]:
    """Drain each topic once, warm; print the table, return the rates."""
    table = Table(title=f"Our stream draining {TICKETS:,} tickets, warm", title_justify="left", box=SIMPLE_HEAD)
    for name in ("partitions", "tasks at a time", "tickets/s", "MiB"):
        table.add_column(name, justify="right")
    found = []
    with own_broker() as (settings, broker):
        for partitions in PARTITION_COUNTS:
            filled(console, broker, partitions, TICKETS, WARM_UP_TICKETS)
            for cores in (1, psutil.cpu_count() or 1) if partitions == PARTITIONS else (psutil.cpu_count() or 1,):
                with console.status(f"{partitions} partition(s), {cores} task(s) at a time"):
                    out = settings.data_dir / f"{partitions}-{cores}"
                    drain = timed(OURS, partitions, TICKETS, broker, out, {"SPARK_MASTER": f"local[{cores}]"})
                table.add_row(str(partitions), str(cores), f"{drain.tickets_per_s:,.0f}", f"{drain.peak_mib:,.0f}")
                what = f"{partitions} partition{'s' * (partitions > 1)}, {cores} task{'s' * (cores > 1)} at a time"
                found.append(Figure("scaling", what, drain.tickets_per_s, "tickets/s"))
    console.print(table)
    return found
