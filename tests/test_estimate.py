"""The 2025 estimate: reproduced as claimed, then audited line by line."""

import pytest

from indutech.costs.bill import Charge, priced
from indutech.costs.estimate_2025 import (
    CLAIMS_FILE,
    Finding,
    Verdict,
    audit,
    claimed_bill,
    missing,
    read_rows,
    same_scope,
)
from indutech.costs.inputs.usage import just
from indutech.costs.model import read_model
from tests.small_costs import UNVERIFIED, price_list, rate, usd

MODEL = read_model()
RATES = price_list(
    rate("disk", "GB-Months", "0.1"),
    rate("node", "Hours", "1", service="Amazon EC2"),
    rate("node_1y", "Hours", "0.6", bracket=("0.5", "0.8"), confidence=UNVERIFIED, of="node", months=12),
    rate("redshift_spectrum", "TB", "7", bracket=("5", "7"), confidence=UNVERIFIED),
    rate("traffic", "GB", "0.02", service="AWS Data Transfer"),
    rate("load", "LCU-Hours", "1"),
    rate("free", "GB", "0"),
    *(rate(name, "GB-Months" if "storage" in name else "Hours", price) for name, price in {
        "dms_c6i_xlarge_single": "1", "dms_c6i_xlarge_multi": "2", "dms_storage_single": "1",
        "dms_storage_multi": "2", "ec2_c5_large": "1", "ec2_m6gd_xlarge": "3"}.items()),
)  # fmt: skip


def test_the_claimed_lines_sum_to_the_claimed_totals() -> None:
    """3,551 a month and 819 once, from the lines and nothing else: what was claimed does not change with prices."""
    bill = claimed_bill(read_rows(CLAIMS_FILE))

    assert (bill.monthly_total.amount, bill.one_off_total.amount) == (3551, 819)
    assert len(bill.lines) == 12


def test_every_claimed_line_is_audited() -> None:
    """No claim is passed over, each has a reason, and what is missing stands apart with its cost."""
    claimed = [row["line_id"] for row in read_rows(CLAIMS_FILE)]
    found = [finding for finding in MODEL.findings if finding.verdict is not Verdict.MISSING]

    assert [finding.line_id for finding in found] == claimed
    assert all(finding.reason for finding in found)
    assert all(finding.difference.amount < 0 for finding in MODEL.findings if finding.verdict is Verdict.MISSING)
    assert {"spark_compute", "mqtt_bridge", "endpoints", "kms", "cloudwatch", "backup"} <= {
        finding.component for finding in MODEL.findings if finding.verdict is Verdict.MISSING
    }


Part = tuple[str, str, str, str]


def audited(claimed: str, *parts: Part, frequency: str = "monthly") -> Finding:
    """The finding on one claim that is recomputed from parts (reading, price, quantity, unit)."""
    claim = {"line_id": "x", "component": "s3_lake", "service": "S", "item": "I", "frequency": frequency,
             "claimed": claimed, "currency": "USD"}  # fmt: skip
    rows = [
        {"line_id": "x", "reading": reading, "price_id": price_id, "quantity": quantity, "unit": unit,
         "basis": "the basis", "remark": "the remark"}
        for reading, price_id, quantity, unit in parts
    ]  # fmt: skip
    [finding] = audit([claim], rows, RATES)
    return finding


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [("100", Verdict.HOLDS), ("101.9", Verdict.HOLDS), ("104", Verdict.WRONG), ("96", Verdict.WRONG)],
)
def test_a_claim_holds_within_two_percent(claimed: str, verdict: Verdict) -> None:
    """1,000 GB at 0.1 are 100 dollars; 2 % off still holds, 4 % does not."""
    found = audited(claimed, ("r", "disk", "1000", "GB-Months"))

    assert (found.verdict, found.recomputed) == (verdict, usd(100))
    assert "the basis" in found.reason
    assert found.reason.endswith("; the remark")


