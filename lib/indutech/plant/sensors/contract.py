"""The contract of a sensor reading: its fields, each of a kind of `tickets.fields`."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from indutech.tickets.contract import YEARS
from indutech.tickets.fields import Code, Integer, Moment, Real, Word
from indutech.tickets.product import Product


class Site(StrEnum):
    """A town with machines that have sensors."""

    LYON = "Lyon"
    GRENOBLE = "Grenoble"
    BELFORT = "Belfort"
    NANTES = "Nantes"
    SAINT_ETIENNE = "Saint-Étienne"


class Metric(StrEnum):
    """What a sensor measures."""

    TEMPERATURE = "température"
    VIBRATION = "vibration"
    PRESSURE = "pression"
    CURRENT = "courant"
    SPEED = "vitesse"


class Unit(StrEnum):
    """The unit of a value."""

    CELSIUS = "°C"
    MM_PER_S = "mm/s"
    BAR = "bar"
    AMPERE = "A"
    RPM = "tr/min"


class Quality(StrEnum):
    """What the sensor itself says of its value."""

    GOOD = "BONNE"
    DOUBTFUL = "DOUTEUSE"
    BAD = "MAUVAISE"


LOWEST, HIGHEST = -100.0, 20_000.0  # of any metric: beyond, a sensor sends an error code and not a value


class Reading(BaseModel):
    """A reading of one sensor that keeps the contract; fields of fixed width first, for the fast path."""

    model_config = ConfigDict(frozen=True, extra="ignore", title="Reading", hide_input_in_errors=True)

    machine_id: Annotated[str, Code("MX-", 4)] = Field(
        description="The machine: MX- and four digits.", examples=["MX-0042"]
    )
    measured_at: Annotated[datetime, Moment(YEARS, decimals=3)] = Field(
        description="When it was measured: ISO 8601 with seconds and an offset, "
        f"from {YEARS.start} to {YEARS.stop - 1}; the plant writes milliseconds; stored in UTC.",
        examples=["2026-03-02T08:15:30.250Z"],
    )
    sequence: Annotated[int, Integer(range(2**53))] = Field(
        description="Counts the readings of a machine: with `machine_id` the business key, and a hole in it shows.",
        examples=[29360128],
    )
    site: Annotated[Site, Word(Site)] = Field(description="The town of its site.", examples=["Saint-Étienne"])
    metric: Annotated[Metric, Word(Metric)] = Field(description="What was measured.", examples=["vibration"])
    measured_value: Annotated[float, Real(LOWEST, HIGHEST)] = Field(
        description=f"A JSON number from {LOWEST:,.0f} to {HIGHEST:,.0f}; stored in double precision.", examples=[2.84]
    )
    unit: Annotated[Unit, Word(Unit)] = Field(description="The unit of the value.", examples=["mm/s"])
    quality: Annotated[Quality, Word(Quality)] = Field(
        description="What the sensor says of its own value.", examples=["BONNE"]
    )


PRODUCT = Product(
    name="readings",
    model=Reading,
    key="machine_id",
    unique=("machine_id", "sequence"),
    generator="indutech.plant.sensors.generator:reading_messages",
)
