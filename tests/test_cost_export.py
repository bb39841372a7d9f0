"""The exports: JSON and CSV of a bill, and rows that a FOCUS tool reads."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.costs.exports import UnknownService, focus_csv, focus_rows
from indutech.costs.model import NAMES, read_model
from tests.small_costs import model_of, price_list, rate

MODEL = read_model()
# Mandatory columns of FOCUS 1.2 that an estimate can fill, and those this project promises.
MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip
PROMISED = {"ListUnitPrice", "RegionId", "Tags", "CommitmentDiscountId", "CommitmentDiscountStatus", "PricingCategory"}


def run(*arguments: str) -> str:
    """The output of `indutech costs` with these arguments."""
    result = CliRunner().invoke(app, ["costs", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("scenario", NAMES)
@pytest.mark.parametrize("months", [0, 12])
def test_focus_rows_sum_to_the_bill(scenario: str, months: int) -> None:
    """Every row has the columns, its price times its quantity is its list cost, and the sums are the bill's."""
    bill = MODEL.bill(scenario, months)
    rows = list(csv.DictReader(io.StringIO(focus_csv(bill, date(2026, 12, 31)))))

    assert set(rows[0]) >= MANDATORY | PROMISED
    assert all(name in MANDATORY | PROMISED or name[0].isupper() or name.startswith("x_") for name in rows[0])
    for row in rows:
        product = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
        assert abs(product - Decimal(row["ListCost"])) <= Decimal("0.005")
        assert row["ContractedCost"] == row["ListCost"]
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")
        assert row["x_Confidence"]
    whole = (bill.monthly_total + bill.one_off_total).amount
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == whole
    assert sum(Decimal(row["BilledCost"]) for row in rows) == whole


def test_a_committed_row_names_its_commitment() -> None:
    """List and contracted cost stay, the effective cost falls; the fee is billed in a row of its own."""
    rows = [r for r in focus_rows(model_of().bill(months=12), date(2026, 11, 1)) if r["CommitmentDiscountId"]]
    usage, fee = rows

    assert (usage["CommitmentDiscountId"], usage["ListCost"], usage["EffectiveCost"]) == (
        "nodes-12m",
        "100.00",
        "70.00",
    )
    assert (usage["PricingCategory"], usage["CommitmentDiscountStatus"]) == ("Committed", "Used")
    assert Decimal(usage["EffectiveCost"]) < Decimal(usage["ContractedCost"]) == Decimal(usage["ListCost"])
    assert (usage["BilledCost"], fee["EffectiveCost"]) == ("0.00", "0.00")
    assert (fee["ChargeCategory"], fee["BilledCost"]) == ("Purchase", usage["EffectiveCost"])


def test_a_service_without_a_category_is_an_error_that_names_it() -> None:
    """A new service is not filed under "Other" unseen."""
    unknown = rate("nodes", "Hours", "1", service="Amazon Nonsense")
    rates = price_list(*model_of().prices.values(), unknown)

    with pytest.raises(UnknownService, match=r"'Amazon Nonsense', the service of the price 'nodes', has no FOCUS"):
        focus_rows(model_of(rates).bill(), date(2026, 11, 1))


def test_the_json_has_the_promised_keys_and_sums() -> None:
    """scenario, currency, totals, lines and confidence; the estimate's totals are its own."""
    found = json.loads(run("--scenario", "estimate-2025", "--format", "json"))

    assert {"scenario", "currency", "monthly_total", "one_off_total", "lines", "confidence"} <= set(found)
    assert (found["scenario"], found["currency"]) == ("estimate-2025", "USD")
    assert (found["monthly_total"], found["one_off_total"]) == (3551, 819)
    assert sum(line["effective_cost"] for line in found["lines"] if not line["once"]) == 3551


def test_reference_is_the_default_and_csv_agrees_with_json() -> None:
    """Three formats, one bill."""
    found = json.loads(run("--json"))
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv"))))

    assert found["scenario"] == "reference"
    assert [float(row["EffectiveCost"]) for row in rows] == [line["effective_cost"] for line in found["lines"]]
    assert f"{found['monthly_total']:,.2f}" in run()


def test_a_wrong_scenario_or_term_is_refused() -> None:
    """A scenario that does not exist is an error the user can mend, a term AWS does not sell a wrong usage."""
    assert CliRunner().invoke(app, ["costs", "--scenario", "cheap"]).exit_code == 1
    assert CliRunner().invoke(app, ["costs", "--commitment", "7"]).exit_code == 2