def test_a_claim_at_a_doubtful_rate_holds_if_the_rate_is_right() -> None:
    """At its base, and at an end of its bracket: nobody can call it wrong before the rate is read."""
    base, low = (audited(claimed, ("r", "redshift_spectrum", "10", "TB")) for claimed in ("70", "50"))

    assert (base.verdict, low.verdict) == (Verdict.HOLDS_IF, Verdict.HOLDS_IF)
    assert "if the rate is $7 per TB" in base.reason
    assert "if the rate is $5 per TB" in low.reason
    assert low.difference == usd(-20)


def test_the_reading_that_comes_closest_is_taken() -> None:
    """On demand or committed: both are said where neither gives the claim."""
    found = audited("67", ("on demand", "node", "100", "Hours"), ("1 year", "node_1y", "100", "Hours"))

    assert (found.verdict, found.recomputed) == (Verdict.WRONG, usd(60))
    assert "on demand: $100.00; 1 year: $60.00" in found.reason
    assert "the claim implies $0.6700 per hour" in found.reason


def test_a_wrong_claim_names_the_rate_it_may_have_been_copied_from() -> None:
    """What is free was charged at the rate of traffic."""
    found = audited("20", ("r", "free", "1000", "GB"), frequency="once")

    assert (found.verdict, found.recomputed) == (Verdict.WRONG, usd(0))
    assert "implies $0.0200 per GB, the rate of AWS Data Transfer: traffic" in found.reason


def test_a_quantity_that_is_not_stated_is_solved_for() -> None:
    """What is left of the claim buys so many hours all month, or so many GB."""
    running = audited("1195", ("r", "disk", "1000", "GB-Months"), ("r", "load", "", "LCU-Hours"))
    traffic = audited("101", ("r", "disk", "1000", "GB-Months"), ("r", "traffic", "", "GB"))

    assert (running.verdict, running.recomputed) == (Verdict.HOLDS_IF, None)
    assert "leaves room for 1.50 LCU all month" in running.reason
    assert "leaves room for 50 GB" in traffic.reason


def test_missing_lines_are_named_with_their_cost() -> None:
    """A component without a claim, and what a claim buys too little of: a second zone costs the difference."""
    charges = [
        Charge("kms", "node", just(5), "Hours", ""),
        Charge("dms", "dms_c6i_xlarge_multi", just(10), "Hours", ""),
        Charge("dms", "dms_storage_multi", just(3), "GB-Months", ""),
    ]
    claims = [{"component": "dms", "service": "Amazon S3"}]
    found = missing(claims, priced("reference", charges, RATES), RATES)

    assert [(f.item, f.difference) for f in found] == [("dms: second zone", usd(-13)), ("kms", usd(-5))]


def test_missing_lines_carry_the_doubt_of_their_rates() -> None:
    """A line is in doubt if a rate of it was not read for the region, as on the bill."""
    charges = [
        Charge("kms", "node", just(5), "Hours", ""),
        Charge("spectrum", "redshift_spectrum", just(1), "TB", ""),
    ]
    found = missing([], priced("reference", charges, RATES), RATES)

    assert {one.component: one.in_doubt for one in found} == {"kms": False, "spectrum": True}


@pytest.mark.parametrize(("scanned", "low", "base"), [("55", "335", "445"), ("50", "310", "410")])
def test_the_same_scope_is_repriced_from_the_audit_file(scanned: str, low: str, base: str) -> None:
    """Committed with Spectrum at its low and at its base, and on demand; each quantity is that of the audit file."""
    findings = [
        audited("375", ("r", "redshift_spectrum", scanned, "TB")),
        audited("60", ("on demand", "node", "100", "Hours"), ("1 year", "node_1y", "100", "Hours")),
        audited("819", ("r", "free", "1000", "GB"), frequency="once"),
    ]

    assert list(same_scope(findings, RATES).values()) == [usd(low), usd(base), usd(int(base) + 40)]


def test_a_claim_that_cannot_be_recomputed_keeps_its_amount() -> None:
    """The estimate's own scope holds it as claimed."""
    assert set(same_scope([audited("95", ("r", "node", "", "Hours"))], RATES).values()) == {usd(95)}
