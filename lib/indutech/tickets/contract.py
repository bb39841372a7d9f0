"""The ticket's contract: its fields, each of a kind of `fields`, and the validation of a message against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from indutech.system.errors import InduTechError
from indutech.tickets.fields import FreeText, Integer, Kind, Moment, Uuid, Word
from indutech.tickets.strict_json import JSON_BLANKS, byte_of, members, pairs_of
from indutech.tickets.strict_json import Rejected as Rejected  # what `validate` answers, so it is had from here too


class ContractUnusable(InduTechError):
    """The contract declares a field in a way that the rest of the project cannot follow."""


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


class Ticket(BaseModel):
    """A support ticket that keeps the contract; the order of its fields is the order in which they are validated."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Ticket", hide_input_in_errors=True)

    ticket_id: Annotated[str, Uuid()] = Field(
        description="A UUID in its canonical form, unique: the business key; stored in lower case.",
        examples=["6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90"],
    )
    client_id: Annotated[int, Integer(CLIENT_IDS)] = Field(
        description=f"A JSON integer from {CLIENT_IDS.start} to {CLIENT_IDS.stop - 1}; 1234.0 is not one.",
        examples=[4217],
    )
    creation_date: Annotated[datetime, Moment(YEARS)] = Field(
        description="ISO 8601 with seconds and an offset (Z, or at most 14:00), "
        f"from {YEARS.start} to {YEARS.stop - 1}; stored in UTC.",
        examples=["2026-03-02T08:15:30Z"],
    )
    request: Annotated[str, FreeText()] = Field(
        description="What the client asks, in French; not blank; kept as received.",
        examples=["Impossible de se connecter au VPN depuis le site de Lyon."],
    )
    type: Annotated[TicketType, Word(TicketType)] = Field(
        description="One of the five types, compared after NFC and without blanks around it.", examples=["Connexion"]
    )
    priority: Annotated[Priority, Word(Priority)] = Field(
        description="One of the four priorities, compared after NFC and without blanks around it.", examples=["HAUTE"]
    )


def _kind(name: str) -> Kind:
    field = Ticket.model_fields[name]
    if not field.is_required() and field.default is not None:
        raise ContractUnusable(f"{name} has the default {field.default!r}: null is the only one that Spark knows too.")
    if len(kinds := [mark for mark in field.metadata if isinstance(mark, Kind)]) != 1:
        raise ContractUnusable(f"{name} is declared without a kind: write Annotated[type, a kind of `fields`].")
    return kinds[0]


FIELDS: tuple[str, ...] = tuple(Ticket.model_fields)
KINDS: Mapping[str, Kind] = {name: _kind(name) for name in FIELDS}
REQUIRED: tuple[str, ...] = tuple(name for name in FIELDS if Ticket.model_fields[name].is_required())


def json_schema() -> dict[str, Any]:
    """Return the contract as JSON Schema: what a producer in another language checks before it sends."""
    return Ticket.model_json_schema()


def validate(value: bytes | None) -> Ticket | Rejected:
    """Return the ticket that a message holds, or the first reason why it holds none."""
    pairs = pairs_of(value)
    if isinstance(pairs, Rejected):
        return pairs
    try:
        return Ticket.model_validate(dict(pairs))
    except ValidationError as error:
        return Rejected(_wrong_fields(error)[0][1])


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a message: the reason, the field, and the byte where the wrong value begins."""

    reason: str
    field: str | None
    position: int | None


def all_faults(value: bytes | None) -> list[Fault]:
    """Return everything that is wrong with a message, the reason that `validate` gives first; empty for a ticket.

    A message that is not one JSON object without duplicate keys has one fault; otherwise each wrong field has one.
    """
    pairs = pairs_of(value)
    if isinstance(pairs, Rejected):
        return [Fault(pairs.reason, None, pairs.position)]
    try:
        Ticket.model_validate(dict(pairs))
        return []
    except ValidationError as error:
        text = (value or b"").decode()
        at = {member.key: byte_of(text, member.value_at) for member in members(text.strip(JSON_BLANKS))}
        return [Fault(reason, name, at.get(name)) for name, reason in _wrong_fields(error)]


def _wrong_fields(error: ValidationError) -> list[tuple[str, str]]:
    """Return each wrong field and why it is refused, in the contract's order."""
    return [
        (str(one["loc"][0]), f"missing field: {one['loc'][0]}" if one["type"] == "missing" else one["ctx"]["reason"])
        for one in error.errors(include_url=False, include_input=False)
    ]
