"""How long a ticket waits until a reader sees it, while producer and stream run side by side at a steady rate."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.own_broker import own_broker
from indutech.report import running_stream
from indutech.stream.session import session
from indutech.system.settings import Settings

RATES = (1_000, 10_000, 50_000)  # tickets a second
SECONDS, WARM_UP_SECONDS, SEED = 20, 10, 7
PROMISED_AT, P50_S, P99_S = 10_000, 1.0, 2.5


def run(console: Console) -> list[Figure]:
    """Measure at each rate on one warm Spark, print the table, return the figures."""
    table = Table(
        title=f"From the broker's stamp until a reader sees it, each rate for {SECONDS} s, warm; seconds",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for name in ("tickets/s", "half", "95 %", "99 %", "files a minute"):
        table.add_column(name, justify="right")
    found = []
    with own_broker() as (settings, broker):
        spark = session(settings)
        running_stream.waited(settings, broker, spark, rate=RATES[1], seconds=WARM_UP_SECONDS, seed=SEED)
        for number, rate in enumerate(RATES, 1):
            own = settings.model_copy(update={"data_dir": settings.data_dir / str(rate), "topic": f"rate-{rate}"})
            with console.status(f"{rate:,} tickets a second"):
                waits = running_stream.waited(own, broker, spark, rate=rate, seconds=SECONDS, seed=SEED + number)
            half, most, nearly_all = (float(waits.quantile(share)) for share in (0.5, 0.95, 0.99))
            table.add_row(f"{rate:,}", f"{half:.2f}", f"{most:.2f}", f"{nearly_all:.2f}", f"{_files(own):,.0f}")
            p50, p99 = (P50_S, P99_S) if rate == PROMISED_AT else (None, None)
            found += [
                Figure("latency", f"half of {rate:,} a second", half, "s", at_most=p50),
                Figure("latency", f"99 % of {rate:,} a second", nearly_all, "s", at_most=p99),
            ]
    console.print(table)
    return found


def _files(settings: Settings) -> float:
    """Files that a minute leaves, before compaction."""
    lake = settings.data_dir / "runs" / "live" / "lake"
    return len(list(lake.glob("tickets/**/*.parquet"))) * 60 / SECONDS
