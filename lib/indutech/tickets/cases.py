"""The committed table of messages that are easy to get wrong, each with the result that every validator must give."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from indutech.system.settings import PROJECT

CASES_FILE = PROJECT / "assets" / "malformed-messages.json"


@dataclass(frozen=True)
class Case:
    """A message, and whether it is a ticket or why not."""

    name: str
    value: bytes | None
    reason: str | None  # null: it must be accepted
    becomes: Mapping[str, str]  # fields of an accepted ticket that are not stored as they were written
    why: str


def malformed_cases() -> list[Case]:
    """Return the table, in its order; it also holds unusual messages that are valid."""
    return [
        Case(
            name=row["name"],
            value=base64.b64decode(row["base64"]) if "base64" in row else _encoded(row["text"]),
            reason=row.get("reason"),
            becomes=row.get("becomes", {}),
            why=row["why"],
        )
        for row in json.loads(CASES_FILE.read_text(encoding="utf-8"))
    ]


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
