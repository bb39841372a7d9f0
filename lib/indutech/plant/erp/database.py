"""The database of the ERP: its users and tables, made and filled once, and what changes of them are published."""

from pathlib import Path
from typing import Any

from indutech.plant.erp import postgres, seed
from indutech.plant.erp.tables import CAPTURED, MOST_CLIENTS, TABLES, Table

PUBLICATION = SLOT = "indutech"


def make(folder: Path, clients: int = MOST_CLIENTS) -> None:
    """Make users, tables and their rows if they are not there; the tables come all with their rows or not at all."""
    with postgres.connection(folder, "postgres", "postgres") as connected, connected.cursor() as cursor:
        if not _there(cursor, "SELECT 1 FROM pg_roles WHERE rolname = 'debezium'"):
            for user, rights in ((postgres.OWNER, "LOGIN"), (postgres.CAPTURE, "LOGIN REPLICATION")):
                cursor.execute(f"DROP ROLE IF EXISTS {user}")
                cursor.execute(f"CREATE ROLE {user} {rights} PASSWORD '{postgres.password(folder, user)}'")
        if not _there(cursor, f"SELECT 1 FROM pg_database WHERE datname = '{postgres.DATABASE}'"):
            cursor.execute(f"CREATE DATABASE {postgres.DATABASE} OWNER {postgres.OWNER}")
    with postgres.connection(folder, autocommit=False) as connected, connected.cursor() as cursor:
        if _there(cursor, "SELECT 1 FROM pg_publication"):
            return
        rows = seed.rows(clients)
        for table in TABLES:
            cursor.execute(table.ddl())
            cursor.adbc_ingest(table.name, rows[table.name], mode="append")
        for table in CAPTURED:
            # With all old values in the log, a change has all its columns, also long texts that it did not touch.
            cursor.execute(f"ALTER TABLE {table.name} REPLICA IDENTITY FULL")
            cursor.execute(f"GRANT SELECT ON {table.name} TO {postgres.CAPTURE}")
        published = ", ".join(table.name for table in CAPTURED)
        cursor.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {published}")


def count(folder: Path, table: Table) -> int:
    """Return how many rows a table has now."""
    with postgres.connection(folder) as connected, connected.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name}")
        [[rows]] = cursor.fetchall()
        return int(rows)


def _there(cursor: Any, question: str) -> bool:
    cursor.execute(question)
    return bool(cursor.fetchall())
