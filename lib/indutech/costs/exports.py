"""A bill for other programs: one JSON object, and rows of the FinOps specification FOCUS 1.2."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from indutech.architecture.quantities import HOURS_PER_MONTH
from indutech.costs.bill import Bill, Line
from indutech.costs.inputs.prices import Price
from indutech.system.errors import InduTechError

TAGS = {"Projet": "InduTech", "Env": "Prod"}
REGION_NAMES = {"eu-west-3": "Europe (Paris)"}
# The category of each service, from FOCUS's own list of categories.
CATEGORIES = {
    "Amazon Redshift": "Databases", "AWS DMS": "Databases", "Amazon Athena": "Analytics", "AWS Glue": "Analytics",
    "Amazon EMR": "Analytics", "Amazon MSK": "Integration", "Amazon Kinesis Data Streams": "Analytics",
    "Amazon Data Firehose": "Analytics",
    "AWS IoT Core": "Internet of Things", "Amazon S3": "Storage", "Amazon EBS": "Storage", "AWS Backup": "Storage",
    "AWS DataSync": "Migration", "Amazon EC2": "Compute", "Elastic Load Balancing": "Networking",
    "AWS VPN": "Networking", "Amazon VPC": "Networking", "AWS Data Transfer": "Networking",
    "AWS Direct Connect": "Networking", "AWS Directory Service": "Identity", "AWS IAM Identity Center": "Identity",
    "Microsoft Entra ID": "Identity",
    "AWS KMS": "Security", "AWS Secrets Manager": "Security", "Amazon CloudWatch": "Management and Governance",
    "AWS CloudTrail": "Management and Governance", "AWS Budgets": "Management and Governance",
    "Amazon Route 53": "Networking", "AWS Systems Manager": "Management and Governance",
}  # fmt: skip


class UnknownService(InduTechError):
    """A service has no category of FOCUS."""


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


def focus_rows(bill: Bill, month: date) -> list[dict[str, str]]:
    """One row per line and one per commitment fee, for the month of a day; columns not of FOCUS begin with `x_`.

    Raises:
        UnknownService: a service of the bill has no category; the message names it.
    """
    start, end = month.replace(day=1), _next_month(month)
    rows = []
    for line in bill.lines:
        usage = _row(bill, line, start, end)
        rows.append(usage)
        if line.commitment_months:
            # FOCUS bills the term's fee in a row of its own; the usage it covers is billed nothing and keeps its cost.
            rows.append(usage | _fee(line))
            usage["BilledCost"] = "0.00"
    return rows


def _fee(line: Line) -> dict[str, str]:
    """How the row of a month's commitment fee differs from that of the usage it covers."""
    fee = str(line.effective_cost.amount)
    unit_price = _plain(line.effective_cost.amount / line.quantity)
    return {
        "BilledCost": fee,
        "ChargeCategory": "Purchase",
        "ChargeDescription": f"{line.price.item}: fee of a commitment of {line.commitment_months} months",
        "ChargeFrequency": "Recurring",
        "CommitmentDiscountStatus": "",
        "ConsumedQuantity": "",
        "ConsumedUnit": "",
        "ContractedCost": fee,
        "ContractedUnitPrice": unit_price,
        "EffectiveCost": "0.00",
        "ListCost": fee,
        "ListUnitPrice": unit_price,
        "PricingCategory": "Standard",
    }


def focus_csv(bill: Bill, month: date) -> str:
    """The rows as CSV text."""
    rows = focus_rows(bill, month)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _category(price: Price) -> str:
    if price.service not in CATEGORIES:
        raise UnknownService(
            f"'{price.service}', the service of the price '{price.price_id}', has no FOCUS category. "
            "Mend its name in the price list, or add it to CATEGORIES in indutech.costs.exports."
        )
    return CATEGORIES[price.service]


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _row(bill: Bill, line: Line, start: date, end: date) -> dict[str, str]:
    price, charge = line.price, line.charge
    committed = bool(line.commitment_months)
    period = {"Start": f"{start.isoformat()}T00:00:00Z", "End": f"{end.isoformat()}T00:00:00Z"}
    hourly = price.unit.endswith("Hours")
    frequency = "One-Time" if charge.one_off else "Recurring" if price.unit.endswith("Months") else "Usage-Based"
    row: Mapping[str, object] = {
        "BilledCost": line.effective_cost.amount,
        "BillingAccountId": "estimate",
        "BillingAccountName": "InduTech estimate, not an invoice",
        "BillingCurrency": price.currency,
        "BillingPeriodEnd": period["End"],
        "BillingPeriodStart": period["Start"],
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": f"{price.item}: {charge.why}",
        "ChargeFrequency": frequency,
        "ChargePeriodEnd": period["End"],
        "ChargePeriodStart": period["Start"],
        "CommitmentDiscountCategory": "Usage" if committed else "",
        "CommitmentDiscountId": f"{price.price_id}-{line.commitment_months}m" if committed else "",
        "CommitmentDiscountStatus": "Used" if committed else "",
        "CommitmentDiscountType": "Reserved" if committed else "",
        "ConsumedQuantity": _plain(line.quantity),
        "ConsumedUnit": price.unit,
        # No negotiated discount is assumed, and FOCUS keeps commitments out of the contracted price.
        "ContractedCost": line.list_cost.amount,
        "ContractedUnitPrice": _plain(line.list_unit_price),
        "EffectiveCost": line.effective_cost.amount,
        "InvoiceIssuerName": "AWS",
        "ListCost": line.list_cost.amount,
        "ListUnitPrice": _plain(line.list_unit_price),
        "PricingCategory": "Committed" if committed else "Standard",
        "PricingQuantity": _plain(line.quantity),
        "PricingUnit": price.unit,
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": price.region,
        "RegionName": REGION_NAMES.get(price.region, price.region),
        "ResourceId": line.component,
        "ServiceCategory": _category(price),
        "ServiceName": price.service,
        "SkuId": price.price_id,
        "Tags": json.dumps(TAGS, ensure_ascii=False),
        "x_Component": line.component,
        "x_Scenario": bill.scenario,
        "x_Confidence": line.confidence.value,
        "x_PriceAsOf": price.as_of,
        "x_PriceSource": price.source,
        "x_Assumptions": " ".join(sorted(line.marks)),
        "x_HoursPerMonth": HOURS_PER_MONTH if hourly else "",
    }
    return {name: str(value) for name, value in row.items()}


def _plain(number: Decimal) -> str:
    """At most nine decimals, no exponent, no trailing zeros."""
    text = f"{number:.9f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
