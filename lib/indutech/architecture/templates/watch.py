"""The watch stack: logs and their retention, the trail, alarms, backups, budgets."""

import json
from collections.abc import Mapping
from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.plan import Alarm
from indutech.architecture.templates.parts import (
    ARCHIVE,
    TAGS,
    Template,
    allow,
    att,
    imported,
    pascal,
    ref,
    sub,
    template,
)

LOGGED = ("spark_compute", "redpanda", "mqtt_bridge", "dms", "managed_ad", "name_resolver")


def watch(platform: Platform, requests: Mapping[str, Mapping[str, Any]]) -> Template:
    """Everything that watches; `requests` are the budgets and anomaly alerts, whose amounts come from the bill."""
    [logs] = [rule for rule in platform.retention if rule.place == "cloudwatch"]
    resources: dict[str, Any] = {
        "Tell": {"Type": "AWS::SNS::Topic", "Properties": {
            "KmsMasterKeyId": imported("KeyOperations"), "Tags": TAGS,
            "Subscription": [{"Protocol": "email", "Endpoint": ref("OnCall")}],
        }},
        "Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {
            "IsLogging": True, "IsMultiRegionTrail": True, "EnableLogFileValidation": True,
            "S3BucketName": ref("ArchiveBucket"), "S3KeyPrefix": "trail", "KMSKeyId": imported("KeyOperations"),
            "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [
                {"Type": "AWS::S3::Object", "Values": [{"Fn::Join": ["", [imported("LakeArn"), "/"]]}]}]}],
            "Tags": TAGS,
        }},
    }  # fmt: skip
    for component in LOGGED:
        if component in platform:
            resources[f"LogGroup{pascal(component)}"] = {
                "Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
                "Properties": {"LogGroupName": f"/indutech/{component}", "RetentionInDays": logs.ends_after_days,
                               "KmsKeyId": imported("KeyOperations"), "Tags": TAGS},
            }  # fmt: skip
    resources |= _names_asked()
    resources |= {f"Alarm{pascal(alarm.id)}": _alarm(alarm) for alarm in platform.alarm}
    resources |= _backup(platform) | _budgets(requests)
    return template(
        platform, "watch: logs, trail, alarms, backups, budgets", resources,
        Parameters={"OnCall": {"Type": "String", "Default": "astreinte@indutech.example",
                               "Description": "Whom alarms are told to"},
                    "ArchiveBucket": ARCHIVE,
                    "VaultArn": {"Type": "String", "Description": "The locked vault, in an account of its own"}},
    )  # fmt: skip


def _names_asked() -> dict[str, Any]:
    """Each name that the VPC asks for, in a log: flow logs do not show questions to the resolver."""
    log = att("LogGroupNameResolver", "Arn")
    return {
        "NamesLog": {"Type": "AWS::Route53Resolver::ResolverQueryLoggingConfig", "Properties": {
            "Name": "indutech-names", "DestinationArn": log}},
        "NamesLogOfVpc": {"Type": "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation", "Properties": {
            "ResolverQueryLogConfigId": ref("NamesLog"), "ResourceId": imported("Vpc")}},
    }  # fmt: skip


def _alarm(alarm: Alarm) -> dict[str, Any]:
    dimensions = [
        {"Name": name, "Value": imported(value[1:].partition(".")[2]) if value.startswith("!") else value}
        for name, value in alarm.dimensions.items()
    ]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {
        "AlarmName": f"indutech-{alarm.id}", "AlarmDescription": alarm.runbook,
        "Namespace": alarm.namespace, "MetricName": alarm.metric, "Dimensions": dimensions,
        "Statistic": alarm.statistic, "Period": 60 * alarm.minutes, "EvaluationPeriods": 1,
        "Threshold": alarm.threshold, "ComparisonOperator": alarm.comparison,
        # What is silent has stopped; a count of failures that is not sent is none.
        "TreatMissingData": "notBreaching" if alarm.statistic == "Sum" else "breaching",
        "AlarmActions": [ref("Tell")], "OKActions": [ref("Tell")], "Tags": TAGS,
    }}  # fmt: skip


