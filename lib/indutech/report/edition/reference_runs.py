"""Dated reference runs: what a report shows and does not measure itself, as figures with day and machine."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from indutech.costs.inputs.measurement import REFERENCE_FILE, read_measurement
from indutech.report.edition.performance import runs
from indutech.report.findings import Figure, FindingError, Findings
from indutech.system.errors import first_problem
from indutech.system.settings import PROJECT

FAULT_RUNS = PROJECT / "assets" / "fault-runs.json"
Run = TypeVar("Run", bound=BaseModel)


class _Reference(BaseModel):
    """What every reference run says of itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date: datetime
    cores: int
    memory_gib: float
    command: str

    @property
    def day(self) -> str:
        """The day of the run."""
        return self.date.date().isoformat()


class FaultRow(BaseModel):
    """One fault that was injected, and where every message was afterwards."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    family: int | str
    fault: str
    injected: int
    sent: int
    stored: int
    quarantined: int
    lost: int
    twice: int
    expired: int = 0  # deleted by the topic's own retention before they were stored, and named
    recovery_s: float | None = None


class FaultRuns(_Reference):
    """The faults of a reference run."""

    passed: bool = True  # whether everything that the run expected held
    rows: Sequence[FaultRow]


def figures(
    fault_runs: Path = FAULT_RUNS, bench_runs: Path = runs.BENCH_RUNS, month_run: Path = runs.MONTH_RUN
) -> Findings:
    """The figures of all reference runs; a run that is not committed gives none."""
    found: Findings = {}
    if drained := runs.sections(bench_runs).get("stream"):
        found |= _of_speed(drained, bench_runs)
    else:
        measured, _ = read_measurement()
        if measured.tickets_per_core_second:
            value = measured.tickets_per_core_second
            found["tickets_per_core_second"] = _figure(f"{value:,}", value, REFERENCE_FILE, measured.measured_on)
    if (month := runs.month(month_run)) and month.days >= runs.DAYS:
        found |= _of_month(month, month_run)
    if fault_runs.exists():
        found |= _of_faults(_read(fault_runs, FaultRuns), fault_runs)
    return found


def faults(file: Path = FAULT_RUNS) -> FaultRuns | None:
    """The faults of the reference run, if one is committed."""
    return _read(file, FaultRuns) if file.exists() else None


def _of_speed(run: runs.Section, file: Path) -> Findings:
    rate, tickets = run.figure("our stream"), run.figure("tickets drained, each time")
    values: dict[str, int | float] = {
        "tickets_per_s": round(rate.value),
        "tickets_per_core_second": round(run.figure("our stream, per core").value),
        "speed_tickets": round(tickets.value),
        "speed_cores": run.cores,
        "speed_memory_gib": run.memory_gib,
    }
    day = run.date.date().isoformat()
    return {name: _figure(f"{value:,}", value, file, day) for name, value in values.items()}


def _of_month(run: runs.Month, file: Path) -> Findings:
    minutes, raw, stored = run.seconds["total"] / 60, run.bytes["raw"] / 1e9, run.bytes["parquet_after"] / 1e9
    shown: dict[str, tuple[str, int | float]] = {
        "month_run_tickets": (f"{run.tickets:,}", run.tickets),
        "month_run_gb": (f"{raw:,.1f}", raw),
        "month_run_minutes": (f"{minutes:,.0f}", minutes),
        "month_run_lost": (f"{run.lost:,}", run.lost),
        "month_run_twice": (f"{run.twice:,}", run.twice),
        "month_run_parquet_gb": (f"{stored:,.1f}", stored),
        "month_run_cores": (f"{run.cores:,}", run.cores),
    }
    day = run.date.date().isoformat()
    return {name: _figure(words, value, file, day) for name, (words, value) in shown.items()}


def _of_faults(run: FaultRuns, file: Path) -> Findings:
    slowest = [row.recovery_s for row in run.rows if row.recovery_s is not None]
    values: dict[str, int | float] = {
        "faults": sum(row.injected for row in run.rows),
        "fault_families": len({row.family for row in run.rows}),
        "faults_sent": sum(row.sent for row in run.rows),
        "faults_lost": sum(row.lost for row in run.rows),
        "faults_expired": sum(row.expired for row in run.rows),
        "faults_twice": sum(row.twice for row in run.rows),
        "faults_cores": run.cores,
    }
    if slowest:
        values["faults_slowest_s"] = max(slowest)
    return {name: _figure(f"{value:,.0f}", value, file, run.day) for name, value in values.items()}


def _figure(shown: str, value: int | float | str, file: Path, day: str) -> Figure:
    return Figure(shown, value, f"files/{file.name}", f"reference run of {day}", day)


def _read(file: Path, kind: type[Run]) -> Run:
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise FindingError(
            f"{file.name}: {first_problem(error)}. Run again what made it, or restore the file."
        ) from None
