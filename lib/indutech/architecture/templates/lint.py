"""Mistakes in the templates: what cfn-lint finds, and what it does not look for."""

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from indutech.architecture.model import Component, Platform
from indutech.architecture.templates.parts import Template
from indutech.architecture.templates.stacks import text

# Types that AWS does not bill by themselves; every other resource is named by a component.
FREE = {
    "AWS::Backup::BackupSelection", "AWS::CE::AnomalyMonitor", "AWS::CE::AnomalySubscription", "AWS::DMS::Endpoint",
    "AWS::DMS::ReplicationSubnetGroup", "AWS::DMS::ReplicationTask", "AWS::DataSync::LocationS3",
    "AWS::DataSync::LocationSMB", "AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::VPNConnectionRoute", "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::IAM::InstanceProfile", "AWS::IAM::Role",
    "AWS::Redshift::ClusterParameterGroup", "AWS::Redshift::ClusterSubnetGroup",
    "AWS::Route53Resolver::FirewallDomainList", "AWS::Route53Resolver::FirewallRuleGroup",
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation", "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
}  # fmt: skip
PRICED_BY_CLASS = re.compile(r"ec2_|dms_|redshift_ra3")  # ids of prices that name the class of a machine
HIGHEST_PORT = 65_535
READ_SECRET = re.compile(r"{{resolve:secretsmanager:([^}]*)")
MADE_SECRET = re.compile(r'\$\{Secret\w+|", \{"Fn::ImportValue": "indutech-Secret\w+"')
# Warnings of cfn-lint that stay, each with its reason. None does today.
EXPLAINED: dict[str, str] = {}


def findings(platform: Platform, stacks: Mapping[str, Template], charged: Iterable[tuple[str, str]]) -> list[str]:
    """Mistakes, a sentence each: the project's own checks, and once they find nothing, cfn-lint, which takes seconds.

    `charged` are component and price id of each line of the bill.
    """
    own = (_zones(platform), _addresses(platform), _imports(stacks), _secrets(stacks), _ports(stacks),
           _paid(platform, stacks), _lines(platform, stacks, set(charged)))  # fmt: skip
    return [sentence for found in own for sentence in found] or cfn_lint(platform.region, stacks)


