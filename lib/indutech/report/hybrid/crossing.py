"""Carries Redshift's SQL over to DuckDB with sqlglot, and runs it on the lake's Parquet and on the ERP's own tables.

The ERP is read from PostgreSQL as Arrow and registered, since DuckDB's own way there is an extension that it would have
to download.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd
import sqlglot
from IPython.display import Markdown
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from indutech.lake import reader
from indutech.plant.erp import embedded, history, postgres
from indutech.plant.erp.tables import CLIENTS, TABLES
from indutech.report.hybrid.questions import Question
from indutech.report.hybrid.scene import Scene


def connect(scene: Scene) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the schemas `lake` and `erp`, as the questions name them."""
    connection = reader.connect(scene.settings)
    connection.execute("CREATE SCHEMA lake; CREATE SCHEMA erp")
    connection.execute("CREATE VIEW lake.tickets AS SELECT * FROM main.tickets")
    connection.execute(f"CREATE VIEW lake.readings AS {reader.rows(scene.of_readings, 'readings')}")
    for name, view in (("state", "clients"), ("history", "clients_history")):
        file = str(history.file(scene.settings, CLIENTS, name)).replace("'", "''")
        connection.execute(f"CREATE VIEW lake.{view} AS SELECT * FROM read_parquet('{file}')")
    with postgres.connection(embedded.database_dir(scene.settings)) as erp, erp.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table.name}")
            connection.register("fetched", cursor.fetch_arrow_table())
            connection.execute(f"CREATE TABLE erp.{table.name} AS SELECT * FROM fetched")
    return connection


def carried_over(sql: str) -> str:
    """Return a statement of Redshift as DuckDB takes it.

    Raises:
        SqlglotError: sqlglot does not read it, or says that it cannot carry something over.
    """
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it warns of is an error below
    statement = sqlglot.parse_one(sql, read="redshift")
    if isinstance(statement, exp.Command):  # it does not know the statement, and would pass its text on
        raise UnsupportedError(f"no statement that sqlglot reads: {sql.split()[0]} {sql.split()[1]}")
    return statement.sql("duckdb", pretty=True, unsupported_level=ErrorLevel.RAISE)


def shown(question: Question) -> Markdown:
    """A question as Redshift is asked, and as DuckDB was."""
    return Markdown(  # type: ignore[no-untyped-call]
        f"As Redshift is asked:\n\n```sql\n{question.sql.strip()}\n```\n\n"
        f"As sqlglot carried it over to DuckDB:\n\n```sql\n{carried_over(question.sql)}\n```"
    )


def answer(connection: duckdb.DuckDBPyConnection, question: Question) -> pd.DataFrame:
    """The answer to one question."""
    return connection.execute(carried_over(question.sql)).df()


def tickets_of_another_version(connection: duckdb.DuckDBPyConnection) -> int:
    """How many tickets come from a client whose segment or turnover is another one today, or who is none any more."""
    [[count]] = connection.execute(_OTHERWISE).fetchall()
    return int(count)


@dataclass(frozen=True)
class Machines:
    """Machines that sent readings, those of them that the ERP has today, and those it has in another town."""

    measured: int
    known: int
    elsewhere: int


def machines(connection: duckdb.DuckDBPyConnection) -> Machines:
    """How far the machines of the readings agree with those of the ERP."""
    [counts] = connection.execute(_MACHINES).fetchall()
    return Machines(*counts)


def tried(connection: duckdb.DuckDBPyConnection, statements: Mapping[str, str]) -> pd.DataFrame:
    """For each named statement of Redshift, whether it runs here, and if not, who says why."""
    rows = []
    for name, sql in statements.items():
        try:
            connection.execute(carried_over(sql)).fetchall()
            rows.append((name, "runs", ""))
        except SqlglotError as error:
            rows.append((name, "sqlglot stops", _first_line(error)))
        except duckdb.Error as error:
            rows.append((name, "DuckDB refuses", _first_line(error)))
    return pd.DataFrame(rows, columns=["asked for", "here", "why"])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120]


_MACHINES = """
    SELECT count(*), count(s.site_id), count(*) FILTER (s.city <> r.site)
    FROM (SELECT DISTINCT machine_id, site FROM lake.readings) AS r
    LEFT JOIN erp.machines AS m USING (machine_id) LEFT JOIN erp.sites AS s USING (site_id)
"""
_OTHERWISE = """
    SELECT count(*) FROM lake.tickets AS t
    JOIN lake.clients_history AS c ON c.client_id = t.client_id
      AND t.kafka_timestamp >= c.valid_from AND (t.kafka_timestamp < c.valid_to OR c.valid_to IS NULL)
    LEFT JOIN lake.clients AS now ON now.client_id = t.client_id
    WHERE (c.segment, c.turnover_eur) IS DISTINCT FROM (now.segment, now.turnover_eur)
"""
