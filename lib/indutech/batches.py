"""One micro-batch, written so that every reader sees each offset once, however often the batch is tried.

A batch that Spark tries again has the same number and the same offsets: they stand in the checkpoint. Each try
replaces the folders of its number, and removes those that it did not write, before the batch is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Observation, Row, SparkSession
from pyspark.sql import functions as F

from indutech import compact, identity, layout, transforms
from indutech.checkpoint import Checkpoint
from indutech.identity import Identity
from indutech.settings import Settings

# Bad messages up to these bounds come back from the one pass over Kafka; beyond them a second pass fetches them.
MOST_BAD_IN_ONE_PASS = 10_000
LARGEST_BAD_IN_ONE_PASS_BYTES = 8_192

_SMALL_BATCH_TICKETS = 50_000
_BAD_ROWS = pa.schema(
    {
        "key": pa.binary(),
        "value": pa.binary(),
        "topic": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
        "reason": pa.string(),
    }
)
_FILES = {
    # Every id is different, so a dictionary of them only costs time.
    "parquet.enable.dictionary#ticket_id": "false",
}


@dataclass
class BatchWriter:
    """Called by Spark for each micro-batch; remembers the lake's identity and how many rows went where."""

    settings: Settings
    identity: Identity
    stored: int = 0
    quarantined: int = 0
    counts: dict[int, dict[str, int]] = field(default_factory=dict)

    def __call__(self, kafka_rows: DataFrame, batch: int) -> None:
        """Write the batch into lake and quarantine, then remove what an earlier try of it left elsewhere."""
        compact.refuse_compacted(self.settings, batch)
        self.identity = identity.claim(self.settings, self.identity)
        rows = kafka_rows.coalesce(1) if self._is_small(batch) else kafka_rows
        stored, bad, dates = self._write_tickets(rows, batch)
        bad_dates = self._write_quarantine(kafka_rows, batch, bad) if bad.count else set()
        layout.remove_stale(self.settings, "tickets", batch, dates)
        layout.remove_stale(self.settings, "quarantine", batch, bad_dates)
        self.stored += stored
        self.quarantined += bad.count
        self.counts[batch] = {"stored": stored, "quarantined": bad.count}

    def _is_small(self, batch: int) -> bool:
        """Whether one file is enough: the checkpoint knows the size before Kafka is read."""
        log, topic = Checkpoint(self.settings.checkpoint_dir), self.identity.topic
        before = log.end_offsets(batch - 1, topic) if batch else dict(self.identity.start_offsets)
        planned = sum(end - before.get(p, 0) for p, end in log.end_offsets(batch, topic).items())
        return planned <= _SMALL_BATCH_TICKETS

    def _write_tickets(self, kafka_rows: DataFrame, batch: int) -> tuple[int, "_Bad", set[date]]:
        """One pass over Kafka: valid rows to the lake, and what the batch holds of bad ones back to the driver."""
        seen = Observation()
        is_bad = F.col("reason").isNotNull()
        fits = is_bad & (F.coalesce(F.length("value"), F.lit(0)) <= LARGEST_BAD_IN_ONE_PASS_BYTES)
        judged = transforms.judged(kafka_rows).observe(
            seen,
            F.count_if(~is_bad).alias("stored"),
            F.count_if(is_bad).alias("bad"),
            F.collect_set(F.when(~is_bad, transforms.ingest_date())).alias("dates"),
            _largest(F.struct(*transforms.KAFKA_COLUMNS, "reason"), fits, MOST_BAD_IN_ONE_PASS).alias("bad_rows"),
        )
        tickets = transforms.as_tickets(judged, _now())
        self._write(tickets, str(layout.root(self.settings, "tickets")), batch)
        found = seen.get
        return found["stored"], _Bad(found["bad"], found["bad_rows"] or []), set(found["dates"])

    def _write_quarantine(self, kafka_rows: DataFrame, batch: int, bad: "_Bad") -> set[date]:
        spark = kafka_rows.sparkSession
        judged = bad.as_rows(spark) if bad.all_here else transforms.judged(kafka_rows)
        seen = Observation()
        rows = judged.observe(
            seen,
            F.collect_set(F.when(F.col("reason").isNotNull(), transforms.ingest_date())).alias("d"),
        )
        quarantine = transforms.as_quarantine(rows, _now())
        self._write(quarantine.coalesce(1), str(layout.root(self.settings, "quarantine")), batch)
        return set(seen.get["d"])

    def _write(self, rows: DataFrame, where: str, batch: int) -> None:
        # As text, because a number would be compiled into the code, which Spark then compiles anew for each batch.
        numbered = rows.withColumn("batch", F.lit(str(batch)))
        numbered.write.mode("overwrite").options(**_FILES).partitionBy("ingest_date", "batch").parquet(where)


@dataclass(frozen=True)
class _Bad:
    """The bad rows of a batch: how many there are, and those that came back."""

    count: int
    rows: Sequence[Row]

    @property
    def all_here(self) -> bool:
        return len(self.rows) == self.count

    def as_rows(self, spark: SparkSession) -> DataFrame:
        # Through Arrow: from a list of rows, Spark would start Python workers for it.
        table = pa.Table.from_pylist([row.asDict() for row in self.rows], schema=_BAD_ROWS)
        return spark.createDataFrame(table)


def _largest(value: Column, wanted: Column, most: int) -> Column:
    """Up to `most` of the wanted rows, in bounded memory, as an aggregate that an observation accepts."""
    order = F.when(wanted, F.col("offset"))
    return F.call_function("max_by", F.when(wanted, value), order, F.lit(most))


def _now() -> Column:
    """When this try of the batch began: one instant for all its rows."""
    # Looked up in an array by a column, so that it stays data: see the comment on the batch's number.
    return F.array(F.lit(datetime.now(UTC)))[F.col("partition") * 0]
