"""The templates: cfn-lint and the project's own checks find nothing, and find each kind of mistake that is planted."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indutech.architecture import platform
from indutech.architecture.model import Platform
from indutech.architecture.templates import lint, parts, stacks
from indutech.cli.app import app
from indutech.cli.template import TemplateMistake
from indutech.costs.guardrails import WATCH_FOLDER
from indutech.costs.inputs.usage import USAGE_FILE, read_usage
from indutech.report import generated_templates
from indutech.system.settings import PROJECT

EDGE = PROJECT / "assets" / "platform-edge.toml"


@pytest.fixture
def facts() -> dict[str, Any]:
    """The content of the model's file, to be spoiled."""
    return copy.deepcopy(platform.facts())


def part(facts: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """The entry of that id."""
    return next(entry for entry in facts[kind] if entry["id"] == name)


@pytest.mark.slow
def test_the_other_committed_model_makes_templates_without_a_mistake() -> None:
    """Zero errors, and no warning without a reason; `make check`, with which `make test` begins, asks of the first."""
    model = PROJECT / "assets" / "platform-edge.toml"
    result = CliRunner().invoke(app, ["template", "--check", "--model", str(model)])

    assert result.exit_code == 0, result.exception
    assert "no mistake was found. Nothing was deployed." in result.output


def test_make_check_looks_at_the_templates() -> None:
    """The command stands in the target, and `make test` begins with it."""
    makefile = (PROJECT / "Makefile").read_text()
    [recipe] = [part for part in makefile.split("\n\n") if part.startswith("check:")]

    assert "indutech template --check" in recipe
    assert "\ntest: check " in makefile


def test_every_template_says_that_nothing_was_deployed() -> None:
    """Whoever opens a file reads it first."""
    files = sorted(stacks.FOLDER.glob("*.json"))

    assert {file.stem for file in files} == set(generated_templates.made(platform.platform()))
    for file in files:
        assert "nothing was ever deployed" in json.loads(file.read_text())["Description"]


def region(facts: dict[str, Any]) -> None:
    """A zone of another region."""
    facts["subnet"][0]["zone"] = "eu-west-1a"


def unknown_region(facts: dict[str, Any]) -> None:
    """A region that AWS does not have."""
    facts["region"] = "eu-west-9"
    for subnet in facts["subnet"]:
        subnet["zone"] = subnet["zone"].replace("eu-west-3", "eu-west-9")


def machine(facts: dict[str, Any]) -> None:
    """A class that AWS does not have, priced like the right one."""
    part(facts, "component", "redpanda")["machine"] = "m6gd.enormous"


def replication(facts: dict[str, Any]) -> None:
    """A class of DMS that Paris does not list."""
    part(facts, "component", "dms")["machine"] = "dms.c7i.xlarge"


def reference(facts: dict[str, Any]) -> None:
    """An alarm on a resource that no stack exports."""
    part(facts, "alarm", "tunnel-down")["dimensions"] = {"VpnId": "!network.Tunnel"}


def outside(facts: dict[str, Any]) -> None:
    """A subnet outside the VPC."""
    facts["subnet"][2]["cidr"] = "10.41.0.0/20"


def overlap(facts: dict[str, Any]) -> None:
    """A plant that has the addresses of the VPC."""
    facts["plant"]["cidrs"] = ["10.0.0.0/8"]


def ports(facts: dict[str, Any]) -> None:
    """A range of ports that is upside down, in flow and security group alike."""
    for entry in (part(facts, "flow", "files_copied"), part(facts, "security_group", "sg_endpoints")["inbound"][-1]):
        entry["ports"] = ["443", "1064-1024"]


def no_resource(facts: dict[str, Any]) -> None:
    """A billed component without a resource."""
    del part(facts, "component", "nlb")["resources"]


def no_line(facts: dict[str, Any]) -> None:
    """A line of the bill without its resource."""
    del part(facts, "component", "dms")["bills"]["dms_storage_multi"]


def line_of_nothing(facts: dict[str, Any]) -> None:
    """A price that the bill does not have."""
    part(facts, "component", "dms")["bills"]["dms_t3_medium_single"] = "warehouse.Replication"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (region, "'eu-west-1a', which is not of the region 'eu-west-3'"),
        (unknown_region, "AWS has no region 'eu-west-9'"),
        (machine, "'redpanda' is a m6gd.enormous, and is billed as 'ec2_m6gd_xlarge'"),
        (replication, "'dms' is a dms.c7i.xlarge, and is billed as 'dms_c6i_xlarge_multi'"),
        (reference, "imports 'indutech-Tunnel', which no stack before it exports"),
        (outside, "Subnet 'private_c' (10.41.0.0/20) lies outside the VPC"),
        (overlap, "the VPC (10.40.0.0/16) and the plant's 10.0.0.0/8 (10.0.0.0/8) overlap"),
        (ports, "opens ports 1064 to 1024"),
        (no_resource, "Component 'nlb' is billed, is no resource of a template, and does not say why"),
        (no_line, "The bill has 'dms_storage_multi' for 'dms'"),
        (line_of_nothing, "The model has 'dms_t3_medium_single' for 'dms' (bills), and the bill has no such line"),
    ],
)  # fmt: skip
def test_a_planted_mistake_fails_the_check(
    spoil: Any, sentence: str, facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind is named by the command of `make check`, which exits with 1."""
    spoil(facts)
    platform.platform()  # the bill is that of the committed model, read before
    monkeypatch.setattr(platform, "facts", lambda _file: facts)

    result = CliRunner().invoke(app, ["template", "--check"])

    assert result.exit_code == 1
    assert isinstance(result.exception, TemplateMistake)
    assert sentence in str(result.exception)


def test_cfn_lint_knows_references_and_what_the_region_has() -> None:
    """A resource that names one that is not there, and a machine that AWS has and Paris has not."""
    made = generated_templates.made(platform.platform())
    made["network"]["Resources"]["VpnRoute1"]["Properties"]["VpnConnectionId"] = {"Ref": "Tunnel"}
    made["stream"]["Resources"]["SparkA"]["Properties"]["InstanceType"] = "u-24tb1.112xlarge"

    found = "\n".join(lint.cfn_lint("eu-west-3", {name: made[name] for name in ("network", "stream")}))

    assert "Tunnel" in found
    assert "u-24tb1.112xlarge" in found


def test_a_paid_resource_that_no_component_names_is_found() -> None:
    """The other way round: what a template has is on the bill, or somebody says why not."""
    model = platform.platform()
    made = generated_templates.made(model)
    made["stream"]["Resources"]["Forgotten"] = {"Type": "AWS::EC2::NatGateway", "Properties": {}}

    found = lint.findings(model, made, generated_templates.charged(model))

    assert (
        "Resource 'stream.Forgotten' (AWS::EC2::NatGateway) is paid, and no component of the model names it." in found
    )


def test_security_groups_of_the_template_are_the_models() -> None:
    """A rule of the model for each rule of the template, with its protocol."""
    model: Platform = platform.platform()
    resources = generated_templates.made(model)["network"]["Resources"]
    inbound = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::EC2::SecurityGroupIngress"]
    needed = set(platform.needed_rules(model))
    from_plant = sum(origin == platform.PLANT for _, origin, _ in needed)

    assert len(inbound) == len(needed) + from_plant * (len(model.plant.cidrs) - 1)
    assert {p["FromPort"] for p in inbound if p["IpProtocol"] == "udp"} == {53, 88, 123, 389, 464}


def test_retention_has_one_source() -> None:
    """The bucket, the watch file and the log groups keep what the model says, old versions included."""
    model = platform.platform()
    made = generated_templates.made(model)
    bucket = made["lake"]["Resources"]["Lake"]["Properties"]["LifecycleConfiguration"]["Rules"]
    request = json.loads((WATCH_FOLDER / "lifecycle.json").read_text())["LifecycleConfiguration"]["Rules"]
    rules = [rule for rule in model.retention if rule.place == "s3_lake"]

    assert [rule["Id"] for rule in bucket] == [rule["ID"] for rule in request] == [rule.id for rule in rules]
    for here, there, rule in zip(bucket, request, rules, strict=True):
        kept = rule.old_versions_days
        assert here["NoncurrentVersionExpiration"] == there["NoncurrentVersionExpiration"] == {"NoncurrentDays": kept}
        assert here.get("ExpirationInDays") == there.get("Expiration", {}).get("Days") == rule.ends_after_days
    logs = [r for r in made["watch"]["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
    [days] = {log["Properties"]["RetentionInDays"] for log in logs}
    assert days == read_usage(USAGE_FILE)("logs_months_kept").value * 30


def test_what_is_paid_by_the_piece_is_counted_and_not_assumed() -> None:
    """Alarms, keys, secrets, endpoints and domains: the bill has as many as the templates, and no file says another."""
    model = platform.platform()
    made = [resource for template in generated_templates.made(model).values()
            for resource in template["Resources"].values()]  # fmt: skip
    types = [resource["Type"] for resource in made]
    counted = stacks.counts(model)
    billed = {line.charge.price_id: line.charge.quantity.value for line in generated_templates.bill(model).monthly}

    assert not set(counted) & set(read_usage(USAGE_FILE))
    assert billed["alarms"] == types.count("AWS::CloudWatch::Alarm") == len(model.alarm)
    assert billed["kms_key"] == types.count("AWS::KMS::Key")
    assert billed["secrets"] == types.count("AWS::SecretsManager::Secret") + 1  # Redshift manages one itself
    interfaces = [r["Properties"] for r in made if r["Properties"].get("VpcEndpointType") == "Interface"]
    assert billed["endpoint_hour"] == sum(len(one["SubnetIds"]) for one in interfaces) * 730
    lists = [r["Properties"]["Domains"] for r in made if r["Type"] == "AWS::Route53Resolver::FirewallDomainList"]
    assert billed["dns_firewall_domains"] == sum(map(len, lists))


def test_another_model_is_billed_by_its_own_count() -> None:
    """The model with the edge broker has one secret, one alarm fewer."""
    here, there = (stacks.counts(one) for one in (platform.platform(), platform.read(EDGE)))
    bill = {line.charge.price_id: line.charge.quantity.value
            for line in generated_templates.bill(platform.read(EDGE)).monthly}  # fmt: skip

    assert {name: there[name] - here[name] for name in here if here[name] != there[name]} == {
        "alarms": -1, "secrets": -1,
    }  # fmt: skip
    assert (bill["alarms"], bill["secrets"]) == (there["alarms"], there["secrets"])


@pytest.mark.parametrize(
    ("name", "usage_id"), [("Bridge", "bridge_nodes"), ("Broker", "brokers"), ("Spark", "spark_nodes")]
)
def test_as_many_machines_are_billed_as_built(name: str, usage_id: str) -> None:
    """Given by the architecture: one in each subnet of the model."""
    stream = generated_templates.made(platform.platform())["stream"]["Resources"]
    built = [one for one in stream if one.startswith(name) and stream[one]["Type"] == "AWS::EC2::Instance"]

    assert read_usage(USAGE_FILE)(usage_id).value == len(built)


def test_every_endpoint_serves_only_the_organisation() -> None:
    """Principals of the organisation always, its resources wherever the model says so, and AWS's buckets read only."""
    model = platform.platform()
    network = generated_templates.made(model)["network"]["Resources"]
    for endpoint in model.endpoint:
        own, *theirs = network[f"Endpoint{parts.pascal(endpoint.service)}"]["Properties"]["PolicyDocument"]["Statement"]
        condition = own["Condition"]["StringEquals"]
        assert condition["aws:PrincipalOrgID"] == {"Ref": "Organisation"}, endpoint.service
        assert ("aws:ResourceOrgID" in condition) == (endpoint.resources == "organisation"), endpoint.service
        assert all(one["Action"] == ["s3:GetObject"] and one["Resource"] for one in theirs)
        assert bool(theirs) == bool(endpoint.reads)


def test_only_names_of_the_model_are_answered_and_every_question_is_logged() -> None:
    """The last rule refuses what the first does not know."""
    model = platform.platform()
    made = generated_templates.made(model)
    network, watch = made["network"]["Resources"], made["watch"]["Resources"]
    first, last = network["NamesAllowed"]["Properties"]["FirewallRules"]

    assert network["KnownNames"]["Properties"]["Domains"] == [f"{name}." for name in model.names.answered]
    assert (first["Action"], last["Action"], network["EveryName"]["Properties"]["Domains"]) == (
        "ALLOW",
        "BLOCK",
        ["*."],
    )
    assert watch["NamesLog"]["Properties"]["DestinationArn"] == {"Fn::GetAtt": ["LogGroupNameResolver", "Arn"]}


def test_operators_come_in_by_a_logged_session_and_machines_are_patched_one_by_one() -> None:
    """No SSH port in any security group; the session document logs; a failed patch stops the round."""
    made = generated_templates.made(platform.platform())
    operate, network = made["operate"]["Resources"], made["network"]["Resources"]
    inputs = operate["SessionSettings"]["Properties"]["Content"]["inputs"]

    assert not [name for name, one in network.items() if one["Properties"].get("FromPort") == 22]
    assert inputs["cloudWatchLogGroupName"] == {"Ref": "SessionLog"}
    assert operate["Patches"]["Properties"]["MaxConcurrency"] == "1"
    assert operate["Patches"]["Properties"]["MaxErrors"] == "0"


def test_each_end_of_the_replication_has_a_secret_that_says_where_it_is() -> None:
    """DMS asks for no name of the plant: its secret has the listener's address; the other one has the cluster's."""
    made = generated_templates.made(platform.platform())
    warehouse, identity = made["warehouse"]["Resources"], made["identity"]["Resources"]
    ends = {
        "SecretDms": (identity, warehouse["Source"]["Properties"]["MicrosoftSqlServerSettings"], "${Listener}", 1433),
        "SecretWriter": (
            warehouse, warehouse["Target"]["Properties"]["RedshiftSettings"], "${Warehouse.Endpoint.Address}", 5439,
        ),
    }  # fmt: skip
    for name, (stack, settings, host, number) in ends.items():
        holds = json.loads(stack[name]["Properties"]["GenerateSecretString"]["SecretStringTemplate"]["Fn::Sub"])
        assert (holds["host"], holds["port"]) == (host, number)
        assert name in json.dumps(settings["SecretsManagerSecretId"])


def test_a_secret_that_no_template_makes_is_found() -> None:
    """A reference by a name would be resolved at deployment only, and fail there."""
    model = platform.platform()
    made = generated_templates.made(model)
    files = made["lake"]["Resources"]["PlantFiles"]["Properties"]
    files |= {"Password": "{{resolve:secretsmanager:indutech-san:SecretString:password}}"}

    found = lint.findings(model, made, generated_templates.charged(model))

    assert found == ["Stack 'lake' reads the secret 'indutech-san', which no template makes."]


def test_what_an_overlay_does_without_must_be_there(tmp_path: Path) -> None:
    """A slip in an overlay is named, instead of changing nothing."""
    (tmp_path / "base.toml").write_text((PROJECT / "assets" / "platform.toml").read_text())
    (tmp_path / "other.toml").write_text('base = "base.toml"\n[without]\ncomponent = ["nbl"]\n')

    with pytest.raises(platform.PlatformError, match="does without the component 'nbl', which its base does not have"):
        platform.read(tmp_path / "other.toml")


def test_the_written_files_are_the_committed_ones(tmp_path: Path) -> None:
    """`indutech template` writes what stands in assets/cloudformation."""
    assert CliRunner().invoke(app, ["template", "--output", str(tmp_path)]).exit_code == 0

    for file in stacks.FOLDER.glob("*.json"):
        assert (tmp_path / file.name).read_text() == file.read_text()
