"""The columns of tickets: in Arrow, derived from the contract, and from Arrow for Spark, DuckDB, Hive and Redshift.

What the stream adds to a ticket, and what a row of the quarantine has, is stated here and nowhere else.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Literal

import pyarrow as pa

from indutech.tickets.contract import KINDS, TEAM_FOR_TYPE, ContractUnusable, Ticket
from indutech.tickets.fields import FreeText, Integer, Kind, Moment, Uuid, Word

RowKind = Literal["tickets", "quarantine"]

_INSTANT = pa.timestamp("us", "UTC")


def _arrow_type(kind: Kind) -> pa.DataType:
    match kind:
        case Integer(allowed):
            return pa.int32() if allowed[0] >= -(2**31) and allowed[-1] < 2**31 else pa.int64()
        case Moment():
            return _INSTANT
        case _:
            return pa.string()


# A record as Spark's Kafka source gives it, a ticket of the contract, and both side by side once it is validated.
KAFKA = pa.schema(
    {
        "key": pa.binary(),
        "value": pa.binary(),
        "topic": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": _INSTANT,
    }
)
TICKET = pa.schema({name: _arrow_type(kind) for name, kind in KINDS.items()})
VALIDATED = pa.schema([*KAFKA, pa.field("reason", pa.string()), *TICKET])

# Columns of the lake's files. Those that begin with this prefix are the Kafka record's.
KAFKA_PREFIX = "kafka_"
_ORIGIN = [KAFKA.field(name).with_name(KAFKA_PREFIX + name) for name in ("partition", "offset", "timestamp")]
_STORED = [*_ORIGIN, pa.field("processed_at", _INSTANT)]
LAKE: Mapping[RowKind, pa.Schema] = {
    "tickets": pa.schema([*TICKET, pa.field("support_team", pa.string()), *_STORED]),
    "quarantine": pa.schema(
        [
            pa.field("raw", pa.binary()),
            pa.field("reason", pa.string()),
            *(KAFKA.field(name).with_name(KAFKA_PREFIX + name) for name in ("key", "topic")),
            *_STORED,
        ]
    ),
}
# Columns that stand in the names of the lake's folders instead of in its files.
FOLDERS = pa.schema({"ingest_date": pa.date32(), "batch": pa.int64()})


def _refuse_taken_names() -> None:
    """Spark compares names of columns without case, so a field cannot be called like a column that is not its own."""
    for schema in (VALIDATED, pa.schema([*LAKE["tickets"], *FOLDERS])):
        names = [name.lower() for name in schema.names]
        if taken := {name for name in TICKET.names if names.count(name.lower()) > 1}:
            raise ContractUnusable(
                f"A column is called {', '.join(sorted(taken))} already: give the field another name."
            )


_refuse_taken_names()

# For Parquet: columns that no dictionary shortens, and those in which few values come back again and again.
UNIQUE_COLUMNS = [name for name, kind in KINDS.items() if isinstance(kind, Uuid)]
VARIED_COLUMNS = [name for name, kind in KINDS.items() if isinstance(kind, Uuid | FreeText)]
REPETITIVE_COLUMNS = [
    *(name for name, kind in KINDS.items() if isinstance(kind, Word | Integer)),
    *("support_team", "reason"),
]

SPARK_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.date32(): "DATE",
    _INSTANT: "TIMESTAMP",
}
HIVE_TYPES: Mapping[pa.DataType, str] = {type_: name.lower() for type_, name in SPARK_TYPES.items()}
DUCKDB_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.date32(): "DATE",
    _INSTANT: "TIMESTAMPTZ",
}
_REDSHIFT_LONGEST = 65_535


def columns(schema: pa.Schema, types: Mapping[pa.DataType, str]) -> dict[str, str]:
    """Return the columns of an Arrow schema with the types of another tool, in their order."""
    return {field.name: types[field.type] for field in schema}


def spark_schema(schema: pa.Schema = TICKET) -> str:
    """Return a schema as Spark writes it; the contract's by default: "ticket_id STRING, client_id INT, …"."""
    return ", ".join(f"{name} {type_}" for name, type_ in columns(schema, SPARK_TYPES).items())


def redshift_columns(schema: pa.Schema) -> dict[str, str]:
    """Return the columns of an Arrow schema in Redshift's types, where texts have a greatest length in bytes."""
    limits: dict[str, int | None] = {name: _bytes_at_most(kind) for name, kind in KINDS.items()}
    limits["support_team"] = _room_for(TEAM_FOR_TYPE.values())
    hive = columns(schema, HIVE_TYPES)
    texts = {"string": "varchar({})", "binary": "varbyte({})"}
    return {name: texts.get(type_, type_).format(limits.get(name) or _REDSHIFT_LONGEST) for name, type_ in hive.items()}


def contract_table() -> str:
    """Return the contract as a Markdown table: what the documents show."""
    rows = ["| field | in JSON | in Spark | rule | example |", "|---|---|---|---|---|"]
    for name, spark_type in columns(TICKET, SPARK_TYPES).items():
        field = Ticket.model_fields[name]
        json_type = "integer" if isinstance(KINDS[name], Integer) else "string"
        optional = "" if field.is_required() else " Optional: null where it is absent."
        example = json.dumps((field.examples or [None])[0], ensure_ascii=False)
        rows.append(f"| `{name}` | {json_type} | {spark_type.lower()} | {field.description}{optional} | `{example}` |")
    return "\n".join(rows)


def _bytes_at_most(kind: Kind) -> int | None:
    match kind:
        case Uuid():
            return Uuid.width
        case Word():
            return _room_for(kind.words)
        case _:
            return None


def _room_for(words: Iterable[str]) -> int:
    """The power of two above the longest word, so that a longer one may follow."""
    return 1 << max(len(word.encode()) for word in words).bit_length()
