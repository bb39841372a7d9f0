"""The estimate of 2025: its lines as claimed, recomputed one by one, and what it has no line for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from indutech.architecture.platform import platform
from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs.bill import ON_DEMAND, Bill, Charge, priced
from indutech.costs.inputs.money import Money, singular, total
from indutech.costs.inputs.prices import Confidence, Price, PriceList, Tier
from indutech.costs.inputs.usage import just
from indutech.system.settings import PROJECT

NAME = "estimate-2025"
TOLERANCE = Decimal("0.02")  # a claim within 2 % of its recomputation holds: a month of 720 hours is 1.4 % off
SPECTRUM = "redshift_spectrum"
CLAIMS_FILE = PROJECT / "assets" / "estimate-2025.csv"
AUDIT_FILE = PROJECT / "assets" / "estimate-2025-audit.csv"
# What the estimate buys too little of: the part, and pairs of (what it prices, what the architecture needs).
SHORT = (
    ("dms", "second zone", (("dms_c6i_xlarge_single", "dms_c6i_xlarge_multi"),
                            ("dms_storage_single", "dms_storage_multi"))),
    ("redpanda", "brokers of a supported shape", (("ec2_c5_large", "ec2_m6gd_xlarge"),)),
)  # fmt: skip


Row = Mapping[str, str]


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
    parts: Sequence[Row] = ()  # rows of the audit file that it was recomputed from
    in_doubt: bool = False  # for a missing line: whether a rate of it was not read for the region


def read_rows(file: Path) -> list[dict[str, str]]:
    """Rows of a committed CSV file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def claimed_bill(claims: Sequence[Row]) -> Bill:
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
        price_id=row["line_id"], service=row["service"], item=row["item"], region=platform().region, unit="Claims",
        currency=row["currency"], as_of="2025", confidence=Confidence.UNVERIFIED, source="estimate of 2025, as claimed",
        note="", look_up="", commitment_of="", term_months=0, tiers=(Tier(Decimal(0), amount, amount, amount),),
    )  # fmt: skip


