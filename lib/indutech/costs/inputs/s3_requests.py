"""Requests to S3 that a micro-batch asks for, as counted on a real server: assets/s3-requests.json (`bench/s3.py`)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field

from indutech.costs.inputs.measurement import Strict
from indutech.costs.inputs.usage import Assumption, Usage
from indutech.system.settings import PROJECT

REQUESTS_FILE = PROJECT / "assets" / "s3-requests.json"
OURS = "our stream"
Kind = Literal["COPY", "DELETE", "GET", "HEAD", "LIST", "POST", "PUT"]
# As S3 bills them; a deletion is free.
LIKE_PUT: tuple[Kind, ...] = ("COPY", "LIST", "POST", "PUT")
LIKE_GET: tuple[Kind, ...] = ("GET", "HEAD")


class S3Requests(Strict):
    """Requests per micro-batch, the mean over some, by committer and kind."""

    made_by: str
    measured_on: str
    server: str
    tickets_per_batch: int = Field(gt=0)
    batches: int = Field(gt=0)
    files_per_batch: Decimal = Field(gt=0)
    committers: dict[str, dict[Kind, Decimal]]

    def billed(self, committer: str = OURS) -> tuple[Decimal, Decimal]:
        """Requests per micro-batch at the price of a PUT, and at that of a GET."""
        counted = self.committers[committer]
        puts, gets = (sum((counted.get(k, Decimal()) for k in kinds), Decimal()) for kinds in (LIKE_PUT, LIKE_GET))
        return puts, gets

    def figures(self, usage: Usage) -> dict[str, Assumption]:
        """The assumptions that the count replaces; their brackets stay, widened where it lies outside."""
        puts, gets = self.billed()
        return {name: usage.having(**{name: value})[name] for name, value in
                {"batch_put_requests": puts, "batch_get_requests": gets}.items()}  # fmt: skip


def read_s3_requests(file: Path = REQUESTS_FILE) -> S3Requests:
    """The committed count.

    Raises:
        MeasurementError: the file breaks its contract; the message names the field.
    """
    return S3Requests.of(file, "python -m bench.s3 --write")
