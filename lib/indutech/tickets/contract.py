"""The ticket's contract: its fields, each of a kind of `fields`, and what the pipeline has to know of it besides."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from indutech.tickets.fields import FreeText, Integer, Kind, Moment, Uuid, Word
from indutech.tickets.product import Product
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


PRODUCT = Product(
    name="tickets",
    model=Ticket,
    key="client_id",
    unique=("ticket_id",),
    generator="indutech.tickets.generator:ticket_messages",
    derived={"support_team": ("type", TEAM_FOR_TYPE)},
)

FIELDS: tuple[str, ...] = PRODUCT.fields
KINDS: Mapping[str, Kind] = PRODUCT.kinds
REQUIRED: tuple[str, ...] = PRODUCT.required
json_schema, validate, all_faults = PRODUCT.json_schema, PRODUCT.validate, PRODUCT.all_faults
