"""Read-only checks of the pipeline: reconciliation, monitor, health.

`reconcile.prove` compares topic and lake offset by offset and returns a `result.Proof`; `offset_check` is its
arithmetic.
"""

__all__ = ["doctor", "health", "monitor", "reconcile", "result"]
