"""The base class of all errors that a user can act on, and what a broken contract of pydantic means in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class InduTechError(Exception):
    """An error that the user can correct: the message says what happened, where, and the next step."""


def first_problem(error: ValidationError) -> str:
    """Return the first field that breaks the contract, and how."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
