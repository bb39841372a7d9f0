"""The oracle: topic and lake as sets of offsets, reader by reader; it uses nothing of the proof that it checks.

What is in the topic was sent, so every committed record must be where the contract puts it: a ticket in the lake with
its `ticket_id`, anything else in the quarantine with its bytes; each once, and nothing beside them.
"""

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from confluent_kafka import Consumer, KafkaError, TopicPartition
from pyspark.sql import SparkSession

from indutech.kafka import topics
from indutech.kafka.connection import Broker, confluent_config
from indutech.lake import layout
from indutech.lake import reader as lake
from indutech.producer import audit
from indutech.system.settings import Settings
from indutech.tickets.contract import Rejected, validate
from tests.topics_filled import Place

READERS = ("duckdb", "pyarrow", "pandas", "spark")
COLUMNS = ["kafka_partition", "kafka_offset"]
Keys = "np.ndarray[tuple[int], np.dtype[np.int64]]"  # partition and offset in one number, to compare millions


@dataclass
class Truth:
    """What was sent: at each place a ticket, by its id, or the bytes of something else."""

    tickets: dict[Place, str] = field(default_factory=dict)
    others: dict[Place, bytes | None] = field(default_factory=dict)
    gone: set[Place] = field(default_factory=set)  # deleted by the broker before anybody read it

    @property
    def places(self) -> set[Place]:
        """Where a record was sent."""
        return self.tickets.keys() | self.others.keys()


@dataclass(frozen=True)
class Verdict:
    """The counts of the worst reader, and a sentence for everything that is not as it must be."""

    sent: int
    stored: int
    quarantined: int
    lost: int
    twice: int
    findings: list[str]


