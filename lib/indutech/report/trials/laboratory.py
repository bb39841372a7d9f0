"""The committed run of the laboratory: what the tests of faults injected, and what came out."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from indutech.system.settings import PROJECT

FILE = PROJECT / "assets" / "fault-runs.json"
FAMILIES = 21
COLUMNS = ("family", "fault", "injected", "sent", "stored", "quarantined", "lost", "expired", "twice", "recovery_s")


@dataclass(frozen=True)
class LaboratoryRun:
    """One run: when, on what machine, by which command and seed, how long, and a row for each fault."""

    date: str
    cores: int
    memory_gib: float
    command: str
    seed: int
    seconds: float
    rows: list[dict[str, Any]]

    @property
    def sentence(self) -> str:
        """The run in one sentence."""
        faults, families = len(self.rows), len({row["family"] for row in self.rows})
        return (
            f"On {self.date[:10]}, `{self.command}` with seed {self.seed} took {faults:,} kinds of faults from "
            f"{families} of {FAMILIES} families, in {self.seconds / 60:.0f} minutes on {self.cores} cores with "
            f"{self.memory_gib:g} GiB: "
            f"**{self.total('sent'):,} sent, {self.total('lost'):,} lost, {self.total('twice'):,} twice**; "
            f"{self.total('expired'):,} expired: the topic deleted them, on purpose, before they could be stored."
        )

    def total(self, name: str) -> int:
        """The sum of a column."""
        return sum(int(row[name] or 0) for row in self.rows)

    def table(self) -> pd.DataFrame:
        """A line for each fault."""
        named = {"recovery_s": "recovery, s"}
        return pd.DataFrame(self.rows)[[*COLUMNS]].rename(columns=named)


def committed_run() -> LaboratoryRun:
    """Return the run that is committed."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    return LaboratoryRun(**{name: told[name] for name in LaboratoryRun.__dataclass_fields__})
