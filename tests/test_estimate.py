"""The 2025 estimate: reproduced as claimed, then audited line by line."""

from decimal import Decimal

import pytest
from indutech.costs.money import Money
from indutech.costs.prices import read_prices

from indutech.costs.estimate_2025 import CLAIMS_FILE, Finding, Verdict, audit, claimed_bill, read_rows
from indutech.costs.model import read_model
from indutech.costs.tables import same_scope_table

MODEL = read_model()
FINDINGS = {finding.line_id: finding for finding in MODEL.findings}


def test_the_claimed_lines_sum_to_the_claimed_totals() -> None:
    """3,551 a month and 819 once, from the lines and nothing else."""
    bill = claimed_bill(read_rows(CLAIMS_FILE))

    assert (bill.monthly_total.amount, bill.one_off_total.amount) == (3551, 819)
    assert len(bill.lines) == 12


def test_every_claimed_line_is_audited() -> None:
    """No claim is passed over, and what is missing stands apart."""
    claimed = [row["line_id"] for row in read_rows(CLAIMS_FILE)]

    assert [f.line_id for f in MODEL.findings if f.verdict is not Verdict.MISSING] == claimed


@pytest.mark.parametrize(
    ("line_id", "recomputed", "verdict", "says"),
    [
        ("redshift_nodes", "1292.83", Verdict.HOLDS_IF, "if the rate is 0.8855 per hour"),
        ("redshift_storage", "1024.00", Verdict.HOLDS_IF, "if the rate is 0.025 per GB-month"),
        ("spectrum", "385.00", Verdict.HOLDS_IF, "if the rate is 5 per TB"),
        ("s3", "245.76", Verdict.HOLDS, "10 x 1024 GB"),
        ("brokers", "140.60", Verdict.WRONG, "on demand: $221.19; 1 year: $140.60"),
        ("broker_disks", "41.76", Verdict.HOLDS, "3 x 150 GB"),
        ("nlb", None, Verdict.HOLDS_IF, "room for 1.24 LCU"),
        ("dms_instance", "255.50", Verdict.WRONG, "no c7i class"),
        ("dms_storage", "12.00", Verdict.HOLDS, "100 GB"),
        ("managed_ad", "96.36", Verdict.HOLDS, "720 hours"),
        ("vpn_transfer", None, Verdict.HOLDS_IF, "room for 650 GB"),
        ("load", "0.00", Verdict.WRONG, "Paris to Ireland"),
    ],
)
def test_the_audit_says_what_holds(line_id: str, recomputed: str | None, verdict: Verdict, says: str) -> None:
    """Each line's recomputation, verdict and reason."""
    found = FINDINGS[line_id]

    assert found.verdict is verdict
    assert found.recomputed == (Money(Decimal(recomputed)) if recomputed else None)
    assert says in found.reason


def test_missing_lines_are_named_with_their_cost() -> None:
    """What the estimate forgets, from the second zone to the bridge, each in dollars."""
    missing = {f.item: -f.difference.amount for f in MODEL.findings if f.verdict is Verdict.MISSING}

    assert {"spark_compute", "mqtt_bridge", "endpoints", "kms", "cloudwatch", "backup"} <= set(missing)
    assert missing["dms: second zone"] == Decimal("267.50")
    assert all(cost > 0 for cost in missing.values())


def test_the_same_scope_is_repriced_three_ways() -> None:
    """Committed with Spectrum at its low and at its base, and on demand."""
    assert [cell.split("\N{NO-BREAK SPACE}")[0] for cell in same_scope_table(MODEL)["A month"]] == [
        "$3,503.81",
        "$3,613.81",
        "$4,248.47",
    ]


def verdict_on(claimed: str, quantity: str, price_id: str = "s3_standard", unit: str = "GB-Months") -> Finding:
    """The finding on one claim that is recomputed from one part."""
    claim = {"line_id": "x", "component": "s3_lake", "service": "S", "item": "I", "frequency": "monthly",
             "claimed": claimed, "currency": "USD"}  # fmt: skip
    part = {"line_id": "x", "reading": "r", "price_id": price_id, "quantity": quantity, "unit": unit, "basis": "b",
            "remark": ""}  # fmt: skip
    [finding] = audit([claim], [part], read_prices())
    return finding


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [("24", Verdict.HOLDS), ("24.4", Verdict.HOLDS), ("25", Verdict.WRONG), ("20", Verdict.WRONG)],
)
def test_a_claim_holds_within_two_percent(claimed: str, verdict: Verdict) -> None:
    """1,000 GB of S3 Standard are 24 dollars; 2 % off still holds, 4 % does not."""
    assert verdict_on(claimed, "1000").verdict is verdict


def test_a_claim_at_an_end_of_a_doubtful_rate_holds_if() -> None:
    """Spectrum at its low makes the claim true, so nobody can call it wrong before the rate is read."""
    found = verdict_on("50", "10", "redshift_spectrum", "TB")

    assert (found.verdict, found.difference) == (Verdict.HOLDS_IF, Money(Decimal(-20)))
