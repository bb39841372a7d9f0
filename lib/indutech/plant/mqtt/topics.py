"""Topics of MQTT that gateways and bridge agree on; they carry what MQTT 3.1.1 has no other place for.

A gateway publishes batches on `indutech/readings/GATEWAY/NUMBER`, one reading a line. The bridge answers on
`indutech/confirmed/GATEWAY` with the number of a batch once Kafka has all of it.
"""

READINGS = "indutech/readings/+/+"


def batch(gateway: str, number: int) -> str:
    """Return the topic of one batch."""
    return f"indutech/readings/{gateway}/{number}"


def confirmed(gateway: str) -> str:
    """Return where a gateway hears which of its batches Kafka has."""
    return f"indutech/confirmed/{gateway}"


def sender(topic: str) -> tuple[str, int] | None:
    """Return gateway and number of a batch's topic; None for one that was not made here."""
    *start, gateway, number = topic.split("/")
    return (gateway, int(number)) if start == ["indutech", "readings"] and number.isdecimal() else None
