"""Apache Kafka as a process of ours: its settings, its command line, and the supervisor that owns it.

`supervisor` is started as a program and imports only the standard library, to stay small.
"""

__all__ = ["process", "properties"]
