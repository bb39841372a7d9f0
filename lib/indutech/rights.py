"""Who may do what on a broker with users: each of ours gets the rights it needs, and no more."""

from dataclasses import dataclass

ADMIN = "admin"  # may do everything: it makes the topic, the users and their rights


@dataclass(frozen=True)
class Right:
    """What a user may do with the resources of one name, `*` for all; the words are Kafka's."""

    resource: str  # TOPIC, GROUP or BROKER, which is how Kafka's protocol calls the cluster
    name: str
    operations: tuple[str, ...]


def rights_of(topic: str) -> dict[str, list[Right]]:
    """Return user → rights: producer writes, stream reads, console looks at everything and changes nothing.

    READ and WRITE bring DESCRIBE with them, in Kafka as in Redpanda; DESCRIBE_CONFIGS comes with neither.
    """
    return {
        # An idempotent producer needs no more than to write to some topic that exists (Kafka since 2.8: KIP-679).
        "producer": [Right("TOPIC", topic, ("WRITE", "DESCRIBE_CONFIGS"))],
        # No right on groups: Spark and the proof name their partitions themselves and join none.
        "stream": [Right("TOPIC", topic, ("READ", "DESCRIBE_CONFIGS"))],
        "console": [
            Right("TOPIC", "*", ("READ", "DESCRIBE_CONFIGS")),
            Right("GROUP", "*", ("DESCRIBE",)),
            Right("BROKER", "kafka-cluster", ("DESCRIBE", "DESCRIBE_CONFIGS")),
        ],
    }
