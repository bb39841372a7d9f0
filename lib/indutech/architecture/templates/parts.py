"""What several templates need: tags, references to other stacks, ports as rules, machines."""

import json
import re
from typing import Any

from indutech.architecture.model import Component, Platform

Template = dict[str, Any]
TAGS = [{"Key": "Projet", "Value": "InduTech"}, {"Key": "Env", "Value": "Prod"}]
NOT_DEPLOYED = "Made from assets/platform.toml and linted; nothing was ever deployed from it."
ARCHIVE = {"Type": "String", "Description": "The bucket of the log archive, in an account of its own"}
ARM_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"


def template(platform: Platform, what: str, resources: dict[str, Any], **sections: Any) -> Template:
    """A stack that is only for the region of the model."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"InduTech, {what}. {NOT_DEPLOYED}",
        **{name: content for name, content in sections.items() if content},
        "Rules": {"Region": {"Assertions": [{
            "Assert": {"Fn::Equals": [{"Ref": "AWS::Region"}, platform.region]},
            "AssertDescription": f"The model is for {platform.region}.",
        }]}},
        "Resources": resources,
    }  # fmt: skip


def ref(name: str) -> dict[str, str]:
    """A resource of the same stack."""
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    """An attribute of a resource of the same stack."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> dict[str, str]:
    """A text with names in it."""
    return {"Fn::Sub": text}


def imported(name: str) -> dict[str, str]:
    """What another stack exports."""
    return {"Fn::ImportValue": f"indutech-{name}"}


def exported(**values: Any) -> dict[str, Any]:
    """The outputs of a stack, by the names under which others import them."""
    return {
        name: {"Value": value, "Export": {"Name": f"indutech-{name}"}} for name, value in values.items()
    }  # fmt: skip


def pascal(name: str) -> str:
    """`private_a` as a logical id: `PrivateA`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]", name))


def port(text: str) -> dict[str, Any]:
    """`443`, `88/udp` or `1024-1064` as protocol and range."""
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    return {"IpProtocol": protocol or "tcp", "FromPort": int(first), "ToPort": int(last or first)}


def zone_letter(platform: Platform, subnet: str) -> str:
    """The letter of the zone in which a subnet is."""
    [zone] = [one.zone for one in platform.subnet if one.id == subnet]
    return zone.removeprefix(platform.region)


def secret(user: str, key: Any, host: str = "", number: int = 0) -> dict[str, Any]:
    """What somebody signs in with; DMS reads from it where to connect to as well."""
    holds = json.dumps({"username": user} | ({"host": host, "port": number} if host else {}))
    return {"Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Description": f"What {user} signs in with", "KmsKeyId": key, "Tags": TAGS,
                "GenerateSecretString": {"SecretStringTemplate": sub(holds) if "${" in holds else holds,
                                         "GenerateStringKey": "password", "PasswordLength": 32,
                                         "ExcludeCharacters": "\"'@/\\;,%+"},
            }}  # fmt: skip


def machines(platform: Platform, component: Component, name: str) -> dict[str, Any]:
    """A role and one machine in each subnet of a component: no public address, encrypted disk, IMDSv2."""
    role, profile = f"{name}Role", f"{name}Profile"
    managed = ["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"]
    made: dict[str, Any] = {
        role: {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": allow("sts:AssumeRole", principal={"Service": "ec2.amazonaws.com"}),
            "ManagedPolicyArns": [sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{policy}") for policy in managed],
            "Policies": [
                {"PolicyName": "own-secret", "PolicyDocument": allow(
                    "secretsmanager:GetSecretValue", resource=imported(f"Secret{pascal(component.id)}"))},
                {"PolicyName": "packages", "PolicyDocument": allow(
                    "s3:GetObject", resource={"Fn::Join": ["", [imported("LakeArn"), "/packages/*"]]})},
                {"PolicyName": "keys", "PolicyDocument": allow(
                    "kms:Decrypt", resource=[imported("KeyLake"), imported("KeySecrets")])},
            ],
            "Tags": TAGS,
        }},
        profile: {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref(role)]}},
    }  # fmt: skip
    for subnet in component.subnets:
        made[f"{name}{zone_letter(platform, subnet).upper()}"] = {"Type": "AWS::EC2::Instance", "Properties": {
            "ImageId": ref("Image"),
            "InstanceType": component.machine,
            "IamInstanceProfile": ref(profile),
            "SubnetId": imported(pascal(subnet)),
            "SecurityGroupIds": [imported(pascal(str(component.security_group)))],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {
                "VolumeType": "gp3", "VolumeSize": component.disk_gb, "Encrypted": True,
                "KmsKeyId": imported("KeyStream"),
            }}],
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "Monitoring": True,
            "EbsOptimized": True,
            "Tags": [*TAGS, {"Key": "Name", "Value": f"{component.id}-{zone_letter(platform, subnet)}"}],
        }}  # fmt: skip
    return made


def allow(*actions: str, resource: Any = None, principal: Any = None, when: Any = None) -> dict[str, Any]:
    """A policy of one statement that allows."""
    statement = {"Effect": "Allow", "Action": sorted(actions)}
    if principal is not None:
        statement["Principal"] = principal
    if resource is not None:
        statement["Resource"] = resource
    if when is not None:
        statement["Condition"] = when
    return {"Version": "2012-10-17", "Statement": [statement]}
