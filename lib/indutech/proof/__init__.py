"""Was anything lost or stored twice, how far is the pipeline, and does it run: what is read, never written.

`reconcile.prove` is the proof of our lake, `run_audit` that of anybody's table. Both count with `counting` and differ
in how far everything must be there: our checkpoint says it for `offset_check`, the table itself for `table_audit`.
"""

__all__ = ["audit_text", "health", "monitor", "receipt", "reconcile", "run_audit", "sources", "table", "table_audit"]
