"""The bibliography (`assets/bibliography.toml`): claims about products with source, date and status."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

BIBLIOGRAPHY_FILE = PROJECT / "assets" / "bibliography.toml"
FOOTNOTE = re.compile(r"\[\^([a-z0-9-]+)\](?!:)")  # how a document refers to a claim
STATUS_WORDS = {
    "read": "Read",
    "reported": "Noted from this source earlier, not opened again",
    "unverified": "**Not verified**: check before a decision hangs on it",
}


class UnknownClaim(InduTechError):
    """A text refers to a claim that the bibliography does not have."""


class Claim(BaseModel):
    """A claim: what it says, which common mistake it corrects, its source, and whether it was verified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    says: str
    commonly_said: str = ""
    source: str
    read: date
    status: Literal["read", "reported", "unverified"]

    def __str__(self) -> str:
        when = f" on {self.read}" if self.status == "read" else f" ({self.read})"
        return f"{self.says} {STATUS_WORDS[self.status]}{when}: {self.source}"


@lru_cache(maxsize=1)
def bibliography() -> dict[str, Claim]:
    """Every claim by its id."""
    entries = tomllib.loads(BIBLIOGRAPHY_FILE.read_text(encoding="utf-8"))
    return {name: Claim(id=name, **entry) for name, entry in entries.items()}


def used_in(text: str) -> list[str]:
    """Ids of the claims that a document refers to, in order of first use."""
    return list(dict.fromkeys(FOOTNOTE.findall(text)))


def footnotes(text: str) -> str:
    """The footnote definitions of the claims that a document uses, one a line.

    Raises:
        UnknownClaim: naming the first claim that is used and not defined.
    """
    return "\n".join(f"[^{claim.id}]: {claim}" for claim in claims(used_in(text)))


def claims(ids: Iterable[str]) -> list[Claim]:
    """The claims of those ids."""
    known = bibliography()
    for name in ids:
        if name not in known:
            raise UnknownClaim(f"Claim {name!r} is used but not defined in assets/bibliography.toml.")
    return [known[name] for name in ids]
