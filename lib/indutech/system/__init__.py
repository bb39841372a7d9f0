"""What every other room uses: settings, errors, state files, leases, a supervisor for embedded servers, signals and the
progress display.

Nothing here knows of Kafka, Spark or tickets. `errors`, `leases`, `supervisor` and `state_files` need only the
standard library.
"""

__all__ = ["errors", "leases", "progress", "settings", "signals", "state_files", "supervisor"]