def truth(broker: Broker, topic: str, known: Truth | None = None) -> Truth:
    """Every committed record of the topic as it is now, added to what was read of it before."""
    found = known or Truth()
    ends = topics.stable_offsets(broker, topic)
    consumer = Consumer(
        {
            **confluent_config(broker),
            "group.id": "laboratory",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        open_partitions = set(ends)
        while open_partitions:
            messages = consumer.consume(10_000, timeout=20)
            assert messages, f"partitions {open_partitions} of {topic} said nothing for 20 s"
            for message in messages:
                error, partition = message.error(), message.partition() or 0
                if error and error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(partition)
                elif error is None:
                    value = message.value()
                    ticket = validate(value)
                    if isinstance(ticket, Rejected):
                        found.others[partition, message.offset() or 0] = value
                    else:
                        found.tickets[partition, message.offset() or 0] = ticket.ticket_id
    finally:
        consumer.close()
    return found


def judge(
    settings: Settings,
    broker: Broker,
    sent: Truth,
    spark: SparkSession | None,
    acknowledged: Mapping[int, int] | None = None,
) -> Verdict:
    """Compare the lake with what was sent, for each reader; without a `spark` for the other three.

    Args:
        acknowledged: partition → last offset that a client of the test was told; the producer's audit counts as well.
    """
    findings: list[str] = []
    wanted = {"tickets": _keys(sent.tickets), "quarantine": _keys(sent.others)}
    everything = np.union1d(*wanted.values())
    lost = twice = 0
    rows = {"tickets": 0, "quarantine": 0}
    for reader in READERS if spark else READERS[:-1]:
        seen = {kind: _seen(reader, settings, kind, spark) for kind in layout.KINDS}
        both = np.concatenate(list(seen.values()))
        once, counts = np.unique(both, return_counts=True)
        missing, foreign = np.setdiff1d(everything, once), np.setdiff1d(once, everything)
        wrong_side = np.intersect1d(seen["tickets"], wanted["quarantine"])
        wrong_side = np.union1d(wrong_side, np.intersect1d(seen["quarantine"], wanted["tickets"]))
        for what, some in {
            "lost": np.setdiff1d(missing, _keys(dict.fromkeys(sent.gone))),
            "deleted by the broker, and stored all the same": np.setdiff1d(_keys(dict.fromkeys(sent.gone)), missing),
            "twice": once[counts > 1],
            "never sent": foreign,
            "on the wrong side": wrong_side,
        }.items():
            if len(some):
                findings.append(f"{reader}: {len(some):,} offsets {what}, the first {_place(some[0])}")
        lost, twice = max(lost, len(missing)), max(twice, int((counts - 1).sum()))
        rows = {kind: max(rows[kind], len(seen[kind])) for kind in rows}
    findings += _of_the_content(settings, sent) + _of_what_was_acknowledged(settings, broker, acknowledged or {})
    return Verdict(len(sent.places), rows["tickets"], rows["quarantine"], lost, twice, findings)


def _of_the_content(settings: Settings, sent: Truth) -> list[str]:
    """Each ticket by its id, each refused message by its bytes, and the curated view one row per id."""
    findings = []
    tickets = lake.query(settings, f"SELECT {', '.join(COLUMNS)}, ticket_id FROM tickets")
    rows = zip(*(tickets[name] for name in (*COLUMNS, "ticket_id")), strict=True)
    if other := sum(sent.tickets.get((partition, offset)) != ticket_id for partition, offset, ticket_id in rows):
        findings.append(f"{other:,} rows of tickets have an id that was not sent at their offset")
    refused = lake.read(settings, "quarantine", [*COLUMNS, "raw"]).to_pylist()
    if other := sum(
        sent.others.get((row["kafka_partition"], row["kafka_offset"]), b"?") != row["raw"] for row in refused
    ):
        findings.append(f"{other:,} rows of the quarantine have bytes that were not sent at their offset")
    curated = lake.query(settings, "SELECT count(*) AS n, count(DISTINCT ticket_id) AS ids FROM curated").iloc[0]
    ids = len({ticket_id for place, ticket_id in sent.tickets.items() if place not in sent.gone})
    if not curated["n"] == curated["ids"] == ids:
        findings.append(f"curated has {curated['n']:,} rows with {curated['ids']:,} ids; {ids:,} ids were sent")
    return findings


def _of_what_was_acknowledged(settings: Settings, broker: Broker, told: Mapping[int, int]) -> list[str]:
    known = audit.read_audit(settings)
    last = dict(known.last_acknowledged) if known else {}
    end = topics.end_offsets(broker, settings.topic)
    return [
        f"partition {partition}: offset {offset:,} was acknowledged, and the topic ends at {end[partition]:,}"
        for partition in end
        if (offset := max(last.get(partition, -1), told.get(partition, -1))) >= end[partition]
    ]


def _seen(reader: str, settings: Settings, kind: layout.Kind, spark: SparkSession | None) -> Keys:
    """The places of every row that this reader finds by the folder's path, knowing nothing of the project."""
    folder = layout.root(settings, kind)
    if not any(folder.glob("ingest_date=*/batch=*/*.parquet")):
        return np.array([], dtype=np.int64)
    if reader == "duckdb":
        with duckdb.connect() as connection:
            pattern = f"{glob.escape(str(folder))}/ingest_date=*/batch=*/*.parquet"
            table = connection.sql(
                f"SELECT {', '.join(COLUMNS)} FROM read_parquet(?)", params=[pattern]
            ).to_arrow_table()
    elif reader == "pyarrow":
        table = ds.dataset(folder, format="parquet", partitioning="hive").to_table(columns=COLUMNS)
    elif reader == "pandas":
        table = pa.Table.from_pandas(pd.read_parquet(folder, columns=COLUMNS))
    else:
        assert spark
        spark.catalog.clearCache()
        path = re.sub(r"([\[\]{},*?\\])", r"\\\1", str(folder))
        table = spark.read.parquet(path).select(*COLUMNS).toArrow()
    return _packed(*(table[name].to_numpy().astype(np.int64) for name in COLUMNS))


def _keys(places: Mapping[Place, object]) -> Keys:
    if not places:
        return np.array([], dtype=np.int64)
    return _packed(*np.array(list(places), dtype=np.int64).T)


def _packed(partition: Keys, offset: Keys) -> Keys:
    return (partition << 40) | offset


def _place(key: int) -> str:
    return f"partition {int(key) >> 40}, offset {int(key) & (1 << 40) - 1}"
