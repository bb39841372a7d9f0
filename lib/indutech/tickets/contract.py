"""The ticket: its contract, written once, and the validation that says whether a message keeps it."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from indutech.tickets.strict_json import BLANKS, Number, echo, pairs_of
from indutech.tickets.strict_json import Rejected as Rejected  # what `validate` answers, so it is had from here too


class TicketType(StrEnum):
    """What a ticket is about."""

    TECHNICAL = "Problème Technique"
    BILLING = "Facturation"
    INFORMATION = "Demande Info"
    CONNECTION = "Connexion"
    HARDWARE = "Panne Matérielle"


class Priority(StrEnum):
    """How urgent a ticket is, from low to critical."""

    LOW = "BASSE"
    MEDIUM = "MOYENNE"
    HIGH = "HAUTE"
    CRITICAL = "CRITIQUE"


TEAM_FOR_TYPE: Mapping[TicketType, str] = {
    TicketType.TECHNICAL: "Support Technique",
    TicketType.BILLING: "Support Compta",
    TicketType.INFORMATION: "Support Clientèle",
    TicketType.CONNECTION: "Support Réseau",
    TicketType.HARDWARE: "Support Technique",
}

CLIENT_IDS = range(1000, 10_000)
# Further off it is a broken clock, and tools disagree on it: Parquet's writers rebase old dates from one calendar to
# another, pandas overflows, and a series by day between two such dates has a million rows.
YEARS = range(1970, 3000)

# Every pattern below means the same to Python and to Java, so Spark validates with the very same text.
UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
INTEGER = r"-?(?:0|[1-9][0-9]*+)"
LOCAL_TIME = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"


def _refuse(reason: str) -> PydanticCustomError:
    # A reason goes in whole as context: one that quotes braces would otherwise be read as a template.
    return PydanticCustomError("ticket", "{reason}", {"reason": reason})


def _text(field: str, value: object) -> str:
    if value is None:
        raise _refuse(f"{field} is null")
    if not isinstance(value, str) or isinstance(value, Number):
        raise _refuse(f"{field} is not text")
    return value


def _ticket_id(value: object) -> str:
    text = _text("ticket_id", value)
    if not re.fullmatch(UUID, text):
        raise _refuse(f"ticket_id is not a UUID: {echo(text)}")
    return text.lower()


def _client_id(value: object) -> int:
    if value is None:
        raise _refuse("client_id is null")
    written = str(value) if type(value) in (int, Number) else ""
    if not re.fullmatch(INTEGER, written):
        raise _refuse("client_id is not an integer")
    if int(written) not in CLIENT_IDS:
        raise _refuse(f"client_id out of range: {echo(str(int(written)))}")
    return int(written)


def _creation_date(value: object) -> datetime:
    text = value.isoformat() if isinstance(value, datetime) else _text("creation_date", value)
    if re.fullmatch(LOCAL_TIME, text):
        raise _refuse(f"creation_date has no offset: {echo(text)}")
    if not re.fullmatch(LOCAL_TIME + OFFSET, text):
        raise _refuse(f"creation_date is not ISO 8601 with seconds and an offset: {echo(text)}")
    if int(text[:4]) not in YEARS:
        raise _refuse(f"creation_date out of range: {echo(text)}")
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise _refuse(f"creation_date is not a real date: {echo(text)}") from None
    if moment.year not in YEARS:
        raise _refuse(f"creation_date out of range: {echo(text)}")
    return moment


def _request(value: object) -> str:
    text = _text("request", value)
    if not text.strip(BLANKS):
        raise _refuse("request is blank")
    return text


def _word(field: str, vocabulary: type[StrEnum], value: object) -> str:
    text = _text(field, value)
    word = unicodedata.normalize("NFC", text).strip(BLANKS)
    if word not in {known.value for known in vocabulary}:
        raise _refuse(f"unknown {field}: {echo(text)}")
    return word


def _type(value: object) -> str:
    return _word("type", TicketType, value)


def _priority(value: object) -> str:
    return _word("priority", Priority, value)


class Ticket(BaseModel):
    """A support ticket that keeps the contract; the order of its fields is the order in which they are validated."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Ticket", hide_input_in_errors=True)

    ticket_id: Annotated[str, BeforeValidator(_ticket_id)] = Field(
        pattern=f"^{UUID}$",
        description="A UUID in its canonical form, unique: the business key; stored in lower case.",
        examples=["6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90"],
    )
    client_id: Annotated[int, BeforeValidator(_client_id)] = Field(
        ge=CLIENT_IDS.start,
        le=CLIENT_IDS.stop - 1,
        description=f"A JSON integer from {CLIENT_IDS.start} to {CLIENT_IDS.stop - 1}; 1234.0 is not one.",
        examples=[4217],
    )
    creation_date: Annotated[datetime, BeforeValidator(_creation_date)] = Field(
        description="ISO 8601 with seconds and an offset (Z, or at most 14:00), "
        f"from {YEARS.start} to {YEARS.stop - 1}; stored in UTC.",
        examples=["2026-03-02T08:15:30Z"],
    )
    request: Annotated[str, BeforeValidator(_request)] = Field(
        pattern=r"\S",
        description="What the client asks, in French; not blank; kept as received.",
        examples=["Impossible de se connecter au VPN depuis le site de Lyon."],
    )
    type: Annotated[TicketType, BeforeValidator(_type)] = Field(
        description="One of the five types, compared after NFC and without blanks around it.", examples=["Connexion"]
    )
    priority: Annotated[Priority, BeforeValidator(_priority)] = Field(
        description="One of the four priorities, compared after NFC and without blanks around it.", examples=["HAUTE"]
    )


FIELDS: tuple[str, ...] = tuple(Ticket.model_fields)
_SPARK_TYPES: Mapping[object, str] = {int: "INT", datetime: "TIMESTAMP"}  # everything else is text


def spark_schema() -> str:
    """Return the contract's columns as Spark writes a schema: "ticket_id STRING, client_id INT, …"."""
    fields = Ticket.model_fields.items()
    return ", ".join(f"{name} {_SPARK_TYPES.get(field.annotation, 'STRING')}" for name, field in fields)


def json_schema() -> dict[str, Any]:
    """Return the contract as JSON Schema: what a producer in another language checks before it sends."""
    return Ticket.model_json_schema()


def contract_table() -> str:
    """Return the contract as a Markdown table: what the documents show."""
    rows = ["| field | in JSON | in Spark | rule | example |", "|---|---|---|---|---|"]
    for column in spark_schema().split(", "):
        name, spark_type = column.split()
        field = Ticket.model_fields[name]
        json_type = "integer" if field.annotation is int else "string"
        rule, example = field.description, json.dumps((field.examples or [None])[0], ensure_ascii=False)
        rows.append(f"| `{name}` | {json_type} | {spark_type.lower()} | {rule} | `{example}` |")
    return "\n".join(rows)


def validate(value: bytes | None) -> Ticket | Rejected:
    """Return the ticket that a message holds, or the first reason why it holds none."""
    pairs = pairs_of(value)
    if isinstance(pairs, Rejected):
        return pairs
    try:
        return Ticket.model_validate(dict(pairs))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        missing = first["type"] == "missing"
        return Rejected(f"missing field: {first['loc'][0]}" if missing else str(first["ctx"]["reason"]))
