"""A bill as requests for AWS's own pricing calculator (service `bcm-pricing-calculator`): a workload estimate.

The calculator prices usage types by itself, so that its total is a second opinion on this one. A line without a known
usage type, or of another company, cannot be asked for: it is named with what it costs, and the totals differ by that.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from indutech.architecture.platform import platform
from indutech.costs.bill import Bill, Line
from indutech.costs.inputs.money import Money, total
from indutech.costs.inputs.price_lists import KEYS_FILE, PREFIXES

SERVICE = "bcm-pricing-calculator"
MOST_IN_A_REQUEST = 25
NO_ESTIMATE = "00000000-0000-0000-0000-000000000000"  # replaced by the id that creating the estimate prints
OPERATIONS = {"AmazonEC2": "RunInstances"}  # only where a usage type alone is ambiguous


@dataclass(frozen=True)
class Request:
    """One request of the AWS command line: `aws bcm-pricing-calculator <operation> --cli-input-json …`."""

    operation: str
    content: Mapping[str, Any]

    @property
    def words(self) -> str:
        """The operation as the command line spells it."""
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.operation).lstrip("-")


@dataclass(frozen=True)
class Estimate:
    """The requests for a bill's month, and the lines that cannot be asked for."""

    requests: tuple[Request, ...]
    asked: tuple[Line, ...]
    left_out: tuple[Line, ...]

    @property
    def total(self) -> Money:
        """What the lines that are asked for cost here, on demand."""
        return total([line.list_cost for line in self.asked])

    @property
    def difference(self) -> Money:
        """What the others cost: by so much the calculator's total is lower than the bill."""
        return total([line.list_cost for line in self.left_out])


def estimate(bill: Bill, account: str, keys_file: Path = KEYS_FILE) -> Estimate:
    """The monthly lines of a bill, on demand, as a workload estimate of an account."""
    with keys_file.open(encoding="utf-8", newline="") as lines:
        keys = {row["price_id"]: row for row in csv.DictReader(lines)}
    asked = [line for line in bill.monthly if line.price.price_id in keys]
    entries = [_entry(number, line, keys[line.price.price_id], account) for number, line in enumerate(asked)]
    return Estimate(
        requests=tuple(_requests(bill.scenario, entries)),
        asked=tuple(asked),
        left_out=tuple(line for line in bill.monthly if line.price.price_id not in keys),
    )


def _entry(number: int, line: Line, key: Mapping[str, str], account: str) -> dict[str, Any]:
    prefix = PREFIXES[platform().region]
    return {
        "serviceCode": key["offer"],
        "usageType": prefix + key["usage_type"],
        "operation": OPERATIONS.get(key["offer"], "") if "BoxUsage" in key["usage_type"] else "",
        "key": f"L{number}",
        "group": line.component.replace("_", "-"),
        "usageAccountId": account,
        "amount": float(line.quantity * Decimal(key["listed_units"])),
    }


def _requests(scenario: str, entries: list[dict[str, Any]]) -> Iterator[Request]:
    yield Request("CreateWorkloadEstimate", {"name": f"InduTech-{scenario}", "rateType": "BEFORE_DISCOUNTS"})
    for start in range(0, len(entries), MOST_IN_A_REQUEST):
        part = entries[start : start + MOST_IN_A_REQUEST]
        yield Request("BatchCreateWorkloadEstimateUsage", {"workloadEstimateId": NO_ESTIMATE, "usage": part})
