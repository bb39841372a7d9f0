"""The embedded Apache Kafka: its settings, its command line, and the supervisor process that owns it.

`supervisor` is also started as a program and imports only the standard library, to stay small.
"""

__all__ = ["process", "properties", "supervisor"]
