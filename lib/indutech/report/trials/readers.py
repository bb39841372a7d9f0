"""What readers find in the folders of the two sinks: DuckDB, pyarrow and Spark, which know neither of them."""

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import SparkSession

from indutech.report.trials import kills, two_sinks
from indutech.report.trials.bench import Bench

FILE_SINK, OURS = "Spark's file sink", "ours"
_SINKS = {FILE_SINK: ["partition", "offset"], OURS: ["kafka_partition", "kafka_offset"]}


def by_reader(bench: Bench) -> pd.DataFrame:
    """Return what DuckDB, pyarrow and Spark find in each of the two folders, and more than once."""
    settings = bench.settings
    folders = {
        FILE_SINK: (two_sinks.file_sink(settings), "*.parquet"),
        OURS: (settings.tickets_dir, kills.OURS_GLOB),
    }
    rows = []
    for sink, (folder, pattern) in folders.items():
        files = sorted(folder.glob(pattern))
        unreadable = [path for path in files if not kills.is_readable(path)]
        good = [str(path) for path in files if path not in unreadable]
        for reader, read in _READERS.items():
            places, stops = read(folder, pattern, good, _SINKS[sink], bench.spark)
            rows.append({
                "sink": sink,
                "reader": reader,
                "the folder as it is": "stops" if stops else "is read",
                "unreadable files": len(unreadable) if reader != "Spark" or stops else 0,
                "rows": len(places),
                "rows too many": len(places) - len(places.drop_duplicates()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def compared(found: pd.DataFrame, sent: int) -> str:
    """The table of `by_reader` in a sentence for each sink."""
    said = []
    for sink in found["sink"].unique():
        rows = found[found["sink"] == sink]
        stops = int((rows["the folder as it is"] == "stops").sum())
        too_many, damaged = int(rows["rows too many"].max()), int(rows["unreadable files"].max())
        if stops or too_many:
            what = (
                f"{stops} of {len(rows)} readers stop at damaged files ({damaged}); "
                f"the other files hold **{too_many:,} rows too many** ({100 * too_many / sent:.0f} %)"
            )
        else:
            what = f"all {len(rows)} readers see **{int(rows['rows'].max()):,}** rows, each once"
        named = sink[0].upper() + sink[1:]
        said.append(f"- {named}: {sent:,} sent; {what}.")
    return "\n".join(said)


def rows_too_many(found: pd.DataFrame) -> dict[str, int]:
    """The most rows too many that a reader of each sink sees."""
    most = found.groupby("sink")["rows too many"].max()
    return {"twice_by_file_sink": int(most[FILE_SINK]), "twice_by_ours": int(most[OURS])}


def _by_duckdb(folder: Path, pattern: str, good: Sequence[str], columns: Sequence[str], _: SparkSession) -> "_Found":
    quoted = ", ".join(f'"{name}"' for name in columns)  # one is a word of SQL
    sql = f"SELECT {quoted} FROM read_parquet(?)"
    with duckdb.connect() as connection:
        try:
            return connection.execute(sql, [f"{glob.escape(str(folder))}/{pattern}"]).df(), False
        except duckdb.Error:
            return connection.execute(sql, [list(good)]).df(), True


def _by_arrow(folder: Path, _: str, good: Sequence[str], columns: Sequence[str], __: SparkSession) -> "_Found":
    try:
        return ds.dataset(folder, format="parquet", partitioning="hive").to_table(
            columns=list(columns)
        ).to_pandas(), False
    except (pa.ArrowInvalid, OSError):
        return ds.dataset(list(good), format="parquet").to_table(columns=list(columns)).to_pandas(), True


def _by_spark(folder: Path, _: str, __: Sequence[str], columns: Sequence[str], spark: SparkSession) -> "_Found":
    escaped = re.sub(r"([\[\]{},*?\\])", r"\\\1", str(folder))
    return spark.read.parquet(escaped).select(*columns).toPandas(), False


_Found = tuple[pd.DataFrame, bool]
_READERS: dict[str, Callable[..., _Found]] = {"DuckDB": _by_duckdb, "pyarrow": _by_arrow, "Spark": _by_spark}
