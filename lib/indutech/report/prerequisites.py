"""Makes the data that a notebook needs, if the notebooks before it were not run: sends and stores the same tickets."""

import atexit
import contextlib
import os
import shutil
from datetime import timedelta

import pandas as pd
from kafka import KafkaProducer

from indutech.kafka import broker as brokers
from indutech.kafka import connection, topics
from indutech.kafka.broker import Broker
from indutech.lake import identity
from indutech.producer import produce
from indutech.report.parameters import Asked
from indutech.stream import job
from indutech.system.settings import Settings
from indutech.tickets import generator

PERIOD = timedelta(weeks=4)
SENT_AGAIN = 25
BAD_CLIENT = b"4242"
SHORT = 200_000  # messages: for fewer, Java's optimising compiler costs more than it saves
ONE_COMPILER = "-XX:TieredStopAtLevel=1"

# Five messages that violate the contract, each in another way; the first is truncated.
_GOOD = (
    '{"ticket_id":"00000000-0000-4000-8000-00000000000%d","client_id":%s,"creation_date":"2026-03-02T08:00:00Z",'
    '"request":"Le convoyeur est à l\'arrêt","type":"%s","priority":"HAUTE"}'
)
BAD_MESSAGES = {
    "cut short": (_GOOD % (1, 4242, "Connexion"))[:90].encode(),
    "a type nobody knows": (_GOOD % (2, 4242, "Hologramme")).encode(),
    "a client number in quotes": (_GOOD % (3, '"4242"', "Connexion")).encode(),
    "text behind the ticket": (_GOOD % (4, 4242, "Connexion") + " merci").encode(),
    "Latin-1 instead of UTF-8": (_GOOD % (5, 4242, "Panne Matérielle")).encode("latin-1"),
}


def settings_for(asked: Asked) -> Settings:
    """The settings of a notebook; with another count or seed, its data folder and topic are separate ones.

    Otherwise it would read the data of another run. If INDUTECH_DATA_DIR is set, that folder is used. For few tickets
    Spark's JVM leaves its optimising compiler out, unless INDUTECH_DRIVER_OPTIONS says what it shall do.
    """
    settings = Settings()
    if isinstance(count := asked.values.get("count"), int) and count < SHORT:
        settings = settings.model_copy(update={"driver_options": settings.driver_options or ONE_COMPILER})
    if not asked.given & {"count", "seed"} or os.environ.get("INDUTECH_DATA_DIR"):
        return settings
    name = f"count-{asked.values['count']}-seed-{asked.values['seed']}"
    own = {"data_dir": settings.data_dir / "runs" / name, "topic": f"{settings.topic}-{name}", "lake_uri": None}
    return settings.model_copy(update=own)


def lesson(settings: Settings, name: str) -> Settings:
    """The same topic with an empty data folder, for a sink that a notebook shows: the lake stays as it is."""
    folder = settings.data_dir / "runs" / f"lesson-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    # Two micro-batches show what many would, and each one costs Spark two seconds of planning.
    own = {"data_dir": folder, "lake_uri": None, "max_batch_tickets": 2 * settings.max_batch_tickets}
    return settings.model_copy(update=own)


def hold_broker(settings: Settings) -> Broker:
    """Connect to the broker, or start the embedded one, until this notebook's kernel ends."""
    held = contextlib.ExitStack()
    broker = held.enter_context(brokers.connected(settings))
    atexit.register(held.close)
    return broker


def sent(settings: Settings, broker: Broker, count: int, seed: int) -> int:
    """Return the number of messages in the topic, after sending the tickets of notebook 02 if it was empty."""
    topic = topics.ensure_topic(broker, settings)
    if not _messages_in(broker, topic.name):
        produce.produce(settings, broker, count=count, seed=seed, period=PERIOD, progress=False)
    return _messages_in(broker, topic.name)


def send_again(settings: Settings, broker: Broker, count: int, seed: int) -> int:
    """Send the first 25 tickets again, as a producer does that stopped before its delivery reports; return how many."""
    again = settings.data_dir / "sent-again" / "tickets.jsonl"
    again.parent.mkdir(parents=True, exist_ok=True)
    first = next(generator.ticket_messages(count, seed, period=PERIOD))[:SENT_AGAIN]
    again.write_bytes(b"".join(value + b"\n" for _, value in first))
    return produce.produce(settings, broker, source=again, progress=False).acknowledged


def send_bad(settings: Settings, broker: Broker) -> pd.DataFrame:
    """Send the invalid messages without our producer, which would refuse them; return partition and offset of each."""
    sender = KafkaProducer(**connection.kafka_python_config(broker), acks="all")
    try:
        placed = [
            sender.send(settings.topic, key=BAD_CLIENT, value=value).get(timeout=settings.broker_timeout_s)
            for value in BAD_MESSAGES.values()
        ]
    finally:
        sender.close()
    return pd.DataFrame(
        {
            "what is wrong": list(BAD_MESSAGES),
            "partition": [place.partition for place in placed],
            "offset": [place.offset for place in placed],
        }
    )


def stored(settings: Settings, count: int, seed: int) -> None:
    """Fill an empty lake: send and store what notebooks 02 and 03 send and store."""
    if identity.has_rows(settings):
        return
    with brokers.connected(settings) as broker:
        sent(settings, broker, count, seed)
        send_again(settings, broker, count, seed)
        send_bad(settings, broker)
        job.run(settings, broker, once=True)


def _messages_in(broker: Broker, topic: str) -> int:
    first, end = topics.start_offsets(broker, topic), topics.end_offsets(broker, topic)
    return sum(end[partition] - first[partition] for partition in end)
