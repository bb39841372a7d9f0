"""The tables of the ERP, declared once: what PostgreSQL creates, what the seed fills, and what the lake keeps."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from indutech.tickets.contract import CLIENT_IDS


@dataclass(frozen=True)
class ColumnType:
    """A type of column: its name in PostgreSQL, in DuckDB, and in Arrow."""

    postgres: str
    duckdb: str
    arrow: pa.DataType


INTEGER = ColumnType("integer", "INTEGER", pa.int32())
TEXT = ColumnType("text", "VARCHAR", pa.string())
AMOUNT = ColumnType("numeric(12,2)", "DECIMAL(12,2)", pa.decimal128(12, 2))
DAY = ColumnType("date", "DATE", pa.date32())
MOMENT = ColumnType("timestamptz", "TIMESTAMPTZ", pa.timestamp("us", "UTC"))
YES_NO = ColumnType("boolean", "BOOLEAN", pa.bool_())


@dataclass(frozen=True)
class Table:
    """A table: its columns in order, the first of which is its primary key, and what it refers to."""

    name: str
    columns: Mapping[str, ColumnType]
    belongs_to: str | None = None  # a table whose key is the column of the same name here

    @property
    def key(self) -> str:
        """The column that identifies a row."""
        return next(iter(self.columns))

    @property
    def arrow(self) -> pa.Schema:
        """The columns in Arrow."""
        return pa.schema([(name, kind.arrow) for name, kind in self.columns.items()])

    def ddl(self) -> str:
        """The statement that creates the table in PostgreSQL."""
        columns = [f"{name} {kind.postgres} NOT NULL" for name, kind in self.columns.items()]
        constraints = [f"PRIMARY KEY ({self.key})"]
        if self.belongs_to:
            key = BY_NAME[self.belongs_to].key
            constraints.append(f"FOREIGN KEY ({key}) REFERENCES {self.belongs_to} ON UPDATE CASCADE ON DELETE CASCADE")
        return f"CREATE TABLE {self.name} ({', '.join([*columns, *constraints])})"


CLIENTS = Table(
    "clients",
    {
        "client_id": INTEGER,  # the `client_id` of the tickets
        "name": TEXT,
        "siret": TEXT,
        "sector": TEXT,
        "segment": TEXT,
        "city": TEXT,
        "postcode": TEXT,
        "turnover_eur": AMOUNT,  # what InduTech sold to the client in the last year
        "active": YES_NO,
        "client_since": DAY,
        "updated_at": MOMENT,
    },
)
SITES = Table(
    "sites",
    {"site_id": INTEGER, "client_id": INTEGER, "name": TEXT, "city": TEXT, "postcode": TEXT},
    belongs_to="clients",
)
CONTRACTS = Table(
    "contracts",
    {
        "contract_id": INTEGER,
        "client_id": INTEGER,
        "level": TEXT,
        "response_hours": INTEGER,
        "yearly_eur": AMOUNT,
        "signed_on": DAY,
    },
    belongs_to="clients",
)
MACHINES = Table(
    "machines",
    {"machine_id": TEXT, "site_id": INTEGER, "model": TEXT, "serial": TEXT, "installed_on": DAY},
    belongs_to="sites",
)

TABLES = (CLIENTS, SITES, CONTRACTS, MACHINES)
BY_NAME = {table.name: table for table in TABLES}
CAPTURED = (CLIENTS,)  # whose changes go to the broker and into the lake
MOST_CLIENTS = len(CLIENT_IDS)
