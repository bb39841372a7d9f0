"""A broker to talk to: ours or somebody else's, its topics, users and rights.

`broker.connected` is the way in. `connection` is the only place that knows how the three clients are configured;
`embedded` is the Kafka that runs when no address is set, and nobody but `broker` starts it.
"""

__all__ = ["broker", "connection", "credentials", "embedded", "inbox", "readiness", "topics", "users"]
