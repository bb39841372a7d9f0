"""Writes one micro-batch so that every reader sees each offset once, however often Spark runs the batch.

A batch that Spark runs again has the same number and offsets: they are in the checkpoint. Each run replaces the
folders of its number, and removes those that it did not write, before the batch is committed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Observation, Row, SparkSession
from pyspark.sql import functions as F

from indutech.lake import compaction, identity, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.identity import Identity
from indutech.lake.layout import DataFile, Kind
from indutech.lake.store import spark as store_for_spark
from indutech.lake.store.s3_path import S3Path
from indutech.stream import cluster, transforms
from indutech.stream.fast_path import KAFKA_COLUMNS, fast_path
from indutech.stream.kept_columns import kept
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets import schema
from indutech.tickets.product import Product
from indutech.tickets.strict_json import Rejected

# Up to these bounds, rows that the first pass over Kafka does not store come back to the driver; more or larger ones
# cost a second pass.
MOST_IN_ONE_PASS = 10_000
LARGEST_IN_ONE_PASS_BYTES = 8_192

_SMALL_BATCH_TICKETS = 50_000


@dataclass
class BatchWriter:
    """Called by Spark for each micro-batch; remembers the lake's identity and how many rows went where."""

    settings: Settings
    identity: Identity
    still_ours: Callable[[], None] = lambda: None  # raises once another writer may have the lake
    uncommitted: Sequence[DataFile] = ()  # what was there when this process began to write
    stored: int = 0
    quarantined: int = 0
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    _in_spark: bool = False

    @property
    def product(self) -> Product[Any]:
        """What the messages are."""
        return products.of(self.settings)

    def __call__(self, kafka_rows: DataFrame, batch: int) -> None:
        """Write the batch into lake and quarantine, and remove what an earlier try of it left elsewhere."""
        self.still_ours()
        compaction.refuse_compacted(self.settings, batch)
        compaction.between_batches(self.settings, batch)
        self.identity = identity.claim(self.settings, self.identity)
        rows = kafka_rows.coalesce(1) if self._is_small(batch) else kafka_rows
        stored, quarantined = self._write_validated(rows, batch) if self._in_spark else self._write_fast(rows, batch)
        if cluster.is_cluster(self.settings.spark_master):
            cluster.refuse_unseen(self.settings, batch, {self.product.name: stored, schema.QUARANTINE: quarantined})
        self.stored += stored
        self.quarantined += quarantined
        self.counts[batch] = {"stored": stored, "quarantined": quarantined}
        self.still_ours()  # Spark commits the micro-batch when this returns

    def _write_fast(self, kafka_rows: DataFrame, batch: int) -> tuple[int, int]:
        """Store what the fast path takes; the rest comes back with the same pass, and Python validates it."""
        rows = fast_path(kafka_rows, self.product).withColumn("reason", _not_validated())
        seen = self._store_valid(rows, batch)
        if not seen.returned_all:
            self._in_spark = True  # another producer's format: from now on Spark validates every message in full
            return self._write_validated(kafka_rows, batch)
        validated = [self._validated_here(row) for row in seen.others]
        valid = [row for row in validated if row["reason"] is None]
        if valid:
            late = transforms.as_rows(self._as_frame(kafka_rows.sparkSession, valid), _now(), self.product)
            self._write(late, self.product.name, batch, mode="append")
        self._store_bad(lambda: self._as_frame(kafka_rows.sparkSession, validated), batch, len(validated) - len(valid))
        return seen.good + len(valid), len(validated) - len(valid)

    def _write_validated(self, kafka_rows: DataFrame, batch: int) -> tuple[int, int]:
        """Let Spark validate each message in full; a second pass is made only for more bad rows than fit."""
        validated = transforms.validated(kafka_rows, self.product)
        seen = self._store_valid(validated, batch)

        def bad() -> DataFrame:
            rows = [{**row.asDict(), **dict.fromkeys(self.product.fields)} for row in seen.others]
            return self._as_frame(kafka_rows.sparkSession, rows) if seen.returned_all else validated

        self._store_bad(bad, batch, seen.other_count)
        return seen.good, seen.other_count

    def _store_valid(self, validated: DataFrame, batch: int) -> "_Seen":
        """One pass over Kafka: rows without a reason to the lake, the others back to the driver as far as they fit."""
        seen = Observation()
        # An observation is a barrier as well: without it, the filter below would parse every message twice.
        observed = validated.observe(seen, *_counted())
        self._write(transforms.as_rows(observed, _now(), self.product), self.product.name, batch)
        found = seen.get
        layout.remove_stale(self.settings, self.product.name, batch, found["dates"], self.uncommitted)
        return _Seen(found["good"], found["other_count"], found["others"] or [])

    def _store_bad(self, validated: Callable[[], DataFrame], batch: int, count: int) -> None:
        """Rows with a reason to the quarantine, if there are any, and nothing of an earlier try beside them."""
        dates: set[date] = set()
        if count:
            seen = Observation()
            bad = F.col("reason").isNotNull()
            rows = validated().observe(seen, F.collect_set(F.when(bad, transforms.ingest_date())).alias("dates"))
            self._write(transforms.as_quarantine(rows, _now()), schema.QUARANTINE, batch)
            dates = set(seen.get["dates"])
        layout.remove_stale(self.settings, schema.QUARANTINE, batch, dates, self.uncommitted)

    def _write(
        self, rows: DataFrame, kind: Kind, batch: int, mode: Literal["overwrite", "append"] = "overwrite"
    ) -> None:
        # As text, because a number would be compiled into the code, which Spark then compiles anew for each batch.
        numbered = rows.withColumn("batch", F.lit(str(batch)))
        writer = numbered.write.mode(mode).options(**self._no_dictionary())
        where = str(place := layout.root(self.settings, kind))
        if isinstance(place, S3Path):
            writer, where = store_for_spark.lake_writer(writer, rows.sparkSession, place, mode)
        with cluster.refusing_unshared(self.settings):
            writer.partitionBy(*schema.FOLDERS.names).parquet(where)

    def _no_dictionary(self) -> dict[str, str]:
        """Every id is different, so a dictionary of them only costs time."""
        return {f"parquet.enable.dictionary#{name}": "false" for name in schema.of(self.product).unique}

    def _validated_here(self, row: Row) -> dict[str, Any]:
        result = self.product.validate(row["value"])
        if isinstance(result, Rejected):
            return {**row.asDict(), **dict.fromkeys(self.product.fields), "reason": result.reason}
        return {**row.asDict(), **result.model_dump(mode="python"), "reason": None}

    def _as_frame(self, spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
        # Through Arrow: from a list of rows, Spark would start Python workers for it. In one piece: one file.
        columns = schema.of(self.product).validated
        return spark.createDataFrame(pa.Table.from_pylist(list(rows), schema=columns)).coalesce(1)

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
    other_count: int
    others: Sequence[Row]

    @property
    def returned_all(self) -> bool:
        return len(self.others) == self.other_count


@kept
def _not_validated() -> Column:
    return F.when(~F.col("fast_path_ok"), "not validated yet")


@kept
def _counted() -> list[Column]:
    """What one pass tells of its rows: how many are good, their days, and the others, as far as they fit."""
    other = F.col("reason").isNotNull()
    fits = other & (F.coalesce(F.length("value"), F.lit(0)) <= LARGEST_IN_ONE_PASS_BYTES)
    return [
        F.count_if(~other).alias("good"),
        F.count_if(other).alias("other_count"),
        F.collect_set(F.when(~other, transforms.ingest_date())).alias("dates"),
        _at_most(MOST_IN_ONE_PASS, F.struct(*KAFKA_COLUMNS, "reason"), fits).alias("others"),
    ]


def _at_most(most: int, value: Column, wanted: Column) -> Column:
    """Up to `most` of the wanted rows, in bounded memory, as an aggregate that an observation accepts."""
    return F.call_function("max_by", F.when(wanted, value), F.when(wanted, F.col("offset")), F.lit(most))


def _now() -> Column:
    """When this try of the batch began: one instant for all its rows."""
    # Looked up in an array by a column, so that it stays data: see the comment on the batch's number.
    return F.array(F.lit(datetime.now(UTC)))[F.col("partition") * 0]
