"""Validates the parameters of a notebook: an unknown name or an invalid value is an error.

papermill only warns when `-p` names something the notebook does not have, and then runs with the defaults.
So the first cell after the `parameters` cell calls `check`, which looks at what papermill wrote in between.
"""

import ast
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from indutech.system.errors import InduTechError

# papermill writes this comment on top of the cell it injects; its own additions start with PAPERMILL_.
INJECTED = "# Parameters\n"
PAPERMILL_OWN = "PAPERMILL_"

RULES: dict[str, TypeAdapter[Any]] = {
    "count": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=5_000_000)]),
    "seed": TypeAdapter(Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]),
    "changed": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=100_000)]),
    "readings": TypeAdapter(Annotated[int, Field(strict=True, ge=1_000, le=5_000_000)]),
    "rate": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=1_000_000)]),
    "batch_tickets": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=5_000_000)]),
    "live_rate": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=10_000)]),
    "minutes_per_ticket": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=480)]),
    "link_mbps": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=100_000)]),
    "link_share_percent": TypeAdapter(Annotated[int, Field(strict=True, ge=1, le=100)]),
    "months": TypeAdapter(Annotated[int, Field(strict=True, ge=12, le=60)]),
}


class ParameterError(InduTechError):
    """An unknown parameter, or an invalid value."""


@dataclass(frozen=True)
class Asked:
    """The parameters of a run: their values, and the names of those that were set by papermill."""

    values: Mapping[str, object]
    given: frozenset[str]


def check(**declared: object) -> Asked:
    """Return the parameters of the run if all that were set are declared and all values are valid.

    Raises:
        ParameterError: naming the parameter and the valid names or values.
    """
    given = injected_names(_cells_run_so_far())
    refuse_unknown(given, declared)
    for name, value in declared.items():
        _refuse_impossible(name, value)
    return Asked(declared, frozenset(given) & declared.keys())


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ParameterError that names the first of `given` that is not `known`."""
    known = sorted(known)
    for name in given:
        if name not in known and not name.startswith(PAPERMILL_OWN):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(f"Unknown parameter {name!r}. This notebook takes: {', '.join(known)}.{hint}")


def injected_names(cells: Iterable[str]) -> list[str]:
    """Names that papermill's injected cells assign, in order."""
    return [
        target.id
        for cell in cells
        if cell.startswith(INJECTED)
        for statement in ast.parse(cell).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]


def from_text(pairs: Iterable[str]) -> dict[str, object]:
    """Parse `name=value` arguments of the command line; whole numbers become int."""
    parameters: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ParameterError(f"A parameter is given as name=value, for example count=50000; not {pair!r}.")
        try:
            parameters[name] = int(value.replace("_", ""))
        except ValueError:
            parameters[name] = value
    return parameters


def _refuse_impossible(name: str, value: object) -> None:
    if name not in RULES:
        raise ParameterError(
            f"Parameter {name!r} has no rule yet: add one to RULES in lib/indutech/report/parameters.py."
        )
    try:
        RULES[name].validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ParameterError(f"Parameter {name!r} cannot be {value!r}: {reason}.") from None


def _cells_run_so_far() -> list[str]:
    """Sources of the cells this kernel ran; none outside a notebook."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    history: Mapping[str, Any] = shell.user_ns if shell else {}
    return list(history.get("In", []))
