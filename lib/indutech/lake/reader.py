"""Reads the lake with DuckDB, Arrow or pandas: committed micro-batches only, each offset once."""

import glob
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import pyarrow as pa

from indutech.lake import layout
from indutech.lake.layout import Kind
from indutech.lake.store import files
from indutech.lake.store import spark as store_for_spark
from indutech.lake.store.s3_path import S3Path
from indutech.system.settings import Settings
from indutech.tickets import product as products
from indutech.tickets import schema
from indutech.tickets.product import Product

if TYPE_CHECKING:  # a command that asks the lake one question reads neither, which would double its start
    import pandas as pd
    from pyspark.sql import SparkSession

_TRIES = 5
_T = TypeVar("_T")

# A producer that dies before it hears back sends again: the first arrival counts.
_CURATED = """
    SELECT * FROM {rows}
    QUALIFY row_number() OVER (PARTITION BY {unique} ORDER BY kafka_timestamp, kafka_partition, kafka_offset) = 1
"""


@dataclass(frozen=True)
class Footprint:
    """Files and bytes of one kind of rows."""

    kind: Kind
    files: int
    bytes: int
    batches: int
    days: int


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the views `tickets`, `quarantine` and `curated` over the committed files of this moment.

    The first is called like the product of the settings. `curated` has one row per `ticket_id`, or whatever fields of
    the product are unique. A query that runs while the stream compacts may find a file gone: `query`
    tries again, a connection kept for long does not.
    """
    lake = files.root(settings)
    connection = files.duckdb_on(lake.bucket if isinstance(lake, S3Path) else None)
    connection.execute("SET TimeZone = 'UTC'")
    product = products.of(settings)
    for kind in layout.kinds(settings):
        connection.execute(f"CREATE VIEW {kind} AS {rows(settings, kind)}")
    connection.execute(f"CREATE VIEW curated AS {_CURATED.format(rows=product.name, unique=', '.join(product.unique))}")
    return connection


def rows(settings: Settings, kind: Kind) -> str:
    """SQL of DuckDB for the rows of a kind that are committed now, on a connection that reaches the store."""
    listed = [str(file.path) for file in layout.committed_files(settings, kind)]
    return _scan(products.of(settings), kind, listed)


def query(settings: Settings, sql: str, parameters: Sequence[object] = ()) -> "pd.DataFrame":
    """The answer to one SQL question about `tickets`, `quarantine` or `curated`."""

    def ask() -> "pd.DataFrame":
        with connect(settings) as connection:
            return connection.execute(sql, parameters).df()

    return _again_if_a_file_vanished(ask)


def read(settings: Settings, view: str | None = None, columns: Sequence[str] = ("*",)) -> pa.Table:
    """The rows of a view as an Arrow table, by default of the product's; `.to_pandas()` makes it a DataFrame."""

    def ask() -> pa.Table:
        with connect(settings) as connection:
            return connection.sql(f"SELECT {', '.join(columns)} FROM {view or settings.product}").to_arrow_table()

    return _again_if_a_file_vanished(ask)


def footprints(settings: Settings) -> list[Footprint]:
    """How many committed files the lake has, and how large they are."""

    def measure() -> list[Footprint]:
        measured = []
        for kind in layout.kinds(settings):
            found = layout.committed_files(settings, kind)
            size = sum(file.path.stat().st_size for file in found)
            batches, days = {file.batch for file in found}, {file.ingest_date for file in found}
            measured.append(Footprint(kind, len(found), size, len(batches), len(days)))
        return measured

    return _again_if_a_file_vanished(measure)


def _scan(product: Product[Any], kind: Kind, paths: Sequence[str]) -> str:
    known = schema.columns(pa.schema([*schema.of(product).lake[kind], *schema.FOLDERS]), schema.DUCKDB_TYPES)
    nulls = ", ".join(f'NULL::{type_} AS "{name}"' for name, type_ in known.items())
    empty = f"SELECT {nulls} WHERE false"
    if not paths:
        return empty
    # A view cannot hold a prepared parameter: the list is quoted here.
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in paths)
    folders = ", ".join(f"'{name}': {known[name]}" for name in schema.FOLDERS.names)
    # By name, and with the columns of today: files from before a field was added read as null there.
    return (
        f"{empty} UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name = true, "
        f"hive_partitioning = true, hive_types = {{{folders}}})"
    )


def _again_if_a_file_vanished(ask: Callable[[], _T]) -> _T:
    for _ in range(_TRIES - 1):
        try:
            return ask()
        except (duckdb.IOException, FileNotFoundError):
            continue  # a compaction replaced the files after they were listed: list them again
    return ask()


_PLACE = ["kafka_partition", "kafka_offset"]


def rows_by_reader(settings: Settings, spark: "SparkSession") -> "pd.DataFrame":
    """Rows, and distinct offsets, that DuckDB, pyarrow, pandas and Spark find in the product's folder by its path.

    Exact whenever no stream and no compaction is writing; the views of `connect` are exact always.
    """
    import pandas as pd
    import pyarrow.dataset as ds
    from pyspark.sql import functions as F

    folder = layout.root(settings, settings.product)
    with files.duckdb_for([folder]) as connection:
        by_duckdb = connection.execute(
            f"SELECT {', '.join(_PLACE)} FROM read_parquet(?)",
            [f"{glob.escape(str(folder))}/ingest_date=*/batch=*/*.parquet"],
        ).df()
    where, system = (folder.in_bucket, folder.bucket.columns) if isinstance(folder, S3Path) else (str(folder), None)
    by_arrow = ds.dataset(where, partitioning="hive", filesystem=system).to_table(columns=_PLACE).to_pandas()
    by_pandas = pd.read_parquet(where, columns=_PLACE, filesystem=system)
    store_for_spark.reach(spark, settings)
    for_spark = f"s3a://{folder.in_bucket}" if isinstance(folder, S3Path) else str(folder)
    by_spark = spark.read.parquet(re.sub(r"([\[\]{},*?\\])", r"\\\1", for_spark)).agg(
        F.count("*").alias("rows"), F.count_distinct(*_PLACE).alias("distinct")
    ).first()  # fmt: skip
    counted = {
        "DuckDB": (len(by_duckdb), len(by_duckdb.drop_duplicates())),
        "pyarrow": (len(by_arrow), len(by_arrow.drop_duplicates())),
        "pandas": (len(by_pandas), len(by_pandas.drop_duplicates())),
        "Spark": tuple(by_spark or (0, 0)),
    }
    return pd.DataFrame(
        [(reader, rows, distinct) for reader, (rows, distinct) in counted.items()],
        columns=["reader", "rows", "distinct places"],
    )
