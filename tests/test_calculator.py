"""The export for AWS's own pricing calculator: requests that its API takes, and a total like ours."""

import json
import re
from decimal import Decimal
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.costs.calculator import MOST_IN_A_REQUEST, SERVICE, Request, estimate
from indutech.costs.inputs.money import Money
from indutech.costs.model import read_model
from indutech.costs.scenarios import SCENARIOS

MODEL = read_model()
ACCOUNT = "111122223333"
API = botocore.session.get_session().get_service_model(SERVICE)


def complaints(request: Request) -> list[str]:
    """What botocore's shapes say against a request, and the patterns of its entries, which botocore skips."""
    shape = API.operation_model(request.operation).input_shape
    report = ParamValidator().validate(request.content, shape)
    found = [report.generate_report()] if report.has_errors() else []
    for entry in request.content.get("usage", []):
        members = shape.members["usage"].member.members
        for name, value in entry.items():
            pattern = members[name].metadata.get("pattern")
            if pattern and not re.fullmatch(pattern, value):
                found.append(f"{name}: {value!r} is not {pattern}")
            if len(str(value)) > members[name].metadata.get("max", 10**6):
                found.append(f"{name}: {value!r} is too long")
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_aws_would_take_the_requests(scenario: str) -> None:
    """Every scenario, in as many requests as the API allows entries in one."""
    requests = estimate(MODEL.bill(scenario), ACCOUNT).requests

    assert [complaint for request in requests for complaint in complaints(request)] == []
    assert all(0 < len(request.content["usage"]) <= MOST_IN_A_REQUEST for request in requests[1:])


@pytest.mark.parametrize(
    ("name", "value"), [("usageAccountId", "12"), ("amount", "five"), ("usageType", "a#b"), ("key", "no_lines")]
)
def test_a_wrong_entry_is_noticed(name: str, value: str) -> None:
    """The check is not a formality."""
    content = json.loads(json.dumps(estimate(MODEL.bill(), ACCOUNT).requests[1].content))
    content["usage"][0][name] = value

    assert complaints(Request("BatchCreateWorkloadEstimateUsage", content))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_total_is_ours_to_the_cent_or_the_difference_is_named(scenario: str) -> None:
    """What is asked for, priced again by its quantities, and what is left out make the month."""
    bill = MODEL.bill(scenario)
    found = estimate(bill, ACCOUNT)
    entries = [entry for request in found.requests[1:] for entry in request.content["usage"]]

    assert len(entries) == len(found.asked)
    again = sum((Money(line.quantity * line.list_unit_price).cents().amount for line in found.asked), Decimal(0))
    assert again == found.total.amount
    assert found.total + found.difference == bill.monthly_total


def test_quantities_are_in_the_units_of_the_price_list() -> None:
    """Requests are counted one by one there, and by the thousand here; hours are hours."""
    found = estimate(MODEL.bill(), ACCOUNT)
    entries = [entry for request in found.requests[1:] for entry in request.content["usage"]]
    amounts = {
        line.price.price_id: (line.quantity, entry["amount"]) for line, entry in zip(found.asked, entries, strict=True)
    }

    assert amounts["s3_get"][1] == pytest.approx(float(amounts["s3_get"][0]) * 1000)
    assert amounts["redshift_ra3_xlplus"][1] == float(amounts["redshift_ra3_xlplus"][0])


def test_the_command_writes_what_it_tells(tmp_path: Path) -> None:
    """A file for each request, and a line for each thing that cannot be asked for."""
    result = CliRunner().invoke(app, ["costs", "calculator", "--to", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.iterdir())) == len(estimate(MODEL.bill(), ACCOUNT).requests)
    assert "aws bcm-pricing-calculator create-workload-estimate --cli-input-json" in result.output
    assert "not asked for: AWS Backup" in result.output
