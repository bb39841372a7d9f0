"""Tables that can be audited: Parquet files, Iceberg, Delta, and whatever DuckDB can select from.

`opening` turns what the user names into a `unit.Source`: its columns and its units, the smallest parts that can be
named, each of which yields partitions and offsets batch by batch.
"""

__all__ = ["columns", "opening", "parquet", "unit"]
