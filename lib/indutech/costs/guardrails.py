"""Requests for AWS that watch the bill, from the model: budgets, anomaly alerts, tags, lifecycle rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from indutech.architecture.plan import Retention
from indutech.architecture.platform import platform
from indutech.costs.bill import Bill
from indutech.costs.business import approved_month
from indutech.costs.exports import TAGS
from indutech.costs.inputs.money import Money
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

WATCH_FOLDER = PROJECT / "assets" / "finops"
# A budget is an approved figure above the bill, so that an ordinary month rings nothing: with 30 % of headroom it ends
# at 77 %. At 80 % the month is dearer than planned, at 100 % what was approved is gone or will be.
HEADROOM = Decimal("0.30")
THRESHOLDS = (80, 100)  # percent of the approved figure, actually spent
FORECAST_THRESHOLD = 100  # percent of the approved figure, foreseen for the end of the month
ANOMALY_SHARE = Decimal("0.05")  # an unusual day is reported from this share of a month's bill
COLD_AFTER_DAYS = 90
ACCOUNT = "111122223333"  # AWS's own example number


@dataclass(frozen=True)
class Owner:
    """Whom to tell, and where the resources are."""

    account_id: str = ACCOUNT
    email: str = "finops@indutech.example"
    bucket: str = "indutech-lake-prod"


@dataclass(frozen=True)
class WatchFile:
    """One request of the AWS command line: `aws <service> <command> --cli-input-json file://<name>`."""

    name: str
    service: str
    operation: str
    content: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What stands in the file."""
        return json.dumps(self.content, indent=2, ensure_ascii=False) + "\n"

    @property
    def command(self) -> str:
        """The command that applies the file."""
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in self.operation).lstrip("-")
        api = "s3api" if self.service == "s3" else self.service
        return f"aws {api} {words} --cli-input-json file://{self.name}"


class BudgetTooLow(InduTechError):
    """An approved figure that an ordinary month would ring."""


def watch_files(bill: Bill, owner: Owner, approved: Money | None = None) -> list[WatchFile]:
    """Everything to apply, in the order to apply it: tags first, because the budgets filter by them.

    `approved` is the figure for a month of the platform; None: the bill and its headroom.

    Raises:
        BudgetTooLow: an ordinary month would pass the first threshold; the message says what to approve.
    """
    monthly, limit = bill.monthly_total, approved or approved_month(bill, HEADROOM)
    if limit.amount * THRESHOLDS[0] / 100 < monthly.amount:
        raise BudgetTooLow(
            f"An ordinary month costs {monthly}: a budget of {limit} would ring every month. "
            f"Approve {approved_month(bill, HEADROOM)} or more."
        )
    share = limit.amount / monthly.amount
    most_expensive, its_cost = next(iter(bill.by(lambda line: line.price.service).items()))
    return [
        WatchFile("cost-allocation-tags.json", "ce", "UpdateCostAllocationTagsStatus",
                  {"CostAllocationTagsStatus": [{"TagKey": key, "Status": "Active"} for key in TAGS]}),
        WatchFile("bucket-tags.json", "s3", "PutBucketTagging",
                  {"Bucket": owner.bucket, "Tagging": {"TagSet": _tags()}, "ExpectedBucketOwner": owner.account_id}),
        WatchFile("budget-platform.json", "budgets", "CreateBudget",
                  _budget("InduTech platform", limit,
                          {"Tags": {"Key": "Projet", "Values": [TAGS["Projet"]]}}, owner)),
        WatchFile("budget-most-expensive-service.json", "budgets", "CreateBudget",
                  _budget(f"InduTech {most_expensive}", its_cost * share,
                          {"Dimensions": {"Key": "SERVICE", "Values": [most_expensive]}}, owner)),
        WatchFile("anomaly-monitor.json", "ce", "CreateAnomalyMonitor",
                  {"AnomalyMonitor": {"MonitorName": "InduTech by service", "MonitorType": "DIMENSIONAL",
                                      "MonitorDimension": "SERVICE"}, "ResourceTags": _tags()}),
        WatchFile("anomaly-subscription.json", "ce", "CreateAnomalySubscription", _subscription(monthly, owner)),
        WatchFile("lifecycle.json", "s3", "PutBucketLifecycleConfiguration", _lifecycle(owner)),
    ]  # fmt: skip


def _tags() -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in TAGS.items()]


def _budget(name: str, limit: Money, what: Mapping[str, Any], owner: Owner) -> dict[str, Any]:
    notices = [("ACTUAL", float(percent)) for percent in THRESHOLDS] + [("FORECASTED", float(FORECAST_THRESHOLD))]
    return {
        "AccountId": owner.account_id,
        "Budget": {
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": str(_whole(limit)), "Unit": limit.currency},
            "FilterExpression": what,
            "Metrics": ["AmortizedCost"],  # a commitment counts in the month it serves
        },
        "NotificationsWithSubscribers": [
            {
                "Notification": {
                    "NotificationType": kind,
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": threshold,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": owner.email}],
            }
            for kind, threshold in notices
        ],
        "ResourceTags": _tags(),
    }


def _subscription(monthly: Money, owner: Owner) -> dict[str, Any]:
    return {
        "AnomalySubscription": {
            "SubscriptionName": "InduTech unusual spending",
            # Printed by create-anomaly-monitor: replace the last part by the monitor's own id.
            "MonitorArnList": [f"arn:aws:ce::{owner.account_id}:anomalymonitor/REPLACE-ME"],
            "Subscribers": [{"Type": "EMAIL", "Address": owner.email}],
            "Frequency": "DAILY",
            "ThresholdExpression": {
                "Dimensions": {
                    "Key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "MatchOptions": ["GREATER_THAN_OR_EQUAL"],
                    "Values": [str(_whole(monthly * ANOMALY_SHARE))],
                }
            },
        },
        "ResourceTags": _tags(),
    }


def _lifecycle(owner: Owner) -> dict[str, Any]:
    """The retention rules of the model, which are also those of the template's bucket."""
    return {
        "Bucket": owner.bucket,
        "ExpectedBucketOwner": owner.account_id,
        # Smaller objects would cost more to move than they save; AWS leaves them where they are.
        "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K",
        "LifecycleConfiguration": {
            "Rules": [_lifecycle_rule(rule) for rule in platform().retention if rule.place == "s3_lake"]
        },
    }


def _lifecycle_rule(rule: Retention) -> dict[str, Any]:
    made: dict[str, Any] = {"ID": rule.id, "Status": "Enabled", "Filter": {"Prefix": rule.prefix}}
    if rule.storage_class:
        made["Transitions"] = [{"Days": rule.moves_after_days, "StorageClass": rule.storage_class}]
    if rule.ends_after_days:
        made["Expiration"] = {"Days": rule.ends_after_days}
    if rule.old_versions_days:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.old_versions_days}
    return made | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}


def _whole(amount: Money) -> Decimal:
    return amount.amount.to_integral_value(ROUND_CEILING)
