"""The audit of the 2025 estimate: each claimed line against its recomputation from dated prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from indutech.estimate import Finding, Verdict
from indutech.money import HOURS_PER_MONTH, Money, singular, total
from indutech.prices import Price, PriceList

TOLERANCE = Decimal("0.02")  # a claim within 2 % of its recomputation holds: a month of 720 hours is 1.4 % off

Row = Mapping[str, str]


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
        verdict, reason = _judged(claimed, known, rows, costs, prices)
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
    )


def _judged(
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
    says = f"the claim implies {implied:.4f} per {singular(rows[0]['unit'])}{_same_rate(implied, prices)}"
    return Verdict.WRONG, f"{rows[0]['basis']} gives {readings}; {says}"


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
    return f"if the rate is {rate.normalize():f} per {singular(price.unit)}, which was not read for Paris"


def _same_rate(rate: Decimal, prices: PriceList) -> str:
    """Names the rates of the list that a wrong claim may have been copied from."""
    near = rate * Decimal("0.001")
    same = sorted(f"{p.service}: {p.item}" for p in prices.values() if abs(p.tiers[0].price - rate) < near)
    return f", the rate of {' or '.join(same[:2])}" if same else ""
