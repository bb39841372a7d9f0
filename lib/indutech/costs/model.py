"""The cost model put together: prices, usage with what was measured, and the bills of every scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from indutech.costs import scenarios
from indutech.costs.bill import ON_DEMAND, Bill
from indutech.costs.estimate_2025 import AUDIT_FILE, CLAIMS_FILE, Finding, audit, claimed_bill, missing, read_rows
from indutech.costs.estimate_2025 import NAME as CLAIMED
from indutech.costs.focus import TAGS
from indutech.costs.measurement import Measurement, read_measurement
from indutech.costs.prices import PRICES_FILE, Confidence, PriceList, read_prices
from indutech.costs.usage import USAGE_FILE, Usage, read_usage


@dataclass(frozen=True)
class CostModel:
    """Everything a figure can be followed back to."""

    prices: PriceList
    usage: Usage
    measurement: Measurement
    measured_by: str
    claims: Sequence[Mapping[str, str]]
    audit_parts: Sequence[Mapping[str, str]]

    def bill(self, scenario: str, months: int = ON_DEMAND) -> Bill:
        """The bill of a scenario, on demand or with a commitment of 12 or 36 months."""
        if scenario == CLAIMED:
            return claimed_bill(self.claims)
        return scenarios.bill(scenario, self.usage, self.prices, months)

    @cached_property
    def findings(self) -> list[Finding]:
        """The audit of the 2025 estimate, its lines first, then what it has no line for."""
        lines = audit(self.claims, self.audit_parts, self.prices)
        return lines + missing(self.claims, self.bill("reference"), self.prices)


def read_model(
    data_dir: Path | None = None, prices_file: Path = PRICES_FILE, usage_file: Path = USAGE_FILE
) -> CostModel:
    """The model from the committed files, with the measurement of a data folder's run if it has one."""
    measurement, measured_by = read_measurement(data_dir)
    usage = read_usage(usage_file)
    return CostModel(
        prices=read_prices(prices_file),
        usage=usage.measured(measurement.figures(usage)),
        measurement=measurement,
        measured_by=measured_by,
        claims=read_rows(CLAIMS_FILE),
        audit_parts=read_rows(AUDIT_FILE),
    )


def doubt(bill: Bill) -> str:
    """The mark a total carries: nothing when every rate is exact, or the share of the bill that is not, in words."""
    if bill.weakest is Confidence.EXACT:
        return ""
    return f"{doubtful_share(bill) * 100:.0f} % at {bill.weakest.value} rates"


def doubtful_share(bill: Bill) -> Decimal:
    """The share of the monthly bill at rates that were not read for the region."""
    return sum((part for level, part in bill.confidence.items() if level is not Confidence.EXACT), Decimal(0))


def as_json(bill: Bill) -> dict[str, object]:
    """A bill as one JSON object; amounts are whole cents, which a number in JSON carries without loss."""
    return {
        "scenario": bill.scenario,
        "currency": bill.currency,
        "monthly_total": float(bill.monthly_total.amount),
        "one_off_total": float(bill.one_off_total.amount),
        "confidence": {
            "weakest": bill.weakest.value,
            "share_of_monthly": {level.value: round(float(share), 4) for level, share in bill.confidence.items()},
        },
        "tags": TAGS,
        "lines": [
            {
                "component": line.component,
                "service": line.price.service,
                "item": line.price.item,
                "why": line.charge.why,
                "once": line.charge.one_off,
                "grows": line.charge.grows,
                "quantity": round(float(line.quantity), 6),
                "unit": line.price.unit,
                "list_unit_price": float(line.list_unit_price),
                "list_cost": float(line.list_cost.amount),
                "effective_cost": float(line.effective_cost.amount),
                "commitment_months": line.commitment_months,
                "region": line.price.region,
                "as_of": line.price.as_of,
                "confidence": line.confidence.value,
                "source": line.price.source,
                "price_id": line.price.price_id,
                "assumptions": sorted(line.marks),
            }
            for line in bill.lines
        ],
    }