def missing(claims: Sequence[Row], reference: Bill, prices: PriceList) -> list[Finding]:
    """What the corrected architecture pays for and the estimate has no line for, most expensive first."""
    claimed_components = {claim["component"] for claim in claims}
    seen = {(claim["component"], claim["service"]) for claim in claims} | {("vpn", "AWS Data Transfer")}
    absent: dict[tuple[str, str], Money] = {}
    doubtful = set()
    for line in reference.monthly:
        if line.component in claimed_components and (line.component, line.price.service) in seen:
            continue
        key = (line.component, line.price.service if line.component in claimed_components else "")
        absent[key] = absent.get(key, Money(Decimal(0))) + line.effective_cost
        if line.price.confidence is not Confidence.EXACT:
            doubtful.add(key)
    short = {(component, what): _short(reference, prices, pairs) for component, what, pairs in SHORT}
    doubtful |= {
        (component, what)
        for component, what, pairs in SHORT
        if any(prices[name].confidence is not Confidence.EXACT for pair in pairs for name in pair)
    }
    return [
        Finding(f"missing_{component}", component, f"{component}: {service}" if service else component, "monthly",
                Money(Decimal(0)), cost, Money(Decimal(0)) - cost, Verdict.MISSING, "no line in the estimate",
                in_doubt=(component, service) in doubtful)
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


def audit(claims: Sequence[Row], parts: Sequence[Row], prices: PriceList) -> list[Finding]:
    """One finding per claimed line, in the order of the claims.

    A part without a quantity is something the claim did not state: the audit solves for it instead of guessing it.
    """
    by_line = {line: list(rows) for line, rows in groupby(parts, key=lambda row: row["line_id"])}
    return [_finding(claim, by_line[claim["line_id"]], prices) for claim in claims]


def _finding(claim: Row, parts: Sequence[Row], prices: PriceList) -> Finding:
    claimed = Money(Decimal(claim["claimed"]), claim["currency"])
    readings = {name: list(rows) for name, rows in groupby(parts, key=lambda row: row["reading"])}
    costs = {name: _cost(rows, prices) for name, rows in readings.items()}
    closest = min(costs, key=lambda name: abs((costs[name] - claimed).amount))
    rows, known = readings[closest], costs[closest]
    derivable = all(row["quantity"] for row in rows)
    if derivable:
        verdict, reason = _verdict_on(claimed, known, rows, costs, prices)
    else:
        verdict, reason = Verdict.HOLDS_IF, _solved(claimed - known, rows, prices)
    remark = rows[-1]["remark"]
    return Finding(
        line_id=claim["line_id"],
        component=claim["component"],
        item=claim["item"],
        frequency=claim["frequency"],
        claimed=claimed,
        recomputed=known.cents() if derivable else None,
        difference=(claimed - known).cents(),
        verdict=verdict,
        reason=f"{reason}; {remark}" if remark else reason,
        parts=rows,
    )


def _verdict_on(
    claimed: Money, known: Money, rows: Sequence[Row], costs: Mapping[str, Money], prices: PriceList
) -> tuple[Verdict, str]:
    doubtful = [prices[row["price_id"]] for row in rows if prices[row["price_id"]].in_doubt]
    if _near(claimed, known):
        return (Verdict.HOLDS_IF, _if_rate(doubtful[0], known, rows)) if doubtful else (Verdict.HOLDS, rows[0]["basis"])
    bounds = [_cost(rows, _at(prices, doubtful, bound)) for bound in ("low", "high")]
    if any(_near(claimed, bound) for bound in bounds):
        return Verdict.HOLDS_IF, _if_rate(doubtful[0], claimed, rows)
    readings = "; ".join(f"{name}: {cost.cents()}" for name, cost in costs.items())
    implied = claimed.amount / Decimal(rows[0]["quantity"])
    says = f"the claim implies ${implied:.4f} per {singular(rows[0]['unit'])}{_same_rate(implied, prices)}"
    return Verdict.WRONG, f"{rows[0]['basis']} gives {readings}; {says}"


def same_scope(findings: Sequence[Finding], prices: PriceList) -> dict[str, Money]:
    """The month of the estimate's own lines at the rates of the list: committed or not, Spectrum at low or base."""
    cheaper = prices.with_price(prices[SPECTRUM].at("low"))
    lines = [found for found in findings if found.frequency == "monthly" and found.verdict is not Verdict.MISSING]
    return {
        name: total([_repriced(line, rates, months) for line in lines])
        for name, rates, months in (
            ("Committed for 1 year, Spectrum at its low", cheaper, 12),
            ("Committed for 1 year, Spectrum at its base", prices, 12),
            ("On demand, Spectrum at its base", prices, ON_DEMAND),
        )
    }


def _repriced(line: Finding, prices: PriceList, months: int) -> Money:
    """A line's month with or without a commitment; as claimed where the claim does not say enough."""
    if line.recomputed is None:
        return line.claimed
    costs = []
    for part in line.parts:
        plain = prices[part["price_id"]].commitment_of or part["price_id"]
        rate = prices.commitment(plain, months) or prices[plain]
        costs.append(rate.cost(Decimal(part["quantity"]), part["unit"]))
    return total(costs).cents()


def _solved(rest: Money, rows: Sequence[Row], prices: PriceList) -> str:
    """The quantity that would make the claim true."""
    unstated = next(row for row in rows if not row["quantity"])
    price = prices[unstated["price_id"]]
    needed = rest.amount / price.tiers[0].price
    room = f"{needed:,.0f} {price.unit}"
    if price.unit.endswith("Hours"):
        room = f"{needed / HOURS_PER_MONTH:,.2f} {singular(price.unit).removesuffix('-hour')} all month"
    return f"{unstated['basis']}; the claim leaves room for {room}"


def _cost(rows: Sequence[Row], prices: PriceList) -> Money:
    return total([prices[r["price_id"]].cost(Decimal(r["quantity"]), r["unit"]) for r in rows if r["quantity"]])


def _at(prices: PriceList, doubtful: Sequence[Price], bound: str) -> PriceList:
    for price in doubtful:
        prices = prices.with_price(price.at(bound))
    return prices


def _near(claimed: Money, recomputed: Money) -> bool:
    return abs((claimed - recomputed).amount) <= claimed.amount * TOLERANCE


def _if_rate(price: Price, cost: Money, rows: Sequence[Row]) -> str:
    rate = cost.amount / Decimal(rows[0]["quantity"])
    return f"if the rate is ${rate.normalize():f} per {singular(price.unit)}, which was not read for Paris"


def _same_rate(rate: Decimal, prices: PriceList) -> str:
    """Names the rates of the list that a wrong claim may have been copied from."""
    near = rate * Decimal("0.001")
    same = sorted(f"{p.service}: {p.item}" for p in prices.values() if abs(p.tiers[0].price - rate) < near)
    return f", the rate of {' or '.join(same[:2])}" if same else ""
