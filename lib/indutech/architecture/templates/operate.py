"""The operate stack: how operators come in, and how patches arrive."""

from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.templates.parts import TAGS, Template, imported, ref, template

APPROVED_AFTER_DAYS = 3  # a patch that AWS takes back is mostly taken back within days
OPERATING_SYSTEM = "AMAZON_LINUX_2023"


def operate(platform: Platform) -> Template:
    """The settings of a session with its log, and one round of patches a week, one machine at a time."""
    [logs] = [rule for rule in platform.retention if rule.place == "cloudwatch"]
    log: dict[str, Any] = {
        "LogGroupName": "/indutech/sessions", "RetentionInDays": logs.ends_after_days,
        "KmsKeyId": imported("KeyOperations"), "Tags": TAGS,
    }  # fmt: skip
    resources = {
        "SessionLog": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
                       "Properties": log},
        "SessionSettings": {"Type": "AWS::SSM::Document", "Properties": {
            "Name": "SSM-SessionManagerRunShell", "DocumentType": "Session", "DocumentFormat": "JSON", "Tags": TAGS,
            "Content": {
                "schemaVersion": "1.0", "description": "Sessions of operators: logged, and closed when nobody types",
                "sessionType": "Standard_Stream",
                "inputs": {"cloudWatchLogGroupName": ref("SessionLog"), "cloudWatchEncryptionEnabled": True,
                           "cloudWatchStreamingEnabled": True, "idleSessionTimeout": "20",
                           "maxSessionDuration": "60"},
            },
        }},
        "PatchBaseline": {"Type": "AWS::SSM::PatchBaseline", "Properties": {
            "Name": "indutech", "OperatingSystem": OPERATING_SYSTEM, "DefaultBaseline": True, "Tags": TAGS,
            "ApprovalRules": {"PatchRules": [{
                "ApproveAfterDays": APPROVED_AFTER_DAYS, "EnableNonSecurity": False,
                "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security", "Bugfix"]}]},
            }]},
        }},
        "Patches": {"Type": "AWS::SSM::Association", "Properties": {
            "AssociationName": "indutech-patches", "Name": "AWS-RunPatchBaseline",
            "Parameters": {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]},
            "ScheduleExpression": "cron(0 2 ? * SUN *)", "ApplyOnlyAtCronInterval": True,
            "MaxConcurrency": "1", "MaxErrors": "0", "ComplianceSeverity": "HIGH",
            "Targets": [{"Key": "tag:Projet", "Values": ["InduTech"]}],
        }},
    }  # fmt: skip
    return template(platform, "operate: operators' sessions, patches", resources)
