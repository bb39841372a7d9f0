"""The committed runs of `make bench` and `make month`, each with its day, its machine and its versions."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from indutech.system.errors import InduTechError, first_problem
from indutech.system.settings import PROJECT

BENCH_RUNS = PROJECT / "assets" / "bench-runs.json"
MONTH_RUN = PROJECT / "assets" / "month-run.json"
DAYS = 30  # of a whole month
STEADY_RATE = 10_000  # tickets/s, for which the latency is promised
FILES_OF_A_DAY = f"files of a closed day at {STEADY_RATE:,} tickets/s, compacted alike"


class RunUnusable(InduTechError):
    """A committed run cannot be read, or lacks what a page wants of it."""


class Measured(BaseModel):
    """One figure of a benchmark, of several rounds their median; a bound is what is wanted of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the bound holds; None where there is none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


class Section(BaseModel):
    """One section of a benchmark, measured in one go."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date: datetime
    cores: int
    memory_gib: float
    processor: str
    load_before: float
    versions: Mapping[str, str]
    command: str
    seconds: int
    figures: tuple[Measured, ...]

    def figure(self, what: str) -> Measured:
        """The figure of that name.

        Raises:
            RunUnusable: the section has none.
        """
        for one in self.figures:
            if one.what == what:
                return one
        raise RunUnusable(f"{BENCH_RUNS.name} has no figure {what!r}. Run `{self.command} --save` again.")


class Alone(BaseModel):
    """What the stream drained while nobody sent, and how fast; no rate if nothing."""

    model_config = ConfigDict(frozen=True)

    tickets: int
    tickets_per_s: int | None


class Grown(BaseModel):
    """With so much stored: the pace of full micro-batches, seconds of the commands, memory of the stream."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stored: int
    tickets_per_s: int | None
    seconds: Mapping[str, float]
    stream_mib: int


class Question(BaseModel):
    """What one question of notebook 04 reads of all tickets."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    asked: str
    columns: tuple[str, ...]
    bytes_after: int
    seconds: float


class Month(BaseModel):
    """A month of tickets, or some days of it, through the real parts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date: datetime
    cores: int
    memory_gib: float
    days: float
    max_batch_tickets: int
    tickets: int
    bytes_per_ticket: float
    seconds: Mapping[str, float]
    tickets_per_core_second: int
    micro_batches: int
    drained_alone: Alone
    growth: tuple[Grown, ...]
    question: Question
    peak_mib: Mapping[str, int]
    bytes: Mapping[str, int]
    files: Mapping[str, int]
    stored: int
    quarantined: int
    lost: int
    twice: int
    audit: str

    @property
    def drain_s(self) -> float | None:
        """Seconds for all of it once produced, at the pace of what was drained while nobody sent."""
        rate = self.drained_alone.tickets_per_s
        return self.tickets / rate if rate else None

    @property
    def files_of_a_day(self) -> int:
        """Files of a closed day at the steady rate, compacted as these tickets were: Parquet of about the same size."""
        return round(self.files["after"] * STEADY_RATE * 86_400 / self.tickets)

    @property
    def bounds(self) -> tuple[Measured, ...]:
        """What is wanted of a month; of fewer days the times say nothing, and are left out."""
        found = [
            Measured(what="lost or twice", value=self.lost + self.twice, unit="tickets", at_most=0),
            Measured(what="memory, stream", value=self.peak_mib["stream"], unit="MiB", at_most=3_072),
            Measured(what="memory, producer", value=self.peak_mib["producer"], unit="MiB", at_most=300),
        ]
        if self.days >= DAYS:
            took = self.seconds["produced_and_drained"]
            found.append(Measured(what="produced and drained", value=took, unit="s", at_most=1_800))
            found.append(Measured(what="audit", value=self.seconds["audit"], unit="s", at_most=15))
            found.append(Measured(what=FILES_OF_A_DAY, value=self.files_of_a_day, unit="files", at_most=500))
            if self.drain_s:
                found.append(Measured(what="drained, once produced", value=self.drain_s, unit="s", at_most=720))
        if rate := self.drained_alone.tickets_per_s:
            per_core = rate / self.cores
            found.append(Measured(what="drained, per core", value=per_core, unit="tickets/s", at_least=140_000))
        return tuple(found)


def sections(file: Path = BENCH_RUNS) -> dict[str, Section]:
    """The sections of the committed benchmark by name; none if none is committed.

    Raises:
        RunUnusable: the file cannot be read.
    """
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_bytes())
        return {name: Section.model_validate(one) for name, one in found.items()}
    except (ValueError, ValidationError) as error:
        raise RunUnusable(
            f"{file.name}: {_problem(error)}. Run `python -m bench --save`, or restore the file."
        ) from None


def month(file: Path = MONTH_RUN) -> Month | None:
    """The committed month, if there is one.

    Raises:
        RunUnusable: the file cannot be read.
    """
    try:
        return Month.model_validate_json(file.read_bytes()) if file.exists() else None
    except ValidationError as error:
        raise RunUnusable(f"{file.name}: {_problem(error)}. Run `make month SAVE=1`, or restore the file.") from None


def _problem(error: ValueError | ValidationError) -> str:
    return first_problem(error) if isinstance(error, ValidationError) else str(error)
