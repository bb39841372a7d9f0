"""The stream stack: load balancer, MQTT bridges, brokers, Spark."""

from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.templates.parts import (
    ARM_IMAGE,
    TAGS,
    Template,
    allow,
    exported,
    imported,
    machines,
    pascal,
    port,
    ref,
    sub,
    template,
    zone_letter,
)
from indutech.lake.store import policy as rights

NAMES = {"mqtt_bridge": "Bridge", "redpanda": "Broker", "spark_compute": "Spark"}


def stream(platform: Platform) -> Template:
    """The machines of the stream, one in each subnet that the model names, and what stands before them."""
    resources: dict[str, Any] = {}
    for component, name in NAMES.items():
        if component in platform:
            resources |= machines(platform, platform[component], name)
    if "spark_compute" in platform:
        resources["SparkRole"]["Properties"]["Policies"].append({"PolicyName": "lake", "PolicyDocument": _lake()})
    if "nlb" in platform:
        resources |= _balancer(platform)
    return template(
        platform, "stream: load balancer, bridges, brokers, Spark", resources,
        Parameters={"Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": ARM_IMAGE}},
        Outputs=exported(LoadBalancer={"Fn::GetAtt": ["LoadBalancer", "LoadBalancerFullName"]})
        if "nlb" in platform else None,
    )  # fmt: skip


def _lake() -> dict[str, Any]:
    buckets = [imported("LakeArn"), {"Fn::Join": ["", [imported("LakeArn"), "/*"]]}]
    policy = allow(*rights.WRITE_OBJECTS, *rights.LIST, *rights.LIST_UPLOADS, resource=buckets)
    keys = [imported("KeyLake"), imported("KeyPersonal")]
    policy["Statement"] += allow("kms:Decrypt", "kms:GenerateDataKey", resource=keys)["Statement"]
    tables = [sub(f"arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:{what}")
              for what in ("catalog", "database/lac", "table/lac/*")]  # fmt: skip
    policy["Statement"] += allow("glue:BatchCreatePartition", "glue:GetTable", resource=tables)["Statement"]
    return policy


def _balancer(platform: Platform) -> dict[str, Any]:
    """TLS passes through: the bridge asks for the sensor's certificate."""
    nlb, bridge = platform["nlb"], platform["mqtt_bridge"]
    made: dict[str, Any] = {"LoadBalancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {
        "Type": "network", "Scheme": "internal", "Subnets": [imported(pascal(one)) for one in nlb.subnets],
        "SecurityGroups": [imported(pascal(str(nlb.security_group)))],
        "LoadBalancerAttributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "false"},
                                   {"Key": "deletion_protection.enabled", "Value": "true"}],
        "Tags": TAGS,
    }}}  # fmt: skip
    [flow] = [flow for flow in platform.flow if flow.source == "nlb"]
    for text in flow.ports:
        number = port(text)["FromPort"]
        made[f"Targets{number}"] = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {
            "Protocol": "TCP", "Port": number, "VpcId": imported("Vpc"), "TargetType": "instance",
            "HealthCheckProtocol": "TCP", "Tags": TAGS,
            "Targets": [{"Id": ref(f"Bridge{zone_letter(platform, one).upper()}")} for one in bridge.subnets],
        }}  # fmt: skip
        made[f"Listener{number}"] = {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {
            "LoadBalancerArn": ref("LoadBalancer"), "Protocol": "TCP", "Port": number,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref(f"Targets{number}")}],
        }}  # fmt: skip
    return made
