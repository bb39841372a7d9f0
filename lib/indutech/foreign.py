"""The lake as tools see it that have never heard of this project: plain Parquet under plain folder names."""

import duckdb
import pandas as pd
import pyarrow.dataset as ds
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from indutech.settings import Settings

_PLACE = ["kafka_partition", "kafka_offset"]


def as_others_see_it(settings: Settings, spark: SparkSession) -> pd.DataFrame:
    """Rows, and distinct places in the topic, that each reader finds in the folder of the tickets.

    Right whenever no stream and no compaction is writing; `lake` is right always.
    """
    folder = settings.tickets_dir
    with duckdb.connect() as connection:
        by_duckdb = connection.execute(
            f"SELECT {', '.join(_PLACE)} FROM read_parquet(?)", [f"{folder}/ingest_date=*/batch=*/*.parquet"]
        ).df()
    by_arrow = ds.dataset(folder, partitioning="hive").to_table(columns=_PLACE).to_pandas()
    by_pandas = pd.read_parquet(folder, columns=_PLACE)
    by_spark = spark.read.parquet(str(folder)).agg(
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
