"""What every part of the project stands on: settings, errors, and what a process owes to others on this machine.

Small state files, leases that end with their owner, the meaning of a signal, one progress display. Nothing here knows
of Kafka, Spark or tickets, and `errors`, `leases` and `state_files` need only the standard library.
"""

__all__ = ["errors", "leases", "progress", "settings", "signals", "state_files"]
