"""The rows of the table: a fault of a family, what is promised, and the function that injects it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.laboratory import Laboratory

Inject = Callable[[Laboratory], None]


@dataclass(frozen=True)
class Fault:
    """One row; `inject` hurts the pipeline and checks what only this fault promises, the oracle does the rest."""

    family: int  # 1 to 21
    name: str
    promised: str
    inject: Inject
    short: bool = False  # also in `make test`
    own_broker: Literal["", "plain", "secured"] = ""  # it hurts the broker: not the one that other tests use
    expired: int = 0  # offsets that the topic deletes before they are stored, and that must be named
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """As pytest names it."""
        return f"{self.family:02} {self.name}"


ALL: list[Fault] = []


def fault(family: int, name: str, *, promised: str, **more: object) -> Callable[[Inject], Inject]:
    """Add the decorated function to the table."""

    def add(inject: Inject) -> Inject:
        ALL.append(Fault(family, name, promised, inject, **more))  # type: ignore[arg-type]
        return inject

    return add
