"""One micro-batch, written so that every reader sees each offset once, however often the batch is tried.

A batch that Spark tries again has the same number and the same offsets: they stand in the checkpoint. Each try
replaces the folders of its number, and removes those that it did not write, before the batch is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Observation, Row, SparkSession
from pyspark.sql import functions as F

from indutech.lake import compaction, identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity
from indutech.lake.layout import Kind
from indutech.stream import transforms
from indutech.system.settings import Settings
from indutech.tickets import contract

# Odd messages up to these bounds come back from the one pass over Kafka; a batch with more or larger ones takes two.
MOST_IN_ONE_PASS = 10_000
LARGEST_IN_ONE_PASS_BYTES = 8_192

_SMALL_BATCH_TICKETS = 50_000
_VALIDATED = pa.schema(
    {
        "key": pa.binary(),
        "value": pa.binary(),
        "topic": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
        "reason": pa.string(),
        "ticket_id": pa.string(),
        "client_id": pa.int32(),
        "creation_date": pa.timestamp("us", "UTC"),
        "request": pa.string(),
        "type": pa.string(),
        "priority": pa.string(),
    }
)


@dataclass
class BatchWriter:
    """Called by Spark for each micro-batch; remembers the lake's identity and how many rows went where."""

    settings: Settings
    identity: Identity
    stored: int = 0
    quarantined: int = 0
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    _mostly_odd: bool = False

    def __call__(self, kafka_rows: DataFrame, batch: int) -> None:
        """Write the batch into lake and quarantine, and remove what an earlier try of it left elsewhere."""
        compaction.refuse_compacted(self.settings, batch)
        compaction.between_batches(self.settings, batch)
        self.identity = identity.claim(self.settings, self.identity)
        rows = kafka_rows.coalesce(1) if self._is_small(batch) else kafka_rows
        stored, quarantined = self._write_whole(rows, batch) if self._mostly_odd else self._write_short(rows, batch)
        self.stored += stored
        self.quarantined += quarantined
        self.counts[batch] = {"stored": stored, "quarantined": quarantined}

    def _write_short(self, kafka_rows: DataFrame, batch: int) -> tuple[int, int]:
        """Store the usual messages; the odd ones come back with the same pass, and the contract validates them."""
        rows = transforms.fast_path(kafka_rows).withColumn("reason", F.when(~F.col("usual"), "not looked at yet"))
        seen = self._store_valid(rows, batch)
        if not seen.all_odd_here:
            self._mostly_odd = True  # somebody else's producer: from now on Spark validates every message
            return self._write_whole(kafka_rows, batch)
        looked_at = [_by_the_contract(row) for row in seen.odd]
        valid = [row for row in looked_at if row["reason"] is None]
        if valid:
            tickets_late = transforms.as_tickets(_as_frame(kafka_rows.sparkSession, valid), _now())
            self._write(tickets_late, "tickets", batch, mode="append")
        self._store_bad(_as_frame(kafka_rows.sparkSession, looked_at), batch, len(looked_at) - len(valid))
        return seen.good + len(valid), len(looked_at) - len(valid)

    def _write_whole(self, kafka_rows: DataFrame, batch: int) -> tuple[int, int]:
        """Let Spark validate each message in full; a second pass is made only for more bad rows than fit."""
        validated = transforms.validated(kafka_rows)
        seen = self._store_valid(validated, batch)
        bad = [{**row.asDict(), **dict.fromkeys(contract.FIELDS)} for row in seen.odd]
        bad_rows = _as_frame(kafka_rows.sparkSession, bad) if seen.all_odd_here else validated
        self._store_bad(bad_rows, batch, seen.odd_count)
        return seen.good, seen.odd_count

    def _store_valid(self, validated: DataFrame, batch: int) -> "_Seen":
        """One pass over Kafka: rows without a reason to the lake, the others back to the driver as far as they fit."""
        seen = Observation()
        odd = F.col("reason").isNotNull()
        fits = odd & (F.coalesce(F.length("value"), F.lit(0)) <= LARGEST_IN_ONE_PASS_BYTES)
        # An observation is a barrier as well: without it, the filter below would parse every message twice.
        observed = validated.observe(
            seen,
            F.count_if(~odd).alias("good"),
            F.count_if(odd).alias("odd_count"),
            F.collect_set(F.when(~odd, transforms.ingest_date())).alias("dates"),
            _at_most(MOST_IN_ONE_PASS, F.struct(*transforms.KAFKA_COLUMNS, "reason"), fits).alias("odd"),
        )
        self._write(transforms.as_tickets(observed, _now()), "tickets", batch)
        found = seen.get
        layout.remove_stale(self.settings, "tickets", batch, found["dates"])
        return _Seen(found["good"], found["odd_count"], found["odd"] or [])

    def _store_bad(self, validated: DataFrame, batch: int, count: int) -> None:
        """Rows with a reason to the quarantine, and nothing of an earlier try beside them."""
        dates: set[date] = set()
        if count:
            seen = Observation()
            bad = F.col("reason").isNotNull()
            rows = validated.observe(seen, F.collect_set(F.when(bad, transforms.ingest_date())).alias("dates"))
            self._write(transforms.as_quarantine(rows, _now()), "quarantine", batch)
            dates = set(seen.get["dates"])
        layout.remove_stale(self.settings, "quarantine", batch, dates)

    def _write(
        self, rows: DataFrame, kind: Kind, batch: int, mode: Literal["overwrite", "append"] = "overwrite"
    ) -> None:
        # As text, because a number would be compiled into the code, which Spark then compiles anew for each batch.
        numbered = rows.withColumn("batch", F.lit(str(batch)))
        # Every id is different, so a dictionary of them only costs time.
        writer = numbered.write.mode(mode).option("parquet.enable.dictionary#ticket_id", "false")
        writer.partitionBy("ingest_date", "batch").parquet(str(layout.root(self.settings, kind)))

    def _is_small(self, batch: int) -> bool:
        """Whether one file is enough: the checkpoint knows the size before Kafka is read."""
        log, topic = Checkpoint(self.settings.checkpoint_dir), self.identity.topic
        before = log.end_offsets(batch - 1, topic) if batch else dict(self.identity.start_offsets)
        planned = sum(end - before.get(p, 0) for p, end in log.end_offsets(batch, topic).items())
        return planned <= _SMALL_BATCH_TICKETS


