"""Usage assumptions as committed data: value, unit, low, high, origin and reason; no price is among them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

USAGE_FILE = PROJECT / "assets" / "usage.csv"
ORIGINS = ("given", "assumed", "measured", "sourced", "built")


COUNTED = "Counted in the templates"


class UsageError(InduTechError):
    """An assumption is missing or contradicts itself."""


@dataclass(frozen=True)
class Figure:
    """A number that remembers the assumptions it was computed from."""

    value: Decimal
    names: frozenset[str] = field(default_factory=frozenset)

    def _with(self, other: Figure | Decimal | int, value: Decimal) -> Figure:
        return Figure(value, self.names | other.names if isinstance(other, Figure) else self.names)

    def __add__(self, other: Figure | Decimal | int) -> Figure:
        return self._with(other, self.value + _number(other))

    def __mul__(self, other: Figure | Decimal | int) -> Figure:
        return self._with(other, self.value * _number(other))

    def __truediv__(self, other: Figure | Decimal | int) -> Figure:
        return self._with(other, self.value / _number(other))

    __radd__ = __add__
    __rmul__ = __mul__

    def ceil(self, at_least: int | Figure = 0) -> Figure:
        """Rounded up to whole things, and no fewer than some."""
        return self._with(
            at_least if isinstance(at_least, Figure) else 0,
            max(self.value.to_integral_value(ROUND_CEILING), _number(at_least)),
        )


def _number(other: Figure | Decimal | int) -> Decimal:
    return other.value if isinstance(other, Figure) else Decimal(other)


def just(value: Decimal | int | str) -> Figure:
    """A number that depends on no assumption: a definition or a choice of the architecture."""
    return Figure(Decimal(value))


@dataclass(frozen=True)
class Assumption:
    """One value the bill depends on, with its bracket and the reason for both."""

    usage_id: str
    low: Decimal
    base: Decimal
    high: Decimal
    unit: str
    origin: str
    reason: str


class Usage(Mapping[str, Assumption]):
    """Assumptions by id; a call gives the base value as a figure that remembers its name."""

    def __init__(self, assumptions: Mapping[str, Assumption]) -> None:
        self._assumptions = dict(assumptions)

    def __getitem__(self, usage_id: str) -> Assumption:
        try:
            return self._assumptions[usage_id]
        except KeyError:
            raise UsageError(f"No assumption '{usage_id}' in {USAGE_FILE.name}. Add it with its reason.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._assumptions)

    def __len__(self) -> int:
        return len(self._assumptions)

    def __call__(self, usage_id: str) -> Figure:
        """The base value of an assumption, which remembers its name through every sum it enters."""
        return Figure(self[usage_id].base, frozenset({usage_id}))

    def having(self, **values: Decimal | int) -> Usage:
        """A copy in which some base values are replaced; a bracket that no longer holds the value is widened."""
        changed = {}
        for usage_id, value in values.items():
            old, new = self[usage_id], Decimal(value)
            changed[usage_id] = replace(old, base=new, low=min(old.low, new), high=max(old.high, new))
        return Usage({**self._assumptions, **changed})

    def built(self, counts: Mapping[str, int]) -> Usage:
        """A copy that also has what the templates count; no file repeats those numbers."""
        return Usage({**self._assumptions, **{
            name: Assumption(name, Decimal(n), Decimal(n), Decimal(n), name.replace("_", " "), "built", COUNTED)
            for name, n in counts.items()
        }})  # fmt: skip

    def measured(self, values: Mapping[str, Assumption]) -> Usage:
        """A copy in which what a run measured takes the place of its rows."""
        return Usage({**self._assumptions, **values})


def read_usage(file: Path = USAGE_FILE) -> Usage:
    """Every assumption of the file. Raises UsageError, naming the row, when one contradicts itself."""
    assumptions = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            assumption = Assumption(
                usage_id=row["usage_id"],
                low=Decimal(row["low"]),
                base=Decimal(row["base"]),
                high=Decimal(row["high"]),
                unit=row["unit"],
                origin=row["origin"],
                reason=row["reason"],
            )
            if not assumption.low <= assumption.base <= assumption.high:
                raise UsageError(f"{file.name}: {assumption.usage_id}: low ≤ base ≤ high does not hold. Mend the row.")
            if assumption.origin not in ORIGINS or not assumption.reason:
                raise UsageError(f"{file.name}: {assumption.usage_id} needs an origin of {ORIGINS} and a reason.")
            assumptions[assumption.usage_id] = assumption
    return Usage(assumptions)
