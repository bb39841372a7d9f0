"""Connections to a broker, the embedded one or an external one, and its topics, users and rights.

Start with `broker.connected`. `connection` alone knows how the three clients are configured; `embedded` is the Kafka
that runs when no address is set, and only `broker` starts it.
"""

__all__ = ["broker", "connection", "credentials", "embedded", "inbox", "readiness", "topics", "users"]
