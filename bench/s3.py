"""Requests to S3 per micro-batch: our stream on a real server behind a gate that counts, beside two other committers.

`python -m bench.s3 --write` keeps what was counted in assets/s3-requests.json, which the cost model reads.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.s3_gate import BILLED_AS_PUT, Gate, gate_before
from indutech.kafka import broker as brokers
from indutech.lake import layout
from indutech.lake.store import connection, files
from indutech.lake.store import spark as store_for_spark
from indutech.producer import produce
from indutech.stream import job
from indutech.stream.session import session
from indutech.system.settings import PROJECT, Settings
from indutech.system.state_files import write_json

RESULT = PROJECT / "assets" / "s3-requests.json"
TICKETS_PER_BATCH = 100_000
BATCHES = 5
FILES = 2  # of a batch, of the other committers

_RENAMING = {
    "spark.sql.sources.commitProtocolClass": (
        "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol"
    ),
    "spark.sql.parquet.output.committer.class": "org.apache.parquet.hadoop.ParquetOutputCommitter",
}


def run(console: Console) -> list[Figure]:
    """Count, print the table, and return our requests per micro-batch."""
    counted = count()
    table = Table(title=f"Requests per micro-batch of {TICKETS_PER_BATCH:,} tickets", box=SIMPLE_HEAD)
    kinds = sorted({kind for mine in counted["committers"].values() for kind in mine})
    for name in ("committer", *kinds, "billed as PUT", "billed as GET"):
        table.add_column(name, justify="left" if name == "committer" else "right")
    for name, mine in counted["committers"].items():
        puts, gets = _billed(mine)
        table.add_row(name, *(f"{mine.get(kind, 0):g}" for kind in kinds), f"{puts:g}", f"{gets:g}")
    console.print(table)
    puts, gets = _billed(counted["committers"]["our stream"])
    return [
        Figure("s3", "requests billed as PUT per micro-batch", puts, "requests"),
        Figure("s3", "requests billed as GET per micro-batch", gets, "requests"),
    ]


def count() -> dict[str, object]:
    """Write the same tickets in each way and return what each asked of the server per micro-batch."""
    with tempfile.TemporaryDirectory(prefix="indutech-bench-") as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder),
            lake_uri="s3a://indutech/lake",
            max_batch_tickets=TICKETS_PER_BATCH,
            bootstrap_servers=None,
        )
        with (
            connection.connected(settings) as reached,
            gate_before(str(reached.s3_endpoint)) as gate,
            brokers.connected(settings) as broker,
        ):
            through = reached.model_copy(update={"s3_endpoint": gate.endpoint})
            produce.produce(through, broker, count=TICKETS_PER_BATCH * (BATCHES + 1), seed=1, load=True, progress=False)
            spark = session(through)
            by_batch: list[Counter[str]] = []
            write = job.BatchWriter.__call__

            def counting(self: job.BatchWriter, rows: DataFrame, batch: int) -> None:
                gate.requests.clear()
                write(self, rows, batch)
                by_batch.append(Counter(gate.requests))

            job.BatchWriter.__call__ = counting  # type: ignore[method-assign]
            try:
                job.run(through, broker, once=True, spark=spark)
            finally:
                job.BatchWriter.__call__ = write  # type: ignore[method-assign]
            # The first makes what is there only once; the last holds what did not divide by the partitions.
            ours = _mean(by_batch[1 : BATCHES + 1])
            stored = [file for file in layout.committed_files(through, "tickets") if 0 < file.batch <= BATCHES]
            rows = spark.read.parquet(f"s3a://{files.root(through).in_bucket}/tickets").limit(TICKETS_PER_BATCH)
            rows = rows.drop("batch", "ingest_date").repartition(FILES).cache()
            rows.count()
            others = {
                "dynamic overwrite, renaming": _other(rows, through, gate, magic=False),
                "magic": _other(rows, through, gate, magic=True),
            }
            spark.stop()
    return {
        "made_by": "python -m bench.s3 --write",
        "measured_on": datetime.now(UTC).date().isoformat(),
        "server": "SeaweedFS, embedded",
        "tickets_per_batch": TICKETS_PER_BATCH,
        "batches": BATCHES,
        "files_per_batch": round(len(stored) / BATCHES, 1),
        "committers": {"our stream": ours, **others},
    }


def _other(rows: DataFrame, settings: Settings, gate: Gate, *, magic: bool) -> dict[str, float]:
    """What another committer asks for, the mean over some batches."""
    spark = rows.sparkSession
    for name, value in (store_for_spark.COMMITTERS if magic else _RENAMING).items():
        spark.conf.set(name, value)
    place = f"s3a://{files.root(settings).in_bucket}/{'magic' if magic else 'renaming'}"
    options = {"fs.s3a.committer.name": "magic"} if magic else {}
    by_batch: list[Counter[str]] = []
    for batch in range(BATCHES + 1):
        gate.requests.clear()
        numbered = rows.withColumn("ingest_date", F.lit("2026-01-01")).withColumn("batch", F.lit(str(batch)))
        writer = numbered.write.mode("append" if magic else "overwrite").options(**options)
        writer.partitionBy("ingest_date", "batch").parquet(place)
        by_batch.append(Counter(gate.requests))
    return _mean(by_batch[1:])


def _mean(batches: list[Counter[str]]) -> dict[str, float]:
    kinds = sorted({kind for one in batches for kind in one})
    return {kind: round(sum(one[kind] for one in batches) / len(batches), 1) for kind in kinds}


def _billed(requests: Mapping[str, float]) -> tuple[float, float]:
    puts = sum(number for kind, number in requests.items() if kind in BILLED_AS_PUT)
    gets = sum(number for kind, number in requests.items() if kind in ("GET", "HEAD"))
    return round(puts, 1), round(gets, 1)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write_json(RESULT, counted := count())
        print(json.dumps(counted, indent=2))
    else:
        run(Console())
