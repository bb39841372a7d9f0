"""The memory that the plant states, and what a run of ten minutes took: assets/plant-run.json.

The file is made by `python -m bench.plant` from what `indutech plant up --json` prints at its end.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from indutech.system.settings import PROJECT

FILE = PROJECT / "assets" / "plant-run.json"
# The JVMs at their bounds (2,400), the other parts as they were seen at most (1,200), and a tenth more.
MOST_MB = 4_096


@dataclass(frozen=True)
class PlantRun:
    """One run: what flowed, the most memory that was seen, how much of it each part had at the end, and the proofs."""

    measured_on: str
    made_by: str
    cores: int
    memory_gib: float
    seconds: int
    traffic: dict[str, float]
    peak_mb: int
    most_mb: int
    parts_mb: dict[str, int]
    restarts: int
    exit_code: int
    lines: list[str]

    @classmethod
    def read(cls, file: Path = FILE) -> Self:
        """Return the committed run."""
        return cls(**json.loads(file.read_text("utf-8")))

    @classmethod
    def of(cls, told: dict[str, Any], **machine: Any) -> Self:
        """Return the run that `indutech plant up --json` has told of, on that machine."""
        state = told["state"]
        return cls(
            seconds=told["seconds"],
            traffic=told["traffic"],
            peak_mb=state["peak_mb"],
            most_mb=state["most_mb"],
            parts_mb={part["name"]: part["memory_mb"] for part in state["parts"]},
            restarts=sum(part["restarts"] for part in state["parts"]),
            exit_code=told["exit_code"],
            lines=told["lines"],
            **machine,
        )

    @property
    def table(self) -> str:
        """A row for each part, as Markdown, and what the run was."""
        rows = [f"| {name} | {size:,} |" for name, size in sorted(self.parts_mb.items(), key=lambda one: -one[1])]
        rates = ", ".join(f"{self.traffic[name]:g} {name}" for name in ("tickets", "readings", "changes"))
        said = (
            f"Measured on {self.measured_on} by `{self.made_by}`, on {self.cores} cores and {self.memory_gib:g} GiB: "
            f"{self.seconds / 60:.0f} minutes with {rates} a second took at most {self.peak_mb:,} MB; "
            f"`indutech plant up` states {self.most_mb:,} MB."
        )
        return "\n".join(["| part | MB at the end |", "|---|---|", *rows, "", said, "", "```", *self.lines, "```"])
