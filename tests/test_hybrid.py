"""Questions of Redshift on DuckDB, and what Spectrum would read: what notebook 07 rests on, without its ERP."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from indutech.costs import storage
from indutech.costs.inputs.prices import read_prices
from indutech.plant.erp import seed
from indutech.plant.sensors import fleet
from indutech.report.hybrid import breakdowns, crossing, questions, spectrum
from indutech.report.hybrid.questions import Question
from indutech.tickets.contract import Ticket, validate
from indutech.tickets.generator import DEMO_START

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
    prices, mega = read_prices(), storage.MEGABYTE

    def charged(read: int) -> Decimal:
        return storage.spectrum_charge(read, prices).amount

    assert charged(0) == charged(10 * mega) > 0
    assert charged(20 * mega) == 2 * charged(0)
    assert charged(19 * mega + 1) == charged(20 * mega)


@pytest.mark.parametrize("question", questions.ALL, ids=lambda question: question.name)
def test_no_question_scans_a_table_twice(question: Question) -> None:
    """Its bytes are counted once for each table, so each stands in it once."""
    statement = sqlglot.parse_one(question.sql, read="redshift")
    named = [table.name for table in statement.find_all(exp.Table) if table.db == spectrum.LAKE]

    assert named
    assert len(named) == len(set(named))


def test_machines_with_sensors_are_where_their_readings_say() -> None:
    """Each is in the ERP, at a site of the town that its readings name, at most one for a client."""
    rows = seed.rows()
    site_of = dict(
        zip(rows["machines"]["machine_id"].to_pylist(), rows["machines"]["site_id"].to_pylist(), strict=True)
    )
    sites = {row["site_id"]: row for row in rows["sites"].to_pylist()}

    towns = {machine: sites[site_of[machine]]["city"] for machine in fleet.MACHINE_IDS}
    assert towns == {machine: str(site) for machine, site in fleet.SITE_OF.items()}
    assert len({sites[site_of[machine]]["client_id"] for machine in fleet.MACHINE_IDS}) > 0.9 * fleet.MACHINES


def test_a_small_erp_has_its_machines_in_those_towns_too() -> None:
    """As far as it has a site there; several machines then share one."""
    rows = seed.rows(60)
    cities = dict(zip(rows["sites"]["site_id"].to_pylist(), rows["sites"]["city"].to_pylist(), strict=True))
    machines = rows["machines"].to_pylist()

    there = set(cities.values())
    assert any(site in there for site in fleet.SITES)
    for row in machines:
        site = fleet.SITE_OF[row["machine_id"]]
        assert cities[row["site_id"]] == site or site not in there


def test_a_breakdown_ticket_follows_its_failure() -> None:
    """Soon after, from the client who has the machine; without such a client there is none."""
    failures = fleet.failures(7, DEMO_START, 86_400)
    owners = {failure.machine_id: 1000 + number for number, failure in enumerate(failures)}
    owners[failures[1].machine_id] = 10_000  # a client who came later, and writes no tickets
    del owners[failures[2].machine_id]

    found = breakdowns.tickets(failures, owners, 7)

    kept = [failure for place, failure in enumerate(failures) if place not in (1, 2)]
    assert [ticket.client_id for ticket in found] == [owners[failure.machine_id] for failure in kept]
    assert len({ticket.ticket_id for ticket in found}) == len(found)
    for failure, ticket in zip(kept, found, strict=True):
        assert 5 * 60 - 1 <= (ticket.creation_date - failure.failed_at).total_seconds() <= 45 * 60
        assert isinstance(validate(ticket.model_dump_json().encode()), Ticket)
    assert breakdowns.tickets(failures, owners, 7) == found
    assert breakdowns.tickets(failures, owners, 8) != found


# ---- the questions about sensors, on a few literal rows


@pytest.fixture
def asking() -> Iterator[duckdb.DuckDBPyConnection]:
    """One machine of Lyon that alarmed before its client's ticket, and others that did not."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_ROWS)
        yield connection


