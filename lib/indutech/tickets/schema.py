"""The columns of a data product: in Arrow, derived from its contract, and from Arrow for Spark, DuckDB, Hive, Redshift.

What the stream adds to a row, and what a row of the quarantine has, is stated here and nowhere else. The names in
capitals are those of the tickets.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.fields import Code, FreeText, Integer, Kind, Moment, Real, Uuid, Word
from indutech.tickets.product import ContractUnusable, Product

QUARANTINE = "quarantine"
RowKind = str  # the name of a product, or QUARANTINE

_INSTANT = pa.timestamp("us", "UTC")


def _arrow_type(kind: Kind) -> pa.DataType:
    match kind:
        case Integer(allowed):
            return pa.int32() if allowed[0] >= -(2**31) and allowed[-1] < 2**31 else pa.int64()
        case Real():
            return pa.float64()
        case Moment():
            return _INSTANT
        case _:
            return pa.string()


# A record as Spark's Kafka source gives it.
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
# Columns of the lake's files. Those that begin with this prefix are the Kafka record's.
KAFKA_PREFIX = "kafka_"
_ORIGIN = [KAFKA.field(name).with_name(KAFKA_PREFIX + name) for name in ("partition", "offset", "timestamp")]
_STORED = [*_ORIGIN, pa.field("processed_at", _INSTANT)]
_REFUSED = pa.schema(
    [
        pa.field("raw", pa.binary()),
        pa.field("reason", pa.string()),
        *(KAFKA.field(name).with_name(KAFKA_PREFIX + name) for name in ("key", "topic")),
        *_STORED,
    ]
)
# Columns that stand in the names of the lake's folders instead of in its files.
FOLDERS = pa.schema({"ingest_date": pa.date32(), "batch": pa.int64()})


@dataclass(frozen=True)
class Columns:
    """The columns of one product: `message` has the contract's, `validated` those of Kafka, a reason, and these.

    For Parquet, no dictionary shortens `unique` and `varied` ones; in `repetitive` ones few values come again.
    """

    message: pa.Schema
    validated: pa.Schema
    lake: Mapping[RowKind, pa.Schema]
    unique: list[str]
    varied: list[str]
    repetitive: list[str]


@lru_cache
def of(product: Product[Any]) -> Columns:
    """Return the columns of a product.

    Raises:
        ContractUnusable: a field is called like a column that is not its own.
    """
    kinds = product.kinds
    message = pa.schema({name: _arrow_type(kind) for name, kind in kinds.items()})
    validated = pa.schema([*KAFKA, pa.field("reason", pa.string()), *message])
    rows = pa.schema([*message, *(pa.field(name, pa.string()) for name in product.derived), *_STORED])
    _refuse_taken_names(message, validated, pa.schema([*rows, *FOLDERS]))
    return Columns(
        message=message,
        validated=validated,
        lake={product.name: rows, QUARANTINE: _REFUSED},
        unique=[name for name, kind in kinds.items() if isinstance(kind, Uuid)],
        varied=[name for name, kind in kinds.items() if isinstance(kind, Uuid | FreeText)],
        repetitive=[
            *(name for name, kind in kinds.items() if isinstance(kind, Word | Integer | Code)),
            *(*product.derived, "reason"),
        ],
    )


def _refuse_taken_names(message: pa.Schema, *schemas: pa.Schema) -> None:
    """Spark compares names of columns without case, so a field cannot be called like a column that is not its own."""
    for schema in schemas:
        names = [name.lower() for name in schema.names]
        if taken := {name for name in message.names if names.count(name.lower()) > 1}:
            raise ContractUnusable(
                f"A column is called {', '.join(sorted(taken))} already: give the field another name."
            )


TICKET, VALIDATED, LAKE = of(TICKETS).message, of(TICKETS).validated, of(TICKETS).lake
UNIQUE_COLUMNS, VARIED_COLUMNS = of(TICKETS).unique, of(TICKETS).varied
REPETITIVE_COLUMNS = of(TICKETS).repetitive

SPARK_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    _INSTANT: "TIMESTAMP",
}
HIVE_TYPES: Mapping[pa.DataType, str] = {type_: name.lower() for type_, name in SPARK_TYPES.items()}
DUCKDB_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    _INSTANT: "TIMESTAMPTZ",
}
_REDSHIFT_LONGEST = 65_535


def columns(schema: pa.Schema, types: Mapping[pa.DataType, str]) -> dict[str, str]:
    """Return the columns of an Arrow schema with the types of another tool, in their order."""
    return {field.name: types[field.type] for field in schema}


def spark_schema(schema: pa.Schema = TICKET) -> str:
    """Return a schema as Spark writes it; the tickets' by default: "ticket_id STRING, client_id INT, …"."""
    return ", ".join(f"{name} {type_}" for name, type_ in columns(schema, SPARK_TYPES).items())


def redshift_columns(schema: pa.Schema, product: Product[Any] = TICKETS) -> dict[str, str]:
    """Return the columns of an Arrow schema in Redshift's types, where texts have a greatest length in bytes."""
    limits: dict[str, int | None] = {name: _bytes_at_most(kind) for name, kind in product.kinds.items()}
    limits |= {name: _room_for(words.values()) for name, (_, words) in product.derived.items()}
    hive = columns(schema, HIVE_TYPES)
    texts = {"string": "varchar({})", "binary": "varbyte({})", "double": "double precision"}
    return {name: texts.get(type_, type_).format(limits.get(name) or _REDSHIFT_LONGEST) for name, type_ in hive.items()}


def contract_table(product: Product[Any] = TICKETS) -> str:
    """Return the contract as a Markdown table: what the documents show."""
    rows = ["| field | in JSON | in Spark | rule | example |", "|---|---|---|---|---|"]
    for name, spark_type in columns(of(product).message, SPARK_TYPES).items():
        field, kind = product.model.model_fields[name], product.kinds[name]
        json_type = "string" if kind.quoted else "integer" if isinstance(kind, Integer) else "number"
        optional = "" if field.is_required() else " Optional: null where it is absent."
        example = json.dumps((field.examples or [None])[0], ensure_ascii=False)
        rows.append(f"| `{name}` | {json_type} | {spark_type.lower()} | {field.description}{optional} | `{example}` |")
    return "\n".join(rows)


def _bytes_at_most(kind: Kind) -> int | None:
    match kind:
        case Uuid() | Code():
            return kind.width
        case Word():
            return _room_for(kind.words)
        case _:
            return None


def _room_for(words: Iterable[str]) -> int:
    """The power of two above the longest word, so that a longer one may follow."""
    return 1 << max(len(word.encode()) for word in words).bit_length()
