"""The embedded Apache Kafka: its settings, its command line, and how it is launched."""

__all__ = ["process", "properties"]
