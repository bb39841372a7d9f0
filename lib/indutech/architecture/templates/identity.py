"""The identity stack: keys, secrets, the directory, permission sets."""

from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.templates.parts import TAGS, Template, exported, imported, pascal, ref, secret, sub, template

KEYS = ("Stream", "Lake", "Personal", "Warehouse", "Operations", "Secrets")
LISTENER = ("${Listener}", 1433)  # an address: the VPC asks for no name of the plant (docs/decisions/0039)
SERVICES = {"Operations": ["logs.amazonaws.com", "cloudtrail.amazonaws.com", "sns.amazonaws.com"]}


def identity(platform: Platform) -> Template:
    """Keys by data domain, one secret for each user of a secret, Managed AD, and what analysts may do."""
    directory = platform["managed_ad"]
    users = [flow.target for flow in platform.flow if flow.source == "secrets_manager"]
    resources: dict[str, Any] = {f"Key{domain}": _key(domain) for domain in KEYS}
    resources |= {
        f"Secret{pascal(user)}": secret(user, ref("KeySecrets"), *LISTENER if user == "dms" else ("", 0))
        for user in [*users, "directory", "san"]
    }
    resources["Directory"] = {"Type": "AWS::DirectoryService::MicrosoftAD", "Properties": {
        "Name": f"aws.{platform.plant.domain}", "ShortName": "AWSINDUTECH", "Edition": "Standard",
        "Password": sub("{{resolve:secretsmanager:${SecretDirectory}:SecretString:password}}"),
        "VpcSettings": {"VpcId": imported("Vpc"), "SubnetIds": [imported(pascal(one)) for one in directory.subnets]},
    }}  # fmt: skip
    resources["AnalystPermissions"] = {"Type": "AWS::SSO::PermissionSet", "Properties": {
        "InstanceArn": ref("IdentityCenter"), "Name": "analyst", "SessionDuration": "PT1H",
        "Description": "Reads the warehouse; no machine and no bucket",
        "InlinePolicy": {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["redshift:DescribeClusters"], "Resource": "*"}]},
        "Tags": TAGS,
    }}  # fmt: skip
    resources["OperatorPermissions"] = {"Type": "AWS::SSO::PermissionSet", "Properties": {
        "InstanceArn": ref("IdentityCenter"), "Name": "operator", "SessionDuration": "PT1H",
        "Description": "Opens sessions on the platform's machines; no forwarded port",
        "InlinePolicy": {"Version": "2012-10-17", "Statement": _sessions()},
        "Tags": TAGS,
    }}  # fmt: skip
    values: dict[str, Any] = {f"Key{domain}": {"Fn::GetAtt": [f"Key{domain}", "Arn"]} for domain in KEYS}
    values |= {name: ref(name) for name in resources if name.startswith("Secret")}
    return template(
        platform, "identity: keys, secrets, directory, permission sets", resources,
        Parameters={"IdentityCenter": {
            "Type": "String", "Description": "ARN of the instance of IAM Identity Center, of the management account",
            "AllowedPattern": "^arn:aws:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}$"},
            "Listener": {"Type": "String", "Description": "Address of the listener of SQL Server, in the plant",
                         "AllowedPattern": "^([0-9]{1,3}[.]){3}[0-9]{1,3}$"}},
        Outputs=exported(**values),
    )  # fmt: skip


def _sessions() -> list[dict[str, Any]]:
    """Shell sessions on tagged machines; a session document other than the platform's is refused."""
    tagged = {"StringEquals": {"ssm:resourceTag/Projet": "InduTech"}}
    checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    own = "arn:aws:ssm:*:*:session/${aws:username}-*"
    return [
        {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ec2:*:*:instance/*",
         "Condition": {**tagged, **checked}},
        {"Effect": "Allow", "Action": "ssm:StartSession", "Condition": checked,
         "Resource": "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"},
        {"Effect": "Allow", "Action": ["ssm:ResumeSession", "ssm:TerminateSession"], "Resource": own},
        {"Effect": "Allow", "Action": ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation"], "Resource": "*"},
    ]  # fmt: skip


def _key(domain: str) -> dict[str, Any]:
    administration: dict[str, Any] = {
        "Sid": "TheAccountDecides", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
    }  # fmt: skip
    statements = [administration]
    if domain in SERVICES:
        statements.append({
            "Sid": "Services", "Effect": "Allow", "Resource": "*", "Principal": {"Service": SERVICES[domain]},
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
            "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
        })  # fmt: skip
    return {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {
        "Description": f"InduTech: {domain.lower()}", "EnableKeyRotation": True, "PendingWindowInDays": 30,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": statements}, "Tags": TAGS,
    }}  # fmt: skip
