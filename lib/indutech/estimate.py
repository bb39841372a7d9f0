"""The estimate of 2025: its lines as claimed, and what it has no line for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from indutech.costs import Bill, Charge, priced
from indutech.money import Money, total
from indutech.prices import Confidence, Price, PriceList, Tier
from indutech.settings import PROJECT
from indutech.usage import just

NAME = "estimate-2025"
CLAIMS_FILE = PROJECT / "assets" / "estimate-2025.csv"
AUDIT_FILE = PROJECT / "assets" / "estimate-2025-audit.csv"
# What the estimate buys too little of: the part, and pairs of (what it prices, what the architecture needs).
SHORT = (
    ("dms", "second zone", (("dms_c6i_xlarge_single", "dms_c6i_xlarge_multi"),
                            ("dms_storage_single", "dms_storage_multi"))),
    ("redpanda", "brokers of a supported shape", (("ec2_c5_large", "ec2_m6gd_xlarge"),)),
)  # fmt: skip


class Verdict(StrEnum):
    """What the audit says of a line."""

    HOLDS = "holds"
    HOLDS_IF = "holds if"
    WRONG = "wrong"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of the audit; `recomputed` is None where the claim does not say enough."""

    line_id: str
    component: str
    item: str
    frequency: str
    claimed: Money
    recomputed: Money | None
    difference: Money
    verdict: Verdict
    reason: str


def read_rows(file: Path) -> list[dict[str, str]]:
    """Rows of a committed CSV file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def claimed_bill(claims: Sequence[Mapping[str, str]]) -> Bill:
    """The bill that the estimate claims: each line at its claimed amount, which no price list backs."""
    prices = PriceList({row["line_id"]: _claim_as_price(row) for row in claims})
    charges = [
        Charge(row["component"], row["line_id"], just(1), "Claims", row["item"], one_off=row["frequency"] == "once")
        for row in claims
    ]
    return priced(NAME, charges, prices)


def _claim_as_price(row: Mapping[str, str]) -> Price:
    amount = Decimal(row["claimed"])
    return Price(
        price_id=row["line_id"], service=row["service"], item=row["item"], region="eu-west-3", unit="Claims",
        currency=row["currency"], as_of="2025", confidence=Confidence.UNVERIFIED, source="estimate of 2025, as claimed",
        note="", look_up="", commitment_of="", term_months=0, tiers=(Tier(Decimal(0), amount, amount, amount),),
    )  # fmt: skip


def missing(claims: Sequence[Mapping[str, str]], reference: Bill, prices: PriceList) -> list[Finding]:
    """What the corrected architecture pays for and the estimate has no line for, dearest first."""
    claimed_components = {claim["component"] for claim in claims}
    seen = {(claim["component"], claim["service"]) for claim in claims} | {("vpn", "AWS Data Transfer")}
    absent: dict[tuple[str, str], Money] = {}
    for line in reference.monthly:
        if line.component in claimed_components and (line.component, line.price.service) in seen:
            continue
        key = (line.component, line.price.service if line.component in claimed_components else "")
        absent[key] = absent.get(key, Money(Decimal(0))) + line.effective_cost
    short = {(component, what): _short(reference, prices, pairs) for component, what, pairs in SHORT}
    return [
        Finding(f"missing_{component}", component, f"{component}: {service}" if service else component, "monthly",
                Money(Decimal(0)), cost, Money(Decimal(0)) - cost, Verdict.MISSING, "no line in the estimate")
        for (component, service), cost in sorted((absent | short).items(), key=lambda item: -item[1].amount)
        if cost.amount
    ]  # fmt: skip


def _short(reference: Bill, prices: PriceList, pairs: Sequence[tuple[str, str]]) -> Money:
    """What the needed things cost more than the priced ones, both on demand and in the reference's quantity."""
    needed = {need: have for have, need in pairs}
    lines = [line for line in reference.monthly if line.price.price_id in needed]
    return total(
        [line.list_cost - prices[needed[line.price.price_id]].cost(line.quantity, line.price.unit) for line in lines]
    ).cents()
