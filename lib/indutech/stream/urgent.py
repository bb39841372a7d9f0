"""Which tickets are urgent, and the record that tells the team which answers them.

A routed record has key and value as the ticket was received, and the ticket's place in its topic as headers: the same
place is the same ticket, so whoever reads can tell a repeat.
"""

import re
import unicodedata

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from indutech.stream.transforms import validated
from indutech.tickets.contract import TEAM_FOR_TYPE, Priority

URGENT = (Priority.HIGH, Priority.CRITICAL)
PARTITION, OFFSET, STAMP = "source_partition", "source_offset", "source_timestamp_ms"  # headers, as text


def team_topics(topic: str) -> dict[str, str]:
    """Return team → the topic of its urgent tickets, named after it in the letters that Kafka takes."""
    return {team: f"{topic}-urgent-{_ascii(team)}" for team in dict.fromkeys(TEAM_FOR_TYPE.values())}


def routed(kafka_rows: DataFrame, topic: str) -> DataFrame:
    """Return a record for each valid urgent ticket: `topic`, `key`, `value`, `headers`.

    Messages that break the contract have no priority to go by: the stream quarantines them.
    """
    of_team = team_topics(topic)
    pairs = [F.lit(word) for type_, team in TEAM_FOR_TYPE.items() for word in (type_.value, of_team[team])]
    is_urgent = F.col("reason").isNull() & F.col("priority").isin([priority.value for priority in URGENT])
    place = {PARTITION: F.col("partition"), OFFSET: F.col("offset"), STAMP: F.unix_millis("timestamp")}
    headers = F.array(*(_header(name, value) for name, value in place.items()))
    return (
        validated(kafka_rows)
        .where(is_urgent)
        .select(F.create_map(*pairs)[F.col("type")].alias("topic"), "key", "value", headers.alias("headers"))
    )


def _header(name: str, value: Column) -> Column:
    return F.struct(F.lit(name).alias("key"), value.cast("string").cast("binary").alias("value"))


def _ascii(team: str) -> str:
    plain = unicodedata.normalize("NFKD", team).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