@dataclass(frozen=True)
class _Seen:
    """What one pass saw: rows stored, rows that were not, and those of them that came back."""

    good: int
    odd_count: int
    odd: Sequence[Row]

    @property
    def all_odd_here(self) -> bool:
        return len(self.odd) == self.odd_count


def _by_the_contract(row: Row) -> dict[str, Any]:
    verdict = contract.validate(row["value"])
    if isinstance(verdict, contract.Rejected):
        return {**row.asDict(), **dict.fromkeys(contract.FIELDS), "reason": verdict.reason}
    return {**row.asDict(), **verdict.model_dump(mode="python"), "reason": None}


def _as_frame(spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
    # Through Arrow: from a list of rows, Spark would start Python workers for it. In one piece: it becomes one file.
    return spark.createDataFrame(pa.Table.from_pylist(list(rows), schema=_VALIDATED)).coalesce(1)


def _at_most(most: int, value: Column, wanted: Column) -> Column:
    """Up to `most` of the wanted rows, in bounded memory, as an aggregate that an observation accepts."""
    return F.call_function("max_by", F.when(wanted, value), F.when(wanted, F.col("offset")), F.lit(most))


def _now() -> Column:
    """When this try of the batch began: one instant for all its rows."""
    # Looked up in an array by a column, so that it stays data: see the comment on the batch's number.
    return F.array(F.lit(datetime.now(UTC)))[F.col("partition") * 0]
