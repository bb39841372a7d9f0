"""The price list as committed data: every rate has a region, a unit, a date, a source and a confidence."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from indutech.costs.inputs.money import Money, UnitMismatch
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

PRICES_FILE = PROJECT / "assets" / "aws_prices.csv"
COLUMNS = (
    "price_id", "service", "item", "region", "unit", "from_quantity", "price", "low", "high", "currency",
    "as_of", "confidence", "source", "note", "look_up", "commitment_of", "term_months",
)  # fmt: skip

REQUIRED = ("price_id", "service", "region", "unit", "price", "currency", "as_of", "confidence", "source")


class Confidence(StrEnum):
    """How far a rate can be trusted, strongest first."""

    EXACT = "exact-region"
    OTHER = "other-region"
    UNVERIFIED = "unverified"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Confidence).index(self)


class PriceError(InduTechError):
    """A price is missing or incomplete."""


@dataclass(frozen=True)
class Tier:
    """From this quantity on, each further unit costs this much; low and high bracket a rate that is in doubt."""

    from_quantity: Decimal
    price: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Price:
    """One rate of the price list: what is billed, where, since when, and how sure its source is."""

    price_id: str
    service: str
    item: str
    region: str
    unit: str
    currency: str
    as_of: str
    confidence: Confidence
    source: str
    note: str
    look_up: str
    commitment_of: str
    term_months: int
    tiers: tuple[Tier, ...]

    def slices(self, quantity: Decimal, unit: str) -> Iterator[tuple[Decimal, Decimal]]:
        """The quantity cut at the tiers: (units, price of each). Raises UnitMismatch on another unit."""
        if unit != self.unit:
            raise UnitMismatch(
                f"{self.price_id} is priced per {self.unit}, not per {unit}. Convert the quantity first."
            )
        if quantity < 0:
            raise PriceError(f"{self.price_id}: a quantity of {quantity} {unit} is negative. Check the usage file.")
        ends = [tier.from_quantity for tier in self.tiers[1:]]
        for tier, end in zip(self.tiers, [*ends, None], strict=True):
            upto = quantity if end is None else min(quantity, end)
            if upto > tier.from_quantity:
                yield upto - tier.from_quantity, tier.price

    def cost(self, quantity: Decimal | int, unit: str) -> Money:
        """What this many units cost, tier by tier."""
        return Money(sum((q * p for q, p in self.slices(Decimal(quantity), unit)), Decimal(0)), self.currency)

    def at(self, bound: str) -> Price:
        """The same rate at its `low` or `high`."""
        return replace(self, tiers=tuple(replace(t, price=getattr(t, bound)) for t in self.tiers))

    @property
    def in_doubt(self) -> bool:
        """Whether low and high differ."""
        return any(tier.low != tier.high for tier in self.tiers)


class PriceList(Mapping[str, Price]):
    """Prices by id; an unknown id is an error that names the file."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = dict(prices)

    def __getitem__(self, price_id: str) -> Price:
        try:
            return self._prices[price_id]
        except KeyError:
            raise PriceError(f"No price '{price_id}' in {PRICES_FILE.name}. Add it with its source and date.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._prices)

    def __len__(self) -> int:
        return len(self._prices)

    def with_price(self, price: Price) -> PriceList:
        """A copy in which one price is replaced."""
        return PriceList({**self._prices, price.price_id: price})

    def commitment(self, price_id: str, term_months: int) -> Price | None:
        """The committed rate of a price for a term, if the list knows one."""
        found = [p for p in self.values() if p.commitment_of == price_id and p.term_months == term_months]
        return found[0] if found else None


def read_prices(file: Path = PRICES_FILE) -> PriceList:
    """Every price of the file. Raises PriceError, naming the line, when a fact is missing."""
    rows: dict[str, list[dict[str, str]]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            empty = [name for name in REQUIRED if not row.get(name)]
            if empty:
                raise PriceError(f"{file.name}, line {number}: {', '.join(empty)} missing. Add it or drop the row.")
            rows.setdefault(row["price_id"], []).append(row)
    return PriceList({price_id: _price(tiers) for price_id, tiers in rows.items()})


def _price(rows: list[dict[str, str]]) -> Price:
    tiers = tuple(
        Tier(Decimal(row["from_quantity"] or 0), price := Decimal(row["price"]),
             min(price, Decimal(row["low"] or price)), max(price, Decimal(row["high"] or price)))
        for row in rows
    )  # fmt: skip
    first = rows[0]
    if tiers[0].from_quantity != 0 or list(tiers) != sorted(tiers, key=lambda tier: tier.from_quantity):
        raise PriceError(f"{first['price_id']}: tiers must start at 0 and rise. Reorder them in {PRICES_FILE.name}.")
    if any(tier.low < 0 for tier in tiers):
        raise PriceError(f"{first['price_id']}: a price is negative. Mend the row in {PRICES_FILE.name}.")
    return Price(
        **{name: first[name] for name in ("price_id", "service", "item", "region", "unit", "currency", "as_of",
                                          "source", "note", "look_up", "commitment_of")},
        confidence=Confidence(first["confidence"]),
        term_months=int(first["term_months"] or 0),
        tiers=tiers,
    )  # fmt: skip
