"""Questions of Redshift on DuckDB, and what Spectrum would read: what notebook 07 rests on, without its ERP."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot.errors import SqlglotError

from indutech.costs.inputs.prices import read_prices
from indutech.report.hybrid import crossing, questions, spectrum
from indutech.report.hybrid.questions import Question

KNOWN = {"tickets": ["client_id", "request", "kafka_timestamp"], "clients": ["client_id", "segment"]}


@pytest.mark.parametrize("question", questions.ALL, ids=lambda question: question.name)
def test_each_question_is_carried_over(question: Question) -> None:
    """Nothing of Redshift's own is left in it."""
    statement = crossing.carried_over(question.sql)

    assert not {"NVL", "GETDATE", "DATEDIFF(year"} & set(statement.split())
    assert "GETDATE" not in statement


def test_a_statement_that_sqlglot_passes_on_is_no_success() -> None:
    """It takes what it does not know for a command, and would return the text as it was."""
    with pytest.raises(SqlglotError, match="CREATE EXTERNAL"):
        crossing.carried_over(questions.BESIDE["the external schema itself"])


def test_what_does_not_run_is_named() -> None:
    """Of what was tried, each line says who stopped it."""
    with duckdb.connect() as connection:
        told = crossing.tried(
            connection, {"good": "SELECT NVL(NULL, 1)", "table": "SELECT 1 FROM nowhere", "x": "SELECT ("}
        )

    assert list(told["here"]) == ["runs", "DuckDB refuses", "sqlglot stops"]
    assert "nowhere" in told["why"][1]


def test_only_columns_of_the_lake_are_read() -> None:
    """Those that a question names, by table; loaded tables cost no scan, and an alias is no column."""
    asked = Question("x", "", "SELECT c.segment AS request, t.client_id, k.level FROM lake.tickets AS t "
                     "JOIN lake.clients AS c ON c.client_id = t.client_id JOIN erp.contracts AS k ON true")  # fmt: skip

    assert spectrum.columns_read(asked, KNOWN) == {"tickets": {"client_id"}, "clients": {"client_id", "segment"}}


def test_bytes_are_those_of_the_columns(tmp_path: Path) -> None:
    """A text that is not asked for is not counted; two files are twice as much."""
    rows = pa.table({"client_id": list(range(1000)), "request": [f"Panne numéro {n}" for n in range(1000)]})
    for name in "ab":
        pq.write_table(rows, tmp_path / name)

    one = spectrum.bytes_of([tmp_path / "a"], {"client_id"})
    assert 0 < one < spectrum.bytes_of([tmp_path / "a"], {"client_id", "request"}) < (tmp_path / "a").stat().st_size
    assert spectrum.bytes_of([tmp_path / "a", tmp_path / "b"], {"client_id"}) == 2 * one


def test_the_least_charge_is_for_ten_megabytes() -> None:
    """Beyond, a megabyte that is begun is paid."""
    prices, mega = read_prices(), spectrum.MEGABYTE

    assert spectrum.charged(0, prices) == spectrum.charged(10 * mega, prices) > 0
    assert spectrum.charged(20 * mega, prices) == 2 * spectrum.charged(0, prices)
    assert spectrum.charged(19 * mega + 1, prices) == spectrum.charged(20 * mega, prices)
