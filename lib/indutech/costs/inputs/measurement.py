"""What the proof of concept measured, as the cost model reads it: a run's file, or the committed reference."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from indutech.costs.inputs.usage import Assumption, Usage
from indutech.system.errors import InduTechError, first_problem
from indutech.system.settings import PROJECT

REFERENCE_FILE = PROJECT / "assets" / "reference-measurement.json"
FILE_NAME = Path("metrics") / "measurement.json"  # below the data folder
MARK = "generated tickets"  # they compress better than people's, and are no readings


class MeasurementError(InduTechError):
    """A measurement file that cannot be used."""


class Strict(BaseModel):
    """What a measured file may hold: the fields that are declared, and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, file: Path, made_by: str) -> Self:
        """Return what the file holds.

        Raises:
            MeasurementError: the file breaks its contract; the message names the field.
        """
        try:
            return cls.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise MeasurementError(f"{file.name}: {first_problem(error)}. Make it anew: `{made_by}`.") from None


class Question(Strict):
    """One question of the analysis and the bytes of Parquet that answering it reads."""

    question: str
    columns: list[str] = Field(min_length=1)
    bytes_scanned: int = Field(ge=0)


class Bracket(Strict):
    """Parquet bytes per ticket if the text could not be compressed, and if it came from a small pool of sentences."""

    incompressible: Decimal = Field(gt=0)
    pooled: Decimal = Field(gt=0)


class Measurement(Strict):
    """One run of the pipeline, in the figures that the cost model uses."""

    contract: int = Field(1, ge=1, le=1)
    mark: str = Field(MARK, min_length=1)
    made_by: str
    measured_on: str
    tickets: int = Field(gt=0)
    json_bytes: int = Field(gt=0)
    parquet_bytes: int = Field(gt=0)
    files: int = Field(gt=0)
    batches: int = Field(gt=0)
    tickets_per_core_second: int | None = Field(None, gt=0)
    questions: list[Question] = Field(min_length=1)
    bracket: Bracket

    @property
    def json_bytes_per_ticket(self) -> Decimal:
        """Bytes of one ticket on the wire."""
        return Decimal(self.json_bytes) / self.tickets

    @property
    def parquet_bytes_per_ticket(self) -> Decimal:
        """Bytes of one ticket in the lake."""
        return Decimal(self.parquet_bytes) / self.tickets

    def figures(self, usage: Usage) -> dict[str, Assumption]:
        """The assumptions that this run replaces; their brackets stay, widened where the run lies outside."""
        values = {"files_per_batch": round(Decimal(self.files) / self.batches, 1)}
        if self.tickets_per_core_second:
            values["tickets_per_core_second"] = Decimal(self.tickets_per_core_second)
        return {usage_id: usage.having(**{usage_id: value})[usage_id] for usage_id, value in values.items()}


def read_measurement(data_dir: Path | None = None) -> tuple[Measurement, str]:
    """The run's measurement, or the committed reference if there is none, and a sentence that says which.

    Raises:
        MeasurementError: the file breaks the contract; the message names the field.
    """
    if data_dir is not None and (run := data_dir / FILE_NAME).exists():
        found = _read(run)
        return found, f"Measured by this data folder's run: {found.tickets:,} {found.mark}, {found.measured_on}."
    found = _read(REFERENCE_FILE)
    return found, (
        f"No run has been measured here, so the committed reference is used: {found.tickets:,} {found.mark}, "
        f"{found.measured_on}, {found.made_by}."
    )


def _read(file: Path) -> Measurement:
    return Measurement.of(file, "indutech costs measure")
