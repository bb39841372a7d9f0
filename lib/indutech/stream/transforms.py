"""What happens to a message between Kafka and the lake: validated, with what follows from it, or quarantined."""

import contextlib
import io
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from indutech.stream.fast_path import KAFKA_COLUMNS, fast_path
from indutech.stream.kept_columns import kept
from indutech.stream.validation import validation
from indutech.tickets import schema
from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.product import Product

# Days that a folder of the lake may be named after: a broken clock must not make folders for a thousand years.
FIRST_DAY, LAST_DAY = "2020-01-01", "2099-12-31"
_PROCESSED_AT, _FOLDER = "processed_at", "ingest_date"


def validated(kafka_rows: DataFrame, product: Product[Any] = TICKETS) -> DataFrame:
    """Add `reason` (null: the message is right) and the contract's fields, parsed once and normalised."""
    return fast_path(kafka_rows, product).withColumn("in_full", in_full(product)).select(*with_reason(product))


@kept
def in_full(product: Product[Any]) -> Column:
    """The full validation of what the fast path did not take, and null for what it did."""
    asked = F.when(~F.col("fast_path_ok"), F.array("value"))
    return F.transform(asked, validation(product))[0]


@kept
def with_reason(product: Product[Any]) -> list[Column]:
    """The message as Kafka has it, the reason, and each field from the path that validated it."""
    fields = (
        F.when(F.col("fast_path_ok"), F.col(field)).otherwise(F.col("in_full")[field]).alias(field)
        for field in product.fields
    )
    return [*(F.col(name) for name in KAFKA_COLUMNS), F.col("in_full.reason").alias("reason"), *fields]


def as_rows(validated_rows: DataFrame, processed_at: Column, product: Product[Any] = TICKETS) -> DataFrame:
    """Return the valid rows with the columns that they have in the lake."""
    return _as_stored(validated_rows.where(F.col("reason").isNull()), processed_at, _columns(product))


def as_quarantine(validated_rows: DataFrame, processed_at: Column) -> DataFrame:
    """Return the other rows as they came in, each with its reason."""
    return _as_stored(validated_rows.where(F.col("reason").isNotNull()), processed_at, _columns_of_the_bad())


def _as_stored(rows: DataFrame, processed_at: Column, columns: Mapping[str, Column]) -> DataFrame:
    return rows.select(*{**columns, _PROCESSED_AT: processed_at.alias(_PROCESSED_AT)}.values())


@kept
def _columns(product: Product[Any]) -> dict[str, Column]:
    derived = {}
    for name, (field, words) in product.derived.items():
        derived[name] = F.create_map(*[F.lit(word) for pair in words.items() for word in pair])[F.col(field)]
    return _stored_columns(schema.of(product).lake[product.name], derived)


@kept
def _columns_of_the_bad() -> dict[str, Column]:
    return _stored_columns(schema.LAKE[schema.QUARANTINE], {"raw": F.col("value")})


def _stored_columns(stored: pa.Schema, derived: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of the lake in the order of its schema, and the day of the folder."""
    columns = {name: F.col(name.removeprefix(schema.KAFKA_PREFIX)) for name in stored.names}
    columns |= {**derived, _FOLDER: ingest_date()}
    return {name: column.alias(name) for name, column in columns.items()}


@kept
def ingest_date() -> Column:
    """Return the day of the broker's timestamp, within bounds: the folder a row belongs to, whenever it is written."""
    first, last = (F.lit(limit).cast("date") for limit in (FIRST_DAY, LAST_DAY))
    day = F.coalesce(F.col("timestamp").cast("date"), first)
    return F.greatest(F.least(day, last), first)


def operators(frame: DataFrame) -> list[str]:
    """Names of the operators of the frame's physical plan, in the order in which rows pass through them."""
    with contextlib.redirect_stdout(io.StringIO()) as plan:
        frame.explain()
    return re.findall(r"^[ :+*|-]*(?:\(\d+\) )?([A-Z]\w+)", plan.getvalue(), re.MULTILINE)[::-1]


def steps(spark: SparkSession) -> str:
    """A Markdown table: each step of the stream and the columns it leaves."""
    read = spark.createDataFrame([], schema.spark_schema(schema.KAFKA))
    rows = spark.createDataFrame([], validated(read).schema)  # so that Spark resolves the expression only once
    now = F.lit(None).cast("timestamp")
    done = {
        "read from Kafka": read.columns,
        "validated: a reason, or the ticket's fields": [name for name in rows.columns if name not in read.columns],
        "no reason: to the lake": as_rows(rows, now).columns,
        "a reason: to the quarantine": as_quarantine(rows, now).columns,
    }
    lines = [f"| {step} | {', '.join(f'`{name}`' for name in columns)} |" for step, columns in done.items()]
    return "\n".join(["| step | columns |", "|---|---|", *lines])