def cfn_lint(region: str, stacks: Mapping[str, Template]) -> list[str]:
    """What cfn-lint says for that region: errors, and warnings that nobody has explained."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode.decode import decode_str
    from cfnlint.helpers import REGIONS
    from cfnlint.runner import Runner

    if region not in REGIONS:
        return [f"AWS has no region {region!r}."]
    runner = Runner(ConfigMixIn(regions=[region]))  # once: it reads some hundred rules
    decoded = {name: decode_str(text(template)) for name, template in stacks.items()}
    return [
        f"{name}, {match.rule.id}: {match.message} ({'/'.join(map(str, match.path or []))})"
        for name, (template, unreadable) in decoded.items()
        for match in (unreadable or runner.validate_template(template))
        if match.rule.id not in EXPLAINED
    ]


def _zones(platform: Platform) -> Iterator[str]:
    for subnet in platform.subnet:
        if subnet.zone[:-1] != platform.region:
            yield f"Subnet {subnet.id!r} is in zone {subnet.zone!r}, which is not of the region {platform.region!r}."


def _addresses(platform: Platform) -> Iterator[str]:
    """Ranges are valid, subnets lie inside the VPC, and nothing overlaps: neither subnets, nor VPC and plant."""
    ranges = {"the VPC": platform.vpc_cidr, **{f"the plant's {cidr}": cidr for cidr in platform.plant.cidrs}}
    ranges |= {f"subnet {subnet.id!r}": subnet.cidr for subnet in platform.subnet}
    known = {}
    for name, cidr in ranges.items():
        try:
            known[name] = ipaddress.ip_network(cidr)
        except ValueError as error:
            yield f"The address range of {name} is wrong: {error}."
    names = list(known)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            inside = one == "the VPC" and other.startswith("subnet")
            if inside and not known[other].subnet_of(known[one]):  # type: ignore[arg-type]
                yield f"{other[:1].upper()}{other[1:]} ({known[other]}) lies outside the VPC ({known[one]})."
            elif not inside and known[one].overlaps(known[other]):
                yield f"The address ranges of {one} ({known[one]}) and {other} ({known[other]}) overlap."


def _imports(stacks: Mapping[str, Template]) -> Iterator[str]:
    """What a stack imports, one before it exports."""
    there: set[str] = set()
    for name, template in stacks.items():
        for wanted in sorted(set(_imported(template)) - there):
            yield f"Stack {name!r} imports {wanted!r}, which no stack before it exports."
        there |= {out["Export"]["Name"] for out in template.get("Outputs", {}).values() if "Export" in out}


def _imported(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        if "Fn::ImportValue" in content:
            yield content["Fn::ImportValue"]
        for part in content.values():
            yield from _imported(part)
    elif isinstance(content, list):
        for part in content:
            yield from _imported(part)


def _secrets(stacks: Mapping[str, Template]) -> Iterator[str]:
    """A secret that is read at deployment is one that a template makes: by its resource, or imported."""
    for name, template in stacks.items():
        for read in READ_SECRET.findall(json.dumps(template)):
            if not MADE_SECRET.match(read):
                yield f"Stack {name!r} reads the secret {read.split(':')[0]!r}, which no template makes."


def _ports(stacks: Mapping[str, Template]) -> Iterator[str]:
    for stack, name, resource in _resources(stacks):
        first, last = (resource.get("Properties", {}).get(key) for key in ("FromPort", "ToPort"))
        if first is not None and not 0 <= first <= last <= HIGHEST_PORT:
            yield f"{stack}.{name} opens ports {first} to {last}, which is no range between 0 and {HIGHEST_PORT}."


def _resources(stacks: Mapping[str, Template]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for stack, template in stacks.items():
        for name, resource in template["Resources"].items():
            yield stack, name, resource


def _paid(platform: Platform, stacks: Mapping[str, Template]) -> Iterator[str]:
    """Each billed component is a resource or says why not; each resource that is not free belongs to a component."""
    there = {f"{stack}.{name}": resource["Type"] for stack, name, resource in _resources(stacks)}
    named: set[str] = set()
    for component in platform.component:
        if component.billed and not component.resources and not component.no_resource:
            yield f"Component {component.id!r} is billed, is no resource of a template, and does not say why."
        for wanted in (*component.resources, *component.not_in_bill):
            found = {name for name in there if name.startswith(wanted)}
            if not found:
                yield f"Component {component.id!r} names the resource {wanted!r}, which no template has."
            named |= found
    for name in sorted(there.keys() - named):
        if there[name] not in FREE:
            yield f"Resource {name!r} ({there[name]}) is paid, and no component of the model names it."


def _lines(platform: Platform, stacks: Mapping[str, Template], charged: set[tuple[str, str]]) -> Iterator[str]:
    """Each price line names its resource, and each resource's price is a line of the bill."""
    said = {(component.id, price) for component in platform.component for price in component.bills}
    for component, price in sorted(charged - said):
        yield f"The bill has {price!r} for {component!r}, and the model does not say for which resource (bills)."
    for component, price in sorted(said - charged):
        yield f"The model has {price!r} for {component!r} (bills), and the bill has no such line."
    for part in platform.component:
        for price, resource in part.bills.items():
            if not resource.startswith("use: ") and resource not in part.resources:
                yield f"{part.id!r} is billed {price!r} for {resource!r}, which is none of its resources."
            if wrong := _class(part, price):
                yield wrong


def _class(component: Component, price: str) -> str:
    """The class that is priced is the class that is built: cfn-lint does not know those of DMS."""
    wanted = component.machine.removeprefix("dms.").replace(".", "_")
    is_machine = PRICED_BY_CLASS.match(price) and "storage" not in price
    if not is_machine or wanted in price:
        return ""
    return f"{component.id!r} is a {component.machine or 'machine of no class'}, and is billed as {price!r}."
