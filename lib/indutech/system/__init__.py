"""What every other room uses: settings, errors, state files, storage, leases, signals, progress, and the life of an
embedded server.

Nothing here knows of Kafka, Spark or tickets. `errors`, `leases`, `supervisor` and `state_files` need only the
standard library.
"""

__all__ = [
    "embedded_server",
    "errors",
    "leases",
    "ports",
    "progress",
    "settings",
    "signals",
    "state_files",
    "storage",
    "supervisor",
]
