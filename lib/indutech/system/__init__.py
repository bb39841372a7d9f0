"""What every other room uses: settings, errors, state files, storage, leases, signals and the progress display.

Nothing here knows of Kafka, Spark or tickets. `errors`, `leases` and `state_files` need only the standard library.
"""

__all__ = ["errors", "leases", "progress", "settings", "signals", "state_files", "storage"]
