"""The network stack: VPC, subnets, routes, VPN, security groups from the flows, endpoints, names, flow logs."""

from typing import Any

from indutech.architecture.model import Platform
from indutech.architecture.platform import ENDPOINTS, PLANT, needed_rules
from indutech.architecture.templates.parts import (
    ARCHIVE,
    TAGS,
    Template,
    allow,
    att,
    exported,
    pascal,
    port,
    ref,
    sub,
    template,
    zone_letter,
)


def network(platform: Platform) -> Template:
    """Everything of the network, from subnets and flows of the model."""
    resources = {**_vpc(platform), **_vpn(platform), **_groups(platform), **_endpoints(platform), **_names(platform)}
    values: dict[str, Any] = {"Vpc": ref("Vpc"), "VpnConnection": ref("VpnConnection")}
    values |= {pascal(subnet.id): ref(pascal(subnet.id)) for subnet in platform.subnet}
    values |= {pascal(group.id): att(pascal(group.id), "GroupId") for group in platform.security_group}
    values |= {"DatasyncEndpoint": ref("EndpointDatasync")}
    return template(
        platform, "network: VPC, VPN, security groups, endpoints", resources,
        Parameters={"Organisation": {"Type": "String", "AllowedPattern": "^o-[a-z0-9]{10,32}$",
                                     "Description": "Id of the AWS organisation: endpoints serve nobody else."},
                    "ArchiveBucket": ARCHIVE},
        Outputs=exported(**values),
    )  # fmt: skip


def _vpc(platform: Platform) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {
            "CidrBlock": platform.vpc_cidr, "EnableDnsHostnames": True, "EnableDnsSupport": True, "Tags": TAGS,
        }},
        "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc"), "Tags": TAGS}},
        "FlowLog": {"Type": "AWS::EC2::FlowLog", "Properties": {
            "ResourceId": ref("Vpc"), "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "s3",
            "LogDestination": sub("arn:${AWS::Partition}:s3:::${ArchiveBucket}/flows/"), "Tags": TAGS,
        }},
    }  # fmt: skip
    for subnet in platform.subnet:
        name = pascal(subnet.id)
        made[name] = {"Type": "AWS::EC2::Subnet", "Properties": {
            "VpcId": ref("Vpc"), "CidrBlock": subnet.cidr, "MapPublicIpOnLaunch": False,
            "AvailabilityZone": sub("${AWS::Region}" + zone_letter(platform, subnet.id)),
            "Tags": [*TAGS, {"Key": "Name", "Value": subnet.id}],
        }}  # fmt: skip
        made[f"{name}Routes"] = {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": {
            "SubnetId": ref(name), "RouteTableId": ref("Routes"),
        }}  # fmt: skip
    return made


def _vpn(platform: Platform) -> dict[str, Any]:
    plant = platform.plant
    made: dict[str, Any] = {
        "CustomerGateway": {"Type": "AWS::EC2::CustomerGateway", "Properties": {
            "BgpAsn": plant.asn, "IpAddress": plant.router_address, "Type": "ipsec.1", "Tags": TAGS,
        }},
        "VpnGateway": {"Type": "AWS::EC2::VPNGateway", "Properties": {"Type": "ipsec.1", "Tags": TAGS}},
        "VpnGatewayAttachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": {
            "VpcId": ref("Vpc"), "VpnGatewayId": ref("VpnGateway"),
        }},
        "VpnConnection": {"Type": "AWS::EC2::VPNConnection", "Properties": {
            "Type": "ipsec.1", "StaticRoutesOnly": True, "CustomerGatewayId": ref("CustomerGateway"),
            "VpnGatewayId": ref("VpnGateway"), "Tags": TAGS,
        }},
    }  # fmt: skip
    for i, cidr in enumerate(plant.cidrs, start=1):
        made[f"VpnRoute{i}"] = {"Type": "AWS::EC2::VPNConnectionRoute", "Properties": {
            "DestinationCidrBlock": cidr, "VpnConnectionId": ref("VpnConnection"),
        }}  # fmt: skip
        made[f"PlantRoute{i}"] = {"Type": "AWS::EC2::Route", "DependsOn": "VpnGatewayAttachment", "Properties": {
            "DestinationCidrBlock": cidr, "RouteTableId": ref("Routes"), "GatewayId": ref("VpnGateway"),
        }}  # fmt: skip
    return made


