"""What the questions of notebook 07 read, as counted in a lake on S3: assets/questions-measurement.json."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import Field, model_validator

from indutech.costs.inputs.measurement import Strict
from indutech.system.settings import PROJECT

QUESTIONS_FILE = PROJECT / "assets" / "questions-measurement.json"
GROWING = ("tickets", "readings")  # tables that have a row for each message; the others are as large as the ERP


class Table(Strict):
    """A table of the lake: its rows, and the bytes of its columns in Parquet."""

    rows: int = Field(gt=0)
    column_bytes: int = Field(gt=0)


class Question(Strict):
    """A question, and for each table of the lake the bytes of the columns that it names."""

    name: str
    asked: str
    bytes_read: dict[str, int] = Field(min_length=1)


class Questions(Strict):
    """What each question reads; `readings_incompressible` is a reading's bytes if no value could be compressed."""

    made_by: str
    measured_on: str
    server: str
    tables: dict[str, Table]
    questions: list[Question] = Field(min_length=1)
    readings_incompressible: Decimal = Field(gt=0)

    @model_validator(mode="after")
    def _known_tables(self) -> Questions:
        for question in self.questions:
            if unknown := question.bytes_read.keys() - self.tables.keys():
                raise ValueError(f"{question.name} reads {', '.join(sorted(unknown))}, whose rows were not counted")
        return self

    def bytes_at(self, question: Question, rows: dict[str, Decimal]) -> Decimal:
        """Bytes that a question reads if growing tables have so many rows, and the others as many as were counted."""
        return sum((Decimal(read) * self._grown(table, rows) for table, read in question.bytes_read.items()), Decimal())

    def stored_at(self, question: Question, rows: dict[str, Decimal]) -> Decimal:
        """Bytes of the whole tables that a question reads from, at such sizes."""
        sizes = {name: Decimal(self.tables[name].column_bytes) for name in question.bytes_read}
        return sum((size * self._grown(name, rows) for name, size in sizes.items()), Decimal())

    def share_of_columns(self, table: str) -> Decimal:
        """The share of a table's bytes that a question reads, the mean over the questions that read it at all."""
        read = [question.bytes_read[table] for question in self.questions if table in question.bytes_read]
        return Decimal(sum(read)) / len(read) / self.tables[table].column_bytes

    def _grown(self, table: str, rows: dict[str, Decimal]) -> Decimal:
        return rows[table] / self.tables[table].rows if table in GROWING else Decimal(1)


def read_questions(file: Path = QUESTIONS_FILE) -> Questions:
    """The committed count.

    Raises:
        MeasurementError: the file breaks its contract; the message names the field.
    """
    return Questions.of(file, "python -m bench questions")
