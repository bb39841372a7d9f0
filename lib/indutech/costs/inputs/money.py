"""Money: exact decimals in one currency, how they are written, and the error for mixed currencies or units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from indutech.system.errors import InduTechError

CENT = Decimal("0.01")


class UnitMismatch(InduTechError):
    """Two amounts of different currency or unit met in one sum."""


@dataclass(frozen=True)
class Money:
    """An exact amount in one currency; sums across currencies are refused."""

    amount: Decimal
    currency: str = "USD"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __str__(self) -> str:
        return dollars(self.amount) if self.currency == "USD" else f"{self.amount:,.2f} {self.currency}"

    def cents(self) -> Money:
        """The amount as it stands on a bill: rounded to the cent, half to even."""
        return Money(self.amount.quantize(CENT, ROUND_HALF_EVEN), self.currency)

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise UnitMismatch(
                f"{self.currency} and {other.currency} cannot be added. "
                "Convert one at a dated rate and keep the rate beside the result."
            )
        return other.amount


def dollars(amount: Decimal | int | float, digits: int = 2) -> str:
    """An amount as a reader expects it: `$1,292.83`; a minus sign goes before the dollar."""
    rounded = round(Decimal(str(amount)), digits)
    return f"{'-' if rounded < 0 else ''}${abs(rounded):,.{digits}f}"


def singular(unit: str) -> str:
    """One of a unit: `Hours` is paid per `hour`, `GB-Months` per `GB-month`."""
    return unit.removesuffix("s").replace("Hour", "hour").replace("Month", "month")


def total(amounts: list[Money], currency: str = "USD") -> Money:
    """The sum of amounts, zero when there are none."""
    result = Money(Decimal(0), currency)
    for amount in amounts:
        result = result + amount
    return result
