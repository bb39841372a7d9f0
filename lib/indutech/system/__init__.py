"""What every other room uses: settings, errors, state files, storage, leases, signals, progress, and a supervisor for
embedded servers.

Nothing here knows of Kafka, Spark or tickets. `errors`, `leases`, `supervisor` and `state_files` need only the
standard library.
"""

__all__ = ["errors", "leases", "ports", "progress", "settings", "signals", "state_files", "storage", "supervisor"]