def test_alarms_are_crossed_with_what_followed(asking: duckdb.DuckDBPyConnection) -> None:
    """Only what came within four hours, of the client who has the machine, and only alarms count."""
    by_machine = crossing.answer(asking, questions.ALARMS_BY_MACHINE)

    assert by_machine.to_dict("records") == [
        {"site": "Lyon", "machine_id": "MX-0001", "model": "presse P-40", "contract": "Confort",
         "alarms": 2, "minutes_ahead": 180}
    ]  # fmt: skip


def test_each_site_counts_its_machines_once(asking: duckdb.DuckDBPyConnection) -> None:
    """Those that sent anything, those that alarmed, and those that alarmed before a ticket."""
    by_site = crossing.answer(asking, questions.ALARMS_BY_SITE)

    counted = by_site[["site", "machines", "alarmed", "before_a_ticket"]].to_numpy().tolist()
    assert counted == [["Lyon", 3, 2, 1], ["Nantes", 1, 1, 0]]


def test_machines_of_both_sides_are_compared(asking: duckdb.DuckDBPyConnection) -> None:
    """One is unknown to the ERP, one stands in another town there."""
    assert crossing.machines(asking) == crossing.Machines(measured=4, known=3, elsewhere=1)


_ROWS = """
    CREATE SCHEMA lake; CREATE SCHEMA erp;
    CREATE TABLE erp.sites (site_id INTEGER, client_id INTEGER, city VARCHAR);
    INSERT INTO erp.sites VALUES (1, 1000, 'Lyon'), (2, 1001, 'Lyon'), (3, 1002, 'Grenoble');
    CREATE TABLE erp.machines (machine_id VARCHAR, site_id INTEGER, model VARCHAR);
    INSERT INTO erp.machines VALUES ('MX-0001', 1, 'presse P-40'), ('MX-0002', 2, 'presse P-40'), ('MX-0004', 3, 'x');
    CREATE TABLE erp.contracts (client_id INTEGER, level VARCHAR);
    INSERT INTO erp.contracts VALUES (1000, 'Confort');
    CREATE TABLE lake.readings (
        machine_id VARCHAR, site VARCHAR, measured_at TIMESTAMPTZ, metric VARCHAR, measured_value DOUBLE
    );
    INSERT INTO lake.readings VALUES
        ('MX-0001', 'Lyon', '2026-03-02T08:00:00Z', 'vibration', 7.2),
        ('MX-0001', 'Lyon', '2026-03-02T09:00:00Z', 'température', 80.1),
        ('MX-0001', 'Lyon', '2026-03-02T09:30:00Z', 'température', 80.0),  -- as warm as may be
        ('MX-0001', 'Lyon', '2026-03-02T10:00:00Z', 'vitesse', 1400),
        ('MX-0002', 'Lyon', '2026-03-02T06:30:00Z', 'vibration', 9),  -- its ticket comes later than four hours
        ('MX-0003', 'Lyon', '2026-03-02T08:00:00Z', 'vibration', 2),  -- not in the ERP
        ('MX-0004', 'Nantes', '2026-03-02T08:00:00Z', 'vibration', 9);  -- in Grenoble, says the ERP
    CREATE TABLE lake.tickets (
        ticket_id VARCHAR, client_id INTEGER, creation_date TIMESTAMPTZ, type VARCHAR, priority VARCHAR
    );
    INSERT INTO lake.tickets VALUES
        ('a', 1000, '2026-03-02T11:00:00Z', 'Panne Matérielle', 'CRITIQUE'),
        ('b', 1000, '2026-03-02T11:30:00Z', 'Panne Matérielle', 'BASSE'),
        ('c', 1000, '2026-03-02T07:00:00Z', 'Panne Matérielle', 'CRITIQUE'),  -- before the alarm
        ('d', 1001, '2026-03-02T11:00:00Z', 'Panne Matérielle', 'CRITIQUE'),
        ('e', 1000, '2026-03-02T11:00:00Z', 'Facturation', 'CRITIQUE');
"""
