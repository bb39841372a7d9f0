"""Buckets with their retention rules: the archive, the lake with catalog and copies of files, and the locked vault."""

from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.plan import Retention
from indutech.architecture.templates.parts import TAGS, Template, allow, att, exported, imported, ref, sub, template

CLOSED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


ORGANISATION = {"Type": "String", "AllowedPattern": "^o-[a-z0-9]{10,32}$", "Description": "Id of the AWS organisation"}
LOCKED_DAYS = 365  # during which nobody deletes an audit log


def archive(platform: Platform) -> Template:
    """For the account of the log archive: a bucket that nobody can empty."""
    bucket = _bucket(platform, "log_archive", {"SSEAlgorithm": "AES256"})
    bucket["Properties"] |= {"ObjectLockEnabled": True, "ObjectLockConfiguration": {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": LOCKED_DAYS}}}}  # fmt: skip
    services = ["cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"]
    writers = allow("s3:GetBucketAcl", "s3:PutObject", principal={"Service": services}, resource=_all_of("Archive"),
                    when={"StringEquals": {"aws:SourceOrgID": ref("Organisation")}})  # fmt: skip
    writers["Statement"].append(_tls_only("Archive"))
    return template(
        platform, "archive: audit logs", {"Archive": bucket, "ArchivePolicy": _policy("Archive", writers)},
        Parameters={"Organisation": ORGANISATION}, Outputs={"Archive": {"Value": ref("Archive")}},
    )  # fmt: skip


def vault(platform: Platform) -> Template:
    """For the account of the backups: a vault with a lock, which takes copies from the platform's account."""
    [copies] = [rule for rule in platform.retention if rule.place == "backup"]
    root = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
    platforms = {"AWS": sub("arn:${AWS::Partition}:iam::${PlatformAccount}:root")}
    key = allow("kms:*", resource="*", principal=root)
    uses = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*")
    key["Statement"] += allow(*uses, resource="*", principal=platforms)["Statement"]
    resources = {
        "Vault": {"Type": "AWS::Backup::BackupVault", **KEPT, "Properties": {
            "BackupVaultName": "indutech", "EncryptionKeyArn": att("VaultKey", "Arn"),
            "LockConfiguration": {"MinRetentionDays": copies.ends_after_days, "ChangeableForDays": 7},
            "AccessPolicy": allow("backup:CopyIntoBackupVault", resource="*", principal=platforms),
        }},
        "VaultKey": {"Type": "AWS::KMS::Key", **KEPT, "Properties": {
            "Description": "InduTech: backup", "EnableKeyRotation": True, "KeyPolicy": key, "Tags": TAGS,
        }},
    }  # fmt: skip
    account = {"Type": "String", "AllowedPattern": "^[0-9]{12}$", "Description": "Whose copies it takes"}
    return template(
        platform, "vault: locked copies", resources, Parameters={"PlatformAccount": account},
        Outputs={"Vault": {"Value": att("Vault", "BackupVaultArn")}},
    )  # fmt: skip


def lake(platform: Platform) -> Template:
    """The lake with its retention rules, its catalog, and the nightly copy of the plant's files."""
    bucket = _bucket(platform, "s3_lake", {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": imported("KeyLake")})
    role = {"Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": allow("sts:AssumeRole", principal={"Service": "datasync.amazonaws.com"}, when={
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}),
        "Policies": [{"PolicyName": "lake", "PolicyDocument": allow(
            "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
            resource=_all_of("Lake"))}],
        "Tags": TAGS,
    }}  # fmt: skip
    resources = {
        "Lake": bucket,
        "LakePolicy": _policy("Lake", {"Version": "2012-10-17", "Statement": [_tls_only("Lake")]}),
        "Catalog": {"Type": "AWS::Glue::Database", "Properties": {
            "CatalogId": ref("AWS::AccountId"), "DatabaseInput": {"Name": "lac", "Description": "Tables of the lake"},
        }},
        "CopyRole": role,
        "PlantFiles": {"Type": "AWS::DataSync::LocationSMB", "Properties": {
            "AgentArns": [ref("Agent")], "ServerHostname": f"san.{platform.plant.domain}", "Subdirectory": "/indutech",
            "User": "datasync", "Password": {"Fn::Join": ["", [
                "{{resolve:secretsmanager:", imported("SecretSan"), ":SecretString:password}}"]]},
            "MountOptions": {"Version": "SMB3"}, "Tags": TAGS,
        }},
        "LakeFiles": {"Type": "AWS::DataSync::LocationS3", "Properties": {
            "S3BucketArn": att("Lake", "Arn"), "Subdirectory": "/logs/", "Tags": TAGS,
            "S3Config": {"BucketAccessRoleArn": att("CopyRole", "Arn")},
        }},
        "CopyTask": {"Type": "AWS::DataSync::Task", "Properties": {
            "SourceLocationArn": ref("PlantFiles"), "DestinationLocationArn": ref("LakeFiles"),
            "Options": {"VerifyMode": "ONLY_FILES_TRANSFERRED", "BytesPerSecond": 25_000_000},
            "Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)"}, "Tags": TAGS,
        }},
    }  # fmt: skip
    return template(
        platform, "lake: bucket, retention, catalog, copies of files", resources,
        Parameters={"Agent": {"Type": "String", "Description": "ARN of the agent, known when it was activated",
                              "AllowedPattern": "^arn:aws:datasync:[a-z0-9-]+:[0-9]{12}:agent/agent-[0-9a-z]{17}$"}},
        Outputs=exported(Lake=ref("Lake"), LakeArn=att("Lake", "Arn")),
    )  # fmt: skip


def lifecycle(rules: tuple[Retention, ...], place: str) -> list[dict[str, Any]]:
    """The lifecycle rules of one bucket."""
    return [_rule(rule) for rule in rules if rule.place == place]


def _rule(rule: Retention) -> dict[str, Any]:
    made: dict[str, Any] = {"Id": rule.id, "Status": "Enabled", "Prefix": rule.prefix,
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}  # fmt: skip
    if rule.storage_class:
        made["Transitions"] = [{"StorageClass": rule.storage_class, "TransitionInDays": rule.moves_after_days}]
    if rule.ends_after_days:
        made["ExpirationInDays"] = rule.ends_after_days
    if rule.old_versions_days:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.old_versions_days}
    return made


def _bucket(platform: Platform, place: str, encryption: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", **KEPT, "Properties": {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": encryption}]},
        "PublicAccessBlockConfiguration": CLOSED,
        "VersioningConfiguration": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": lifecycle(platform.retention, place)},
        "Tags": TAGS,
    }}  # fmt: skip


def _all_of(bucket: str) -> list[Any]:
    return [att(bucket, "Arn"), sub(f"${{{bucket}.Arn}}/*")]


def _tls_only(bucket: str) -> dict[str, Any]:
    return {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": _all_of(bucket),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip


def _policy(bucket: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": ref(bucket), "PolicyDocument": document}}
