"""Fill a topic with known messages and remember where each one went."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, Message, Producer

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.system.settings import Settings

Place = tuple[int, int]
"""Partition and offset."""


def send(broker: Broker, settings: Settings, messages: Iterable[tuple[bytes | None, bytes | None]]) -> list[Place]:
    """Send (key, value) pairs and return where each one landed, in the order given."""
    topics.ensure_topic(broker, settings)
    places: dict[int, Place] = {}
    producer = Producer({**confluent_config(broker), "enable.idempotence": True, "partitioner": "murmur2_random"})

    def landed_as(number: int):
        def note(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            places[number] = (message.partition(), message.offset())

        return note

    number = -1
    for number, (key, value) in enumerate(messages):
        producer.produce(settings.topic, key=key, value=value, on_delivery=landed_as(number))
        producer.poll(0)
    assert producer.flush(30) == 0
    return [places[i] for i in range(number + 1)]