def _groups(platform: Platform) -> dict[str, Any]:
    """A security group opens what the flows need, in and out; the rules are apart, since groups name each other."""
    made: dict[str, Any] = {}
    for group in platform.security_group:
        guards = ", ".join(c.name for c in platform.component if c.security_group == group.id)
        made[pascal(group.id)] = {"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": f"{guards}: only what the flows of the model need",
            "VpcId": ref("Vpc"),
            # Without a rule of its own a group lets everything out; this one reaches nothing but this machine.
            "SecurityGroupEgress": [{"CidrIp": "127.0.0.1/32", "IpProtocol": "icmp", "FromPort": -1, "ToPort": -1,
                                     "Description": "Takes the place of the rule that lets everything out"}],
            "Tags": [*TAGS, {"Key": "Name", "Value": group.id}],
        }}  # fmt: skip
    for guarded, origin, ports in needed_rules(platform):
        origins = platform.plant.cidrs if origin == PLANT else (origin,)
        for i, one in enumerate(origins, start=1):
            at = f"{pascal(guarded)}From{pascal(origin)}{i if origin == PLANT else ''}{pascal(ports)}"
            source = {"CidrIp": one} if origin == PLANT else {"SourceSecurityGroupId": att(pascal(one), "GroupId")}
            rule = {"GroupId": att(pascal(guarded), "GroupId"), **port(ports), **source}
            made[f"In{at}"] = {"Type": "AWS::EC2::SecurityGroupIngress",
                               "Properties": {**rule, "Description": f"{origin} may open {ports}"}}  # fmt: skip
            if origin != PLANT:
                out = {"GroupId": att(pascal(one), "GroupId"), **port(ports),
                       "DestinationSecurityGroupId": att(pascal(guarded), "GroupId")}  # fmt: skip
                made[f"Out{at}"] = {"Type": "AWS::EC2::SecurityGroupEgress",
                                    "Properties": {**out, "Description": f"To {guarded}, {ports}"}}  # fmt: skip
    for flow in platform.flow:
        opener = platform.opener(flow)
        if opener.security_group and platform.reached(flow).site == "on_premise":
            for ports in flow.ports:
                for i, cidr in enumerate(platform.plant.cidrs, start=1):
                    made[f"Out{pascal(flow.id)}{i}{pascal(ports)}"] = {"Type": "AWS::EC2::SecurityGroupEgress",
                        "Properties": {"GroupId": att(pascal(opener.security_group), "GroupId"), **port(ports),
                                       "CidrIp": cidr, "Description": f"Into the plant: {flow.id}"}}  # fmt: skip
    return made


def _endpoints(platform: Platform) -> dict[str, Any]:
    made: dict[str, Any] = {}
    home = platform[ENDPOINTS]
    for endpoint in platform.endpoint:
        ours = {"aws:PrincipalOrgID": ref("Organisation")}
        if endpoint.resources == "organisation":
            ours["aws:ResourceOrgID"] = ref("Organisation")
        policy = allow(*endpoint.allows, resource="*", principal="*", when={"StringEquals": ours})
        common = {"VpcId": ref("Vpc"), "ServiceName": sub("com.amazonaws.${AWS::Region}." + endpoint.service)}
        if endpoint.kind == "Gateway":
            theirs = [sub("arn:${AWS::Partition}:s3:::" + bucket + "/*") for bucket in endpoint.reads]
            policy["Statement"] += allow("s3:GetObject", resource=theirs, principal="*")["Statement"]
            own: dict[str, Any] = {"VpcEndpointType": "Gateway", "RouteTableIds": [ref("Routes")]}
        else:
            own = {
                "VpcEndpointType": "Interface", "PrivateDnsEnabled": True,
                "SubnetIds": [ref(pascal(subnet)) for subnet in home.subnets],
                "SecurityGroupIds": [att(pascal(str(home.security_group)), "GroupId")],
            }  # fmt: skip
        made[f"Endpoint{pascal(endpoint.service)}"] = {
            "Type": "AWS::EC2::VPCEndpoint", "Properties": {**common, **own, "PolicyDocument": policy},
        }  # fmt: skip
    return made


def _names(platform: Platform) -> dict[str, Any]:
    """DNS: only the model's names are answered."""
    return {
        "KnownNames": {"Type": "AWS::Route53Resolver::FirewallDomainList", "Properties": {
            "Domains": [f"{name}." for name in platform.names.answered], "Tags": TAGS,
        }},
        "EveryName": {"Type": "AWS::Route53Resolver::FirewallDomainList", "Properties": {
            "Domains": ["*."], "Tags": TAGS,
        }},
        "NamesAllowed": {"Type": "AWS::Route53Resolver::FirewallRuleGroup", "Properties": {
            "FirewallRules": [
                {"Priority": 1, "Action": "ALLOW", "FirewallDomainListId": att("KnownNames", "Id")},
                {"Priority": 2, "Action": "BLOCK", "BlockResponse": "NXDOMAIN",
                 "FirewallDomainListId": att("EveryName", "Id")},
            ], "Tags": TAGS,
        }},
        "NamesOfVpc": {"Type": "AWS::Route53Resolver::FirewallRuleGroupAssociation", "Properties": {
            "FirewallRuleGroupId": att("NamesAllowed", "Id"), "VpcId": ref("Vpc"), "Priority": 101, "Tags": TAGS,
        }},
    }  # fmt: skip
