"""The embedded Apache Kafka, one node or three: its settings, its command line, and how it is launched."""

__all__ = ["process", "properties"]
