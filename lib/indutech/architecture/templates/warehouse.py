"""The warehouse stack: replication from SQL Server, Redshift."""

import json
from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.templates.parts import (
    TAGS,
    Template,
    allow,
    att,
    exported,
    imported,
    pascal,
    ref,
    secret,
    sub,
    template,
)

STANDBY = 2  # copies of the replication instance
TABLES = {"rules": [{"rule-type": "selection", "rule-id": "1", "rule-name": "first-wave", "rule-action": "include",
                     "object-locator": {"schema-name": "dbo", "table-name": "Clients"}}]}  # fmt: skip


def warehouse(platform: Platform) -> Template:
    """DMS with its two ends, and the cluster."""
    return template(
        platform, "warehouse: replication and Redshift", {**_replication(platform), **_cluster(platform)},
        Outputs=exported(Warehouse=ref("Warehouse"), Replication=ref("Replication")),
    )  # fmt: skip


def _role(service: str, name: str, *policies: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": allow("sts:AssumeRole", principal={"Service": service}),
        "Policies": [{"PolicyName": f"{name}{i}", "PolicyDocument": one} for i, one in enumerate(policies, start=1)],
        "Tags": TAGS,
    }}  # fmt: skip


def _objects(prefix: str) -> list[Any]:
    return [imported("LakeArn"), {"Fn::Join": ["", [imported("LakeArn"), prefix]]}]


def _replication(platform: Platform) -> dict[str, Any]:
    dms = platform["dms"]
    secrets = allow(
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        resource=[imported("SecretDms"), ref("SecretWriter")],
    )
    keys = allow("kms:Decrypt", resource=imported("KeySecrets"))
    staging = allow("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject", resource=_objects("/staging/*"))
    return {
        "ReplicationSubnets": {"Type": "AWS::DMS::ReplicationSubnetGroup", "Properties": {
            "ReplicationSubnetGroupDescription": "Two zones", "SubnetIds": [imported(pascal(s)) for s in dms.subnets],
            "Tags": TAGS,
        }},
        "Replication": {"Type": "AWS::DMS::ReplicationInstance", "Properties": {
            "ReplicationInstanceClass": dms.machine, "AllocatedStorage": dms.disk_gb, "MultiAZ": dms.copies >= STANDBY,
            "PubliclyAccessible": False, "KmsKeyId": imported("KeyWarehouse"), "AutoMinorVersionUpgrade": True,
            "ReplicationSubnetGroupIdentifier": ref("ReplicationSubnets"),
            "VpcSecurityGroupIds": [imported(pascal(str(dms.security_group)))], "Tags": TAGS,
        }},
        "ReplicationRole": _role("dms.eu-west-3.amazonaws.com".replace("eu-west-3", platform.region), "dms", secrets,
                                 keys, staging),
        "Source": {"Type": "AWS::DMS::Endpoint", "Properties": {
            "EndpointType": "source", "EngineName": "sqlserver", "DatabaseName": "ERP", "SslMode": "require",
            "KmsKeyId": imported("KeyWarehouse"), "Tags": TAGS,
            "MicrosoftSqlServerSettings": {"SecretsManagerSecretId": imported("SecretDms"),
                                           "SecretsManagerAccessRoleArn": att("ReplicationRole", "Arn")},
        }},
        "Target": {"Type": "AWS::DMS::Endpoint", "Properties": {
            "EndpointType": "target", "EngineName": "redshift", "DatabaseName": "indutech",
            "KmsKeyId": imported("KeyWarehouse"), "Tags": TAGS,
            "RedshiftSettings": {"SecretsManagerSecretId": ref("SecretWriter"), "BucketName": imported("Lake"),
                                 "BucketFolder": "staging", "EncryptionMode": "SSE_KMS",
                                 "ServerSideEncryptionKmsKeyId": imported("KeyLake"),
                                 "ServiceAccessRoleArn": att("ReplicationRole", "Arn"),
                                 "SecretsManagerAccessRoleArn": att("ReplicationRole", "Arn")},
        }},
        "Changes": {"Type": "AWS::DMS::ReplicationTask", "Properties": {
            "MigrationType": "full-load-and-cdc", "ReplicationInstanceArn": ref("Replication"),
            "SourceEndpointArn": ref("Source"), "TargetEndpointArn": ref("Target"),
            "TableMappings": _json(TABLES), "Tags": TAGS,
        }},
    }  # fmt: skip


def _cluster(platform: Platform) -> dict[str, Any]:
    redshift = platform["redshift"]
    read = allow("s3:GetObject", "s3:ListBucket", resource=_objects("/*"))
    catalog = allow("glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", resource=[
        sub(f"arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:{what}")
        for what in ("catalog", "database/lac", "table/lac/*")])  # fmt: skip
    return {
        "WarehouseSubnets": {"Type": "AWS::Redshift::ClusterSubnetGroup", "Properties": {
            "Description": "All zones, so that the cluster can be relocated",
            "SubnetIds": [imported(pascal(one.id)) for one in platform.subnet], "Tags": TAGS,
        }},
        "WarehouseParameters": {"Type": "AWS::Redshift::ClusterParameterGroup", "Properties": {
            "Description": "TLS only, and the log of each user's queries", "ParameterGroupFamily": "redshift-2.0",
            "Parameters": [{"ParameterName": "require_ssl", "ParameterValue": "true"},
                           {"ParameterName": "enable_user_activity_logging", "ParameterValue": "true"}], "Tags": TAGS,
        }},
        "SecretWriter": secret("dms_writer", imported("KeySecrets"), "${Warehouse.Endpoint.Address}", 5439),
        "WarehouseRole": _role("redshift.amazonaws.com", "redshift", read, catalog,
                               allow("kms:Decrypt", resource=imported("KeyLake"))),
        "Warehouse": {"Type": "AWS::Redshift::Cluster", "DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot",
            "Properties": {
                "ClusterType": "multi-node", "NodeType": redshift.machine, "NumberOfNodes": 2, "DBName": "indutech",
                "MasterUsername": "admin_indutech", "ManageMasterPassword": True,
                "MasterPasswordSecretKmsKeyId": imported("KeySecrets"), "Encrypted": True,
                "KmsKeyId": imported("KeyWarehouse"), "PubliclyAccessible": False, "EnhancedVpcRouting": True,
                "AvailabilityZoneRelocation": True, "AllowVersionUpgrade": True,
                "ClusterSubnetGroupName": ref("WarehouseSubnets"),
                "ClusterParameterGroupName": ref("WarehouseParameters"),
                "VpcSecurityGroupIds": [imported(pascal(str(redshift.security_group)))],
                "IamRoles": [att("WarehouseRole", "Arn")], "AutomatedSnapshotRetentionPeriod": 7,
                "LoggingProperties": {"LogDestinationType": "cloudwatch",
                                      "LogExports": ["connectionlog", "useractivitylog", "userlog"]}, "Tags": TAGS,
            }},
    }  # fmt: skip


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))
