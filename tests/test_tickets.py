"""The contract: what a ticket is, what is not one and why, and that everything else is derived from it."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from indutech.tickets.cases import Case, malformed_cases
from indutech.tickets.contract import (
    FIELDS,
    TEAM_FOR_TYPE,
    Rejected,
    Ticket,
    TicketType,
    json_schema,
    validate,
)
from indutech.tickets.schema import contract_table, spark_schema
from indutech.tickets.strict_json import ECHO_CHARACTERS

FIELDS_OF_A_TICKET = {
    "ticket_id": "6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90",
    "client_id": 4217,
    "creation_date": "2026-03-02T08:15:30Z",
    "request": "Le VPN ne répond plus.",
    "type": "Connexion",
    "priority": "HAUTE",
}


def validated(**changes: object) -> Ticket | Rejected:
    """The result for the ticket above with some fields changed."""
    return validate(orjson.dumps({**FIELDS_OF_A_TICKET, **changes}))


@pytest.mark.parametrize("case", malformed_cases(), ids=lambda case: case.name)
def test_case_of_the_table(case: Case) -> None:
    """Each case gets its result, its reason, and what is stored instead of what was written."""
    result = validate(case.value)

    if case.reason:
        assert result == Rejected(case.reason)
    else:
        assert isinstance(result, Ticket)
        stored = result.model_dump(mode="json")
        assert {field: stored[field] for field in case.becomes} == case.becomes


def test_table_is_broad() -> None:
    """The table has every kind of reason for every field, messages that are right, and no name twice."""
    cases = malformed_cases()
    reasons = {case.reason.split(":")[0] for case in cases if case.reason}

    assert len({case.name for case in cases}) == len(cases) >= 100
    assert len(reasons) >= 25
    assert {f"missing field: {field}" for field in FIELDS} <= {case.reason for case in cases}
    assert sum(case.reason is None for case in cases) >= 25


def test_ticket_keeps_what_was_asked() -> None:
    """A good message becomes a ticket with a moment in UTC and words of the vocabulary."""
    result = validated(creation_date="2026-03-02T08:15:30+01:00")

    assert isinstance(result, Ticket)
    assert result.creation_date == datetime(2026, 3, 2, 7, 15, 30, tzinfo=UTC)
    assert result.creation_date.tzinfo is UTC
    assert result.type is TicketType.CONNECTION
    assert result.request == FIELDS_OF_A_TICKET["request"]


def test_first_field_that_fails_is_named() -> None:
    """With several faults, the reason is about the first field of the contract: the same in every validator."""
    assert validated(priority=None, client_id=12) == Rejected("client_id out of range: 12")


def test_reasons_are_short_and_on_one_line() -> None:
    """However long a value is, its quotation is bounded and breaks no table."""
    result = validated(type="a\nb\u2028c" + "x" * 1_000_000)

    assert result == Rejected(f"unknown type: a?b?c{'x' * (ECHO_CHARACTERS - 5)}")


def test_values_that_look_like_templates_are_quoted() -> None:
    """A value with braces in it is quoted as it is."""
    assert validated(type="{reason}") == Rejected("unknown type: {reason}")


def test_contract_also_holds_for_tickets_made_in_code() -> None:
    """A ticket cannot be made with values that a message may not have."""
    with pytest.raises(ValidationError, match="client_id is not an integer"):
        Ticket.model_validate({**FIELDS_OF_A_TICKET, "client_id": True})
    with pytest.raises(ValidationError, match="creation_date has no offset"):
        Ticket.model_validate({**FIELDS_OF_A_TICKET, "creation_date": datetime(2026, 3, 2)})


def test_every_type_has_a_team() -> None:
    """No type is left without the team that answers it."""
    assert set(TEAM_FOR_TYPE) == set(TicketType)


def test_derived_forms_have_the_fields_of_the_contract() -> None:
    """Spark's schema, the JSON Schema and the table in the documents name the same fields in the same order."""
    schema = json_schema()

    assert [column.split()[0] for column in spark_schema().split(", ")] == list(FIELDS)
    assert list(schema["properties"]) == schema["required"] == list(FIELDS)
    assert [line.split("`")[1] for line in contract_table().splitlines()[2:]] == list(FIELDS)


def test_examples_of_the_contract_are_a_ticket() -> None:
    """The examples in the documents keep the contract."""
    examples = {name: (field.examples or [None])[0] for name, field in Ticket.model_fields.items()}

    assert isinstance(validate(orjson.dumps(examples)), Ticket)


def test_producer_a_version_ahead_is_understood() -> None:
    """A field that we do not know yet changes nothing."""
    assert validated(channel="web") == validated()


def test_producer_a_version_behind_is_understood_once_a_field_has_a_default() -> None:
    """A new field with a default takes yesterday's tickets; a required one would refuse them all."""

    class Next(Ticket):
        channel: str | None = None

    class Strict(Ticket):
        channel: str

    assert Next.model_validate(FIELDS_OF_A_TICKET).channel is None
    with pytest.raises(ValidationError):
        Strict.model_validate(FIELDS_OF_A_TICKET)


def test_files_from_before_a_column_stay_readable(tmp_path: Path) -> None:
    """Columns are matched by name: in old files a new column is null, in DuckDB as in pyarrow."""
    old, new = pa.table({"request": ["avant"]}), pa.table({"request": ["après"], "channel": ["web"]})
    for name, table in {"1": old, "2": new}.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")

    by_duckdb = duckdb.sql(
        f"SELECT request, channel FROM read_parquet('{tmp_path}/*.parquet', union_by_name = true) ORDER BY request"
    ).fetchall()
    by_arrow = pq.read_table(tmp_path, schema=new.schema).sort_by("request").to_pylist()

    assert by_duckdb == [("après", "web"), ("avant", None)]
    assert by_arrow == [{"request": "après", "channel": "web"}, {"request": "avant", "channel": None}]
