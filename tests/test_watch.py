"""Watch files: what AWS would accept, by AWS's own description of its requests, with no account."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator

from indutech.cli.costs import write_files
from indutech.costs.exports import TAGS
from indutech.costs.guardrails import COLD_AFTER_DAYS, WATCH_FOLDER, BudgetTooLow, Owner, WatchFile, watch_files
from indutech.costs.inputs.money import Money
from indutech.costs.model import read_model

BILL = read_model().bill("reference")
FILES = {file.name: file for file in watch_files(BILL, Owner())}
SESSION = botocore.session.get_session()


def complaints(file: WatchFile) -> list[str]:
    """What botocore's shapes of the service say against a request: types, required fields, lengths, words, patterns."""
    shape = SESSION.get_service_model(file.service).operation_model(file.operation).input_shape
    report = ParamValidator().validate(file.content, shape)
    return [*([report.generate_report()] if report.has_errors() else []), *words(file.content, shape, file.name)]


def words(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Values that are none of the words, or not of the pattern, that the service lists; botocore does not look."""
    if shape.type_name == "structure":
        for name, part in value.items():
            yield from words(part, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for index, part in enumerate(value):
            yield from words(part, shape.member, f"{where}[{index}]")
    elif shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{where}: {value!r} is none of {shape.enum}"
        pattern = shape.metadata.get("pattern", "")
        if pattern.startswith("\\d") and not re.fullmatch(pattern, value):
            yield f"{where}: {value!r} is not {pattern}"


@pytest.mark.parametrize("name", sorted(FILES))
def test_aws_would_take_the_request(name: str) -> None:
    """Each file fits the service's own shapes."""
    assert complaints(FILES[name]) == []


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("Budget", "TimeUnit"), "MONTHS", "none of"),
        (("Budget", "BudgetLimit", "Amount"), 5000, "type"),
        (("AccountId",), "12", "length|is not"),
    ],
)
def test_a_wrong_request_is_noticed(path: tuple[str, ...], value: object, says: str) -> None:
    """The check is not a formality: a wrong word, type or number is named."""
    content = json.loads(json.dumps(FILES["budget-platform.json"].content))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    found = complaints(WatchFile("budget-platform.json", "budgets", "CreateBudget", content))
    assert re.search(says, "\n".join(found))


def test_an_ordinary_month_rings_no_budget() -> None:
    """80 and 100 % spent, and 100 % foreseen, of an approved figure that the reference's month stays well below."""
    content = FILES["budget-platform.json"].content
    told = [(n["Notification"]["NotificationType"], n["Notification"]["Threshold"])
            for n in content["NotificationsWithSubscribers"]]  # fmt: skip

    assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    limit = int(content["Budget"]["BudgetLimit"]["Amount"])
    assert BILL.monthly_total.amount < limit * Decimal("0.8")


def test_every_budget_has_the_headroom() -> None:
    """The service that costs most is watched with the same room as the whole."""
    for name, cost in (("platform", BILL.monthly_total), ("most-expensive-service", max_service())):
        limit = Decimal(FILES[f"budget-{name}.json"].content["Budget"]["BudgetLimit"]["Amount"])
        assert Decimal("1.29") < limit / cost.amount < Decimal("1.35")


def max_service() -> Money:
    """What the service that costs most costs a month."""
    return next(iter(BILL.by(lambda line: line.price.service).values()))


def test_a_figure_that_would_ring_every_month_is_refused() -> None:
    """The approved figure is taken as it is, or refused with the one to approve."""
    whole = Money(BILL.monthly_total.amount * 2)
    files = {file.name: file for file in watch_files(BILL, Owner(), whole)}
    assert Decimal(files["budget-platform.json"].content["Budget"]["BudgetLimit"]["Amount"]) >= whole.amount

    with pytest.raises(BudgetTooLow, match=r"would ring every month. Approve \$[\d,.]+ or more"):
        watch_files(BILL, Owner(), BILL.monthly_total)


def test_everything_is_tagged() -> None:
    """The tags of the company are activated, set on the bucket and on each resource that can carry them."""
    assert TAGS == {"Projet": "InduTech", "Env": "Prod"}
    assert [t["TagKey"] for t in FILES["cost-allocation-tags.json"].content["CostAllocationTagsStatus"]] == list(TAGS)
    for file in FILES.values():
        tags = file.content.get("ResourceTags") or file.content.get("Tagging", {}).get("TagSet")
        assert tags is None or {tag["Key"]: tag["Value"] for tag in tags} == TAGS


def test_the_lake_stays_readable_for_spectrum() -> None:
    """What Spectrum queries never goes to a class that has to be restored first; logs may, after 90 days."""
    rules = {r["ID"]: r for r in FILES["lifecycle.json"].content["LifecycleConfiguration"]["Rules"]}

    assert {t["StorageClass"] for t in rules["lake-stays-readable"]["Transitions"]} == {"INTELLIGENT_TIERING"}
    assert rules["logs-to-archive"]["Transitions"] == [{"Days": COLD_AFTER_DAYS, "StorageClass": "GLACIER"}]


def test_the_committed_folder_has_no_other_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is what the folder holds, and each file's command is told; `make check` compares contents."""
    write_files(list(FILES.values()), tmp_path)

    assert {f.name for f in tmp_path.iterdir()} == {f.name for f in WATCH_FOLDER.iterdir()}
    command = "aws budgets create-budget --cli-input-json file://budget-platform.json"
    assert command in capsys.readouterr().out.splitlines()
