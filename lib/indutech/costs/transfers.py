"""Moving 40 TB in, and everything out again: time and money by link."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from indutech.architecture.quantities import TIB_IN_GIB, VPN_TUNNEL_MBPS, days_to_move
from indutech.costs.bill import Bill
from indutech.costs.charges import DAYS_PER_MONTH, history_gib, warehouse_gib
from indutech.costs.money import Money
from indutech.costs.prices import PriceList
from indutech.costs.usage import Usage

# Bits a second of each link, and the price of its port; the VPN runs anyway.
LINKS: tuple[tuple[str, int, str], ...] = (
    ("VPN on a 100 Mbit/s line", 100, ""),
    ("VPN on a 500 Mbit/s line", 500, ""),
    ("VPN on a 1 Gbit/s line", 1000, ""),
    ("VPN, one full tunnel", VPN_TUNNEL_MBPS, ""),
    ("Direct Connect, hosted 500 Mbit/s", 500, "dx_hosted_500m"),
    ("Direct Connect, 1 Gbit/s", 1000, "dx_1g"),
    ("Direct Connect, 10 Gbit/s", 10_000, "dx_10g"),
)


@dataclass(frozen=True)
class Move:
    """A transfer over one link: days, and what each part of it costs."""

    link: str
    mbps: int
    days: Decimal
    port: Money
    copying: Money
    platform_meanwhile: Money

    @property
    def total(self) -> Money:
        """What the move itself adds; the platform's own bill while it waits for its data is shown apart."""
        return self.port + self.copying


def migration(usage: Usage, prices: PriceList, running: Bill) -> list[Move]:
    """The history into AWS by each link; inbound traffic is free, DataSync and the port are not."""
    gib = history_gib(usage).value
    copying = prices["datasync"].cost(gib, "GB").cents()
    moves = []
    for link, mbps, port in LINKS:
        days = days_to_move(gib, mbps, usage["link_utilisation"].base)
        hire = prices[port].cost(days * 24, "Hours").cents() if port else Money(Decimal(0))
        meanwhile = Money(running.monthly_total.amount * days / DAYS_PER_MONTH).cents()
        moves.append(Move(link, mbps, days, hire, copying, meanwhile))
    return moves


@dataclass(frozen=True)
class Exit:
    """Leaving AWS with everything: what the traffic costs and how long it takes."""

    way: str
    gib: Decimal
    days: Decimal
    traffic: Money
    port: Money

    @property
    def total(self) -> Money:
        """Traffic and port."""
        return self.traffic + self.port


def exits(usage: Usage, prices: PriceList) -> list[Exit]:
    """Lake and warehouse out of AWS, over the plant's line and over two Direct Connect ports."""
    gib = usage["lake_tib"].base * TIB_IN_GIB + warehouse_gib(usage).value
    share = usage["link_utilisation"].base
    line = usage["link_mbps"].base
    nothing = Money(Decimal(0))
    by_line = days_to_move(gib, line, share)
    result = [
        Exit(
            f"Internet, {line:,.0f} Mbit/s line", gib, by_line, prices["internet_out"].cost(gib, "GB").cents(), nothing
        )
    ]
    for name, mbps, port in (
        ("Direct Connect, 1 Gbit/s", 1000, "dx_1g"),
        ("Direct Connect, 10 Gbit/s", 10_000, "dx_10g"),
    ):
        days = days_to_move(gib, mbps, share)
        hire = prices[port].cost(days * 24, "Hours").cents()
        result.append(Exit(name, gib, days, prices["dx_out"].cost(gib, "GB").cents(), hire))
    return result