def _backup(platform: Platform) -> dict[str, Any]:
    [copies] = [rule for rule in platform.retention if rule.place == "backup"]
    policies = ["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup"]
    prefixes = ["service-role/", ""]
    return {
        "BackupRole": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": allow("sts:AssumeRole", principal={"Service": "backup.amazonaws.com"}),
            "ManagedPolicyArns": [sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{prefix}{policy}")
                                  for prefix, policy in zip(prefixes, policies, strict=True)],
            "Tags": TAGS,
        }},
        "LocalVault": {"Type": "AWS::Backup::BackupVault", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
                       "Properties": {
                           "BackupVaultName": "indutech-platform", "EncryptionKeyArn": imported("KeyOperations"),
                           "LockConfiguration": {"MinRetentionDays": copies.ends_after_days, "ChangeableForDays": 7}}},
        "BackupPlan": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": {
            "BackupPlanName": "indutech-lake", "BackupPlanRule": [{
                "RuleName": "daily", "TargetBackupVault": ref("LocalVault"),
                "ScheduleExpression": "cron(0 3 * * ? *)",
                "Lifecycle": {"DeleteAfterDays": copies.ends_after_days},
                "CopyActions": [{"DestinationBackupVaultArn": ref("VaultArn"),
                                 "Lifecycle": {"DeleteAfterDays": copies.ends_after_days}}],
            }]}}},
        "BackupSelection": _selection("BackupPlan", "lake", imported("LakeArn")),
        # No copy into the other account: it would be paid as a second warehouse (docs/decisions/0040).
        "BackupPlanWarehouse": {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": {
            "BackupPlanName": "indutech-warehouse", "BackupPlanRule": [{
                "RuleName": "daily", "TargetBackupVault": ref("LocalVault"),
                "ScheduleExpression": "cron(0 4 * * ? *)",
                "Lifecycle": {"DeleteAfterDays": copies.ends_after_days},
            }]}}},
        "BackupSelectionWarehouse": _selection("BackupPlanWarehouse", "warehouse", sub(
            "arn:${AWS::Partition}:redshift:${AWS::Region}:${AWS::AccountId}:cluster:*")),
    }  # fmt: skip


def _selection(plan: str, name: str, arn: Any) -> dict[str, Any]:
    return {"Type": "AWS::Backup::BackupSelection", "Properties": {
        "BackupPlanId": ref(plan), "BackupSelection": {
            "SelectionName": name, "IamRoleArn": att("BackupRole", "Arn"), "Resources": [arn]}}}  # fmt: skip


def _budgets(requests: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The requests of `indutech costs watch` as resources: the same numbers, from the same place."""
    made: dict[str, Any] = {}
    tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in TAGS]
    for name, request in requests.items():
        if "Budget" in request:
            budget = dict(request["Budget"])
            budget["BudgetLimit"] = {**budget["BudgetLimit"], "Amount": float(budget["BudgetLimit"]["Amount"])}
            made[f"Budget{pascal(name)}"] = {"Type": "AWS::Budgets::Budget", "Properties": {
                "Budget": budget, "NotificationsWithSubscribers": request["NotificationsWithSubscribers"],
                "ResourceTags": tags,
            }}  # fmt: skip
        elif "AnomalyMonitor" in request:
            made["AnomalyMonitor"] = {"Type": "AWS::CE::AnomalyMonitor",
                                      "Properties": {**request["AnomalyMonitor"], "ResourceTags": tags}}  # fmt: skip
        elif "AnomalySubscription" in request:
            told = request["AnomalySubscription"]
            made["AnomalySubscription"] = {"Type": "AWS::CE::AnomalySubscription", "Properties": {
                "SubscriptionName": told["SubscriptionName"], "MonitorArnList": [att("AnomalyMonitor", "MonitorArn")],
                "Subscribers": told["Subscribers"], "Frequency": told["Frequency"],
                "ThresholdExpression": _text(told["ThresholdExpression"]), "ResourceTags": tags,
            }}  # fmt: skip
    return made


def _text(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))
