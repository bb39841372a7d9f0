"""Read-only checks of the pipeline: reconciliation, monitor, health.

`reconcile.prove` compares topic and lake offset by offset, `run_audit` does so for any table. Both count with
`counting` and differ in how far everything must be there: our checkpoint says it for `offset_check`, the table itself
for `table_audit`.
"""

__all__ = [
    "audit_result",
    "audit_text",
    "doctor",
    "health",
    "monitor",
    "receipt",
    "reconcile",
    "result",
    "run_audit",
    "sources",
    "table_audit",
]
