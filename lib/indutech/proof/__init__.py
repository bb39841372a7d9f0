"""Was anything lost or stored twice, how far is the pipeline, and does it run: what is read, never written.

`reconcile.prove` is the proof; `offset_check` is its arithmetic, tables in, tables out.
"""

__all__ = ["doctor", "health", "monitor", "reconcile", "table"]
