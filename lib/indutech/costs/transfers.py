"""Moving the history into AWS, and everything out again: days and cost by link."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from indutech.architecture.quantities import TIB_IN_GIB, VPN_TUNNEL_MBPS, days_to_move
from indutech.costs.charges import DAYS_PER_MONTH, history_gib, warehouse_gib
from indutech.costs.inputs.money import Money
from indutech.costs.model import CostModel

# Mbit/s of each link, and the price of its port; the VPN runs anyway.
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
class Transfer:
    """Everything over one link in one direction: days, and what the port and the bytes cost."""

    link: str
    mbps: Decimal
    gib: Decimal
    days: Decimal
    port: Money
    traffic: Money

    @property
    def total(self) -> Money:
        """What the transfer itself adds to the bill."""
        return self.port + self.traffic


def migration(model: CostModel) -> list[Transfer]:
    """The history into AWS by each link; inbound traffic is free, DataSync and the port are not."""
    gib = history_gib(model.usage).value
    return [_over(model, link, Decimal(mbps), port, gib, "datasync") for link, mbps, port in LINKS]


def meanwhile(model: CostModel, days: Decimal) -> Money:
    """What the platform costs while it waits for its data."""
    return Money(model.bill().monthly_total.amount * days / DAYS_PER_MONTH).cents()


def exits(model: CostModel) -> list[Transfer]:
    """Lake and warehouse out of AWS, over the plant's line and over two Direct Connect ports."""
    gib = model.usage["lake_tib"].base * TIB_IN_GIB + warehouse_gib(model.usage).value
    line = model.usage["link_mbps"].base
    return [
        _over(model, f"Internet, {line:,.0f} Mbit/s line", line, "", gib, "internet_out"),
        *(_over(model, link, Decimal(mbps), port, gib, "dx_out") for link, mbps, port in LINKS[-2:]),
    ]


def _over(model: CostModel, link: str, mbps: Decimal, port: str, gib: Decimal, rate: str) -> Transfer:
    days = days_to_move(gib, mbps, model.usage["link_utilisation"].base)
    hire = model.prices[port].cost(days * 24, "Hours").cents() if port else Money(Decimal(0))
    return Transfer(link, mbps, gib, days, hire, model.prices[rate].cost(gib, "GB").cents())
