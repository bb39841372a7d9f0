"""Run by tests/test_another_field.py in a copy of the package with more fields: prints what became of them, as JSON.

Usage: python -m tests.another_field DATA_DIR NEW_FIELD…
"""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from indutech.costs.inputs.measure import _JSON_BYTES
from indutech.lake import compaction, ddl, reader
from indutech.lake.identity import Identity
from indutech.plant.sensors import fleet
from indutech.producer.replay import as_json
from indutech.report.hybrid import breakdowns
from indutech.stream import batches, transforms
from indutech.stream.fast_path import fast_path
from indutech.stream.session import session
from indutech.system.settings import Settings
from indutech.tickets import contract, document, files, schema
from indutech.tickets.generator import make_tickets, ticket_messages
from tests import lakes

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TICKETS = 300
VALUES = [
    *("fax", "Web", " WEB ", "Te\u0301le\u0301phone", "", "  ", "é", "a\tb", 'a"b', 0, -1, 7, 40, 41, 400, -0.5, None),
    *(
        "7",
        "2026-03-02T08:15:30Z",
        "2026-03-02T08:15:30",
        "2026-03-02T08:15:30+01:00",
        "1969-03-02T08:15:30Z",
        "2026-02-30T08:15:30Z",
        [],
        {},
    ),
    *("6F1C2B34-8F0E-4C55-9A3B-0D4B2C1E7F90", "6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f9", 2**63, True),
]


def messages(new: list[str]) -> tuple[list[bytes], list[bytes]]:
    """What the generator writes, and the same with each new field absent, and set to each of the values above."""
    made = [value for batch in ticket_messages(TICKETS, seed=5) for _, value in batch]
    fields = json.loads(made[0])
    changed = [{name: value for name, value in fields.items() if name != absent} for absent in new]
    changed += [{**fields, name: value} for name in new for value in VALUES]
    changed.append({name: value for name, value in fields.items() if name not in new})
    compact = [json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() for one in changed]
    broken = [
        made[0].replace(b'"}', b'\xff"}'),
        made[0].replace(b"Lyon", b"Ly\xffon"),
        made[0][:-1],
        made[0].replace(b'","', b'" ,"'),
        made[0] + b"}",
    ]
    return made, [*compact, *broken]


def kafka_rows(spark: SparkSession, values: list[bytes]) -> DataFrame:
    """Rows as Spark's Kafka source gives them."""
    rows = [
        {"key": b"k", "value": value, "topic": "t", "partition": 0, "offset": offset, "timestamp": NOON}
        for offset, value in enumerate(values)
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=schema.KAFKA))


def by_python(values: list[bytes]) -> list[dict[str, Any]]:
    """Reason and fields of each message, as Python's validator gives them."""
    results = [contract.validate(value) for value in values]
    nothing = dict.fromkeys(contract.FIELDS)
    return [
        {"reason": one.reason, **nothing}
        if isinstance(one, contract.Rejected)
        else {"reason": None, **one.model_dump()}
        for one in results
    ]


def by_spark(spark: SparkSession, values: list[bytes]) -> list[dict[str, Any]]:
    """The same from Spark's fast path and full validation."""
    rows = transforms.validated(kafka_rows(spark, values)).orderBy("offset")
    return rows.select("reason", *contract.FIELDS).toArrow().to_pylist()


def store(settings: Settings, spark: SparkSession, values: list[bytes], batch: int, day: str) -> None:
    """Write the messages into the lake as the stream does."""
    lakes.commit(settings, batch, {0: len(values) * (batch + 1)})
    identity = Identity(settings.topic, "id", "cluster", {0: 0}, None, "now")
    rows = kafka_rows(spark, values).withColumn("timestamp", F.lit(f"{day} 12:00:00").cast("timestamp"))
    batches.BatchWriter(settings, identity)(rows, batch)


def main(folder: Path, new: list[str]) -> dict[str, object]:
    """What became of the new fields, everywhere."""
    settings = Settings(_env_file=None, data_dir=folder)
    empty = reader.read(settings).schema
    spark = session(settings)
    made, others = messages(new)
    values = [*made, *others]
    python, in_spark = by_python(values), by_spark(spark, values)
    taken = fast_path(kafka_rows(spark, values)).where("fast_path_ok").select("offset").toArrow()["offset"].to_pylist()

    for offset in range(3):  # files from before there was the field
        lakes.store(settings, "tickets", "2026-01-01", 0, [offset])
    lakes.commit(settings, 0, {0: 1})
    old_view = reader.read(settings).schema.names
    store(settings, spark, values, 1, "2026-01-01")
    for batch in (2, 3):
        store(settings, spark, made[:1], batch, "2026-01-02")
    stored = reader.query(settings, "SELECT * FROM tickets WHERE batch = 1 ORDER BY kafka_offset")
    whole = make_tickets(TICKETS, seed=5)
    wire = reader.query(
        settings, f"SELECT sum({_JSON_BYTES}) AS bytes FROM tickets WHERE batch = 1 AND kafka_offset < {TICKETS}"
    )
    compacted = [day.ingest_date for day in compaction.compact(settings)]
    after = reader.read(settings, columns=("kafka_offset", *new)).sort_by("kafka_offset")

    failures = fleet.failures(5, NOON, 86_400)
    table = pa.Table.from_pylist([row for row in python if not row["reason"]], schema=schema.VALIDATED)
    replayed = folder / "again.parquet"
    pq.write_table(table.select(contract.FIELDS), replayed)
    again = [contract.validate(line) for _, line in files.read_lines(replayed) if isinstance(line, bytes)]
    resent = [contract.validate(as_json(one)) for one in again if isinstance(one, contract.Ticket)]
    return {
        "JSON Schema": list(contract.json_schema()["properties"]),
        "required": contract.json_schema()["required"],
        "Arrow": dict(zip(schema.TICKET.names, map(str, schema.TICKET.types), strict=True)),
        "Spark": {f.name: f.dataType.simpleString() for f in transforms.validated(kafka_rows(spark, [])).schema},
        "document": "\n".join(part() for part in document.PARTS.values()),
        "breakdown": list(breakdowns.tickets(failures, dict.fromkeys(fleet.MACHINE_IDS, 4242), 5)[0].model_dump()),
        "steps": transforms.steps(spark),
        "DDL": [ddl.athena(), ddl.redshift()],
        "empty view": empty.names,
        "old view": old_view,
        "same types": empty.equals(reader.read(settings).schema),
        "python": python,
        "alike": [str(v) for v, p, s in zip(values, python, in_spark, strict=True) if p != s],
        "fast path": len(set(taken) & set(range(len(made)))),
        "fast path wrong": [str(values[at]) for at in taken if python[at]["reason"]],
        "stored": {name: stored[name].dropna().tolist() for name in new},
        "stored rows": len(stored),
        "reasons": reader.query(settings, "SELECT reason FROM quarantine ORDER BY kafka_offset")["reason"].tolist(),
        "generated": {name: whole[name].tolist() for name in new},
        "bytes": [int(wire["bytes"][0]), sum(map(len, made))],
        "compacted": compacted == [date(2026, 1, 1)],
        "after compaction": {name: after[name].drop_null().to_pylist() for name in new},
        "replayed": [len(table), len(again), sum(isinstance(one, contract.Ticket) for one in resent)],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:]), default=str))
