"""The lake: where its Parquet files stand, which of them count, whose they are, and how to read them.

`reader` is the way to read, `quarantine` to look at what was refused. `layout`, `checkpoint` and `identity` are the
promises that the writer keeps; change them only with docs/lake.md beside you.
"""

__all__ = [
    "checkpoint",
    "compaction",
    "ddl",
    "expired",
    "iceberg",
    "identity",
    "layout",
    "quarantine",
    "reader",
    "replay_log",
    "reset",
    "store",
    "writer_lock",
]
