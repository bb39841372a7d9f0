"""An Iceberg table with the fault of apache/iceberg#17340, of our own making, and what the audit says to it.

After rebalances that restarted tasks in the middle of a commit cycle, the sink for Kafka Connect committed data files a
second time, so that every scan reads their rows twice. The table here has that shape, not that data.
"""

from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

from indutech.lake import reader
from indutech.proof import run_audit
from indutech.proof.audit_result import Audit
from indutech.report.trials.bench import Bench
from indutech.system.settings import Settings

FILES_PER_PARTITION = 4
_COLUMNS = ("_kafka_metadata_partition", "_kafka_metadata_offset")
_TABLE = "lake.tickets"


def write_table(settings: Settings) -> pd.DataFrame:
    """Write every place of the lake as data files, and commit them as the sink did; return the commits.

    The first commit has half of the files; the second the others, and of each partition the newest of the first again.
    """
    folder = settings.data_dir / "rebalance"
    (folder / "data").mkdir(parents=True)
    places = reader.query(
        settings,
        "SELECT kafka_partition, kafka_offset FROM tickets UNION ALL "
        "SELECT kafka_partition, kafka_offset FROM quarantine ORDER BY ALL",
    )
    early: list[str] = []
    late: list[str] = []
    again: list[str] = []
    for partition, rows in places.groupby("kafka_partition"):
        size = -(-len(rows) // FILES_PER_PARTITION)
        files = []
        for number in range(FILES_PER_PARTITION):
            path = folder / "data" / f"{partition:05d}-{number:05d}.parquet"
            columns = [rows[name].iloc[number * size : (number + 1) * size] for name in rows.columns]
            pq.write_table(pa.Table.from_arrays([pa.array(one) for one in columns], names=list(_COLUMNS)), path)
            files.append(str(path))
        half = FILES_PER_PARTITION // 2
        early, late, again = early + files[:half], late + files[half:], [*again, files[half - 1]]
    catalog = SqlCatalog("rebalance", uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=str(folder / "warehouse"))
    catalog.create_namespace("lake")
    table = catalog.create_table(_TABLE, schema=pq.read_schema(early[0]))
    table.add_files(early)
    table.add_files(late + again, check_duplicate_files=False)
    catalog.close()
    commits = {"A": (len(early), 0), "B": (len(late) + len(again), len(again))}
    return pd.DataFrame(
        [(name, *counts) for name, counts in commits.items()],
        columns=["commit", "data files added", "of them added before"],
    )


def audited(bench: Bench) -> Audit:
    """Audit that table against the topic, as `indutech audit 'iceberg:sqlite:///…#lake.tickets'` does."""
    where = f"iceberg:sqlite:///{bench.settings.data_dir / 'rebalance' / 'catalog.db'}#{_TABLE}"
    return run_audit.against(run_audit.Question(where, bench.settings.topic), bench.broker, datetime.now(UTC))


def findings(audit: Audit) -> pd.DataFrame:
    """What is wrong, by partition: which offsets, and in which file how often."""
    rows = []
    for one in audit.findings:
        files = sorted({place.rpartition("/")[2].split(",")[0].split(" ")[0] for place in one.where})
        rows.append({
            "partition": one.partition,
            "what": one.kind,
            "first offset": one.first,
            "last offset": one.last,
            "file": ", ".join(files),
            "commits that name it": len(set(one.where)),
        })  # fmt: skip
    return pd.DataFrame(rows)
