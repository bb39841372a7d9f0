"""The model of the platform holds together, and refuses with a sentence that names what does not."""

import copy
from typing import Any

import pytest

from indutech.architecture import platform, threats


@pytest.fixture
def facts() -> dict[str, Any]:
    """The content of the model's file, to be spoiled."""
    return copy.deepcopy(platform.facts())


def part(facts: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """The entry of that id."""
    return next(entry for entry in facts[kind] if entry["id"] == name)


def refusal(facts: dict[str, Any]) -> str:
    """The sentence with which the model is refused."""
    with pytest.raises(platform.PlatformError) as refused:
        platform.checked(facts)
    return str(refused.value)


def test_the_committed_model_is_accepted() -> None:
    """Both sides, the boundary and what honesty adds are there."""
    model = platform.platform()
    assert {"redpanda", "mqtt_bridge", "spark_compute", "kms", "cloudwatch", "backup", "endpoints", "dms"} <= set(
        model.ids
    )
    assert len(set(model.zones_of(model["dms"]))) == 2


def test_a_flow_to_nowhere_is_refused(facts: dict[str, Any]) -> None:
    """A flow to a component that does not exist is named, with the component."""
    part(facts, "flow", "events_in")["target"] = "pulsar"
    assert refusal(facts) == "Flow 'events_in' speaks to 'pulsar', which is no component of the platform."


def test_crossing_outside_the_vpn_needs_a_stated_exception(facts: dict[str, Any]) -> None:
    """A flow between plant and AWS that leaves the VPN out is refused; the sign-in portal says why it may."""
    part(facts, "flow", "sensor_events")["via"] = ["customer_gateway"]
    assert "'sensor_events'" in refusal(facts)
    assert "outside the VPN" in refusal(facts)


def test_taking_the_reason_away_refuses_the_exception(facts: dict[str, Any]) -> None:
    """The one crossing over the internet is accepted for its reason only."""
    del part(facts, "flow", "sign_in")["boundary_exception"]
    assert "'sign_in'" in refusal(facts)


@pytest.mark.parametrize("word", ["none", "None", "", "plain text", "not yet"])
def test_plain_text_needs_a_stated_reason(facts: dict[str, Any], word: str) -> None:
    """A flow that loses its encryption is refused, however that is worded."""
    part(facts, "flow", "answers")["encryption"] = word
    assert "'answers'" in refusal(facts)
    assert "not encrypted" in refusal(facts)


@pytest.mark.parametrize("group", [group["id"] for group in platform.facts()["security_group"]])
def test_a_removed_security_group_is_missed(facts: dict[str, Any], group: str) -> None:
    """Each security group that disappears is named."""
    facts["security_group"].remove(part(facts, "security_group", group))
    assert repr(group) in refusal(facts)


@pytest.mark.parametrize("name", [c["id"] for c in platform.facts()["component"] if c.get("security_group")])
def test_a_component_of_the_vpc_has_a_guard(facts: dict[str, Any], name: str) -> None:
    """A component that loses its security group is named."""
    del part(facts, "component", name)["security_group"]
    assert refusal(facts) == f"Component {name!r} stands in the VPC without a security group."


def test_a_flow_without_an_opening_is_refused(facts: dict[str, Any]) -> None:
    """Spark reads Redpanda; if the security group does not let it in, the flow is named."""
    part(facts, "security_group", "sg_redpanda")["inbound"].pop(1)
    assert (
        refusal(facts)
        == "Security group 'sg_redpanda' does not let 'sg_spark' in on port 9093, which events_out needs."
    )


def test_an_opening_without_a_flow_is_refused(facts: dict[str, Any]) -> None:
    """SSH from the plant to the brokers, which no flow needs, is refused."""
    part(facts, "security_group", "sg_redpanda")["inbound"].append({"origin": "plant", "ports": ["22"]})
    assert refusal(facts) == "Security group 'sg_redpanda' opens port 22 to 'plant', which no flow uses."


def test_private_subnets_have_no_other_way_out(facts: dict[str, Any]) -> None:
    """A machine of the VPC reaches AWS services through an endpoint, or not at all."""
    del part(facts, "flow", "events_to_lake")["via"]
    assert refusal(facts) == "Flow 'events_to_lake' leaves the VPC for 's3_lake' without an endpoint."


def test_a_component_that_nobody_speaks_to_is_refused(facts: dict[str, Any]) -> None:
    """A box without an arrow is a mistake, unless it says why it stands alone."""
    facts["component"].append(part(facts, "component", "budgets") | {"id": "lonely", "stands_alone": ""})
    assert "'lonely'" in refusal(facts)


def test_what_is_bought_names_its_limits(facts: dict[str, Any]) -> None:
    """A service without limits has not been looked at."""
    del part(facts, "component", "redshift")["limits"]
    assert refusal(facts) == "Component 'redshift' does not name its limits."


def test_a_misspelt_field_is_named_with_its_entry(facts: dict[str, Any]) -> None:
    """The error says in which entry of the file to look."""
    part(facts, "component", "nlb")["copys"] = 2
    assert refusal(facts) == "assets/platform.toml, component 'nlb', copys: Extra inputs are not permitted."


def test_an_id_names_one_thing(facts: dict[str, Any]) -> None:
    """A component and a security group of one name would be confused."""
    facts["component"].append(copy.deepcopy(part(facts, "component", "nlb")))
    assert refusal(facts) == "The id 'nlb' is used 2 times; an id names one thing."


def test_udp_and_time_of_the_trust_are_open() -> None:
    """Kerberos, DNS and LDAP are UDP too, and without time there is no Kerberos."""
    rules = {port for group, _, port in platform.needed_rules(platform.platform()) if group == "sg_directory"}

    assert {"53/udp", "88/udp", "123/udp", "389/udp", "464/udp", "53", "88", "389", "464"} <= rules


@pytest.mark.parametrize("kind", ["alarm", "service_level"])
def test_a_plan_for_nothing_is_refused(facts: dict[str, Any], kind: str) -> None:
    """An alarm or a service level is for a component that exists."""
    facts[kind][0]["component"] = "pulsar"
    assert "is for 'pulsar', which is no component" in refusal(facts)


def test_each_service_has_one_chosen_level() -> None:
    """Two levels of one service cannot both be built."""
    levels = platform.platform().service_level
    for component in {level.component for level in levels}:
        assert sum(level.chosen for level in levels if level.component == component) == 1


def test_each_step_of_the_migration_starts_what_there_is() -> None:
    """In order, and a component starts once."""
    model = platform.platform()
    started = [name for wave in model.wave for name in wave.starts]

    assert [wave.order for wave in model.wave] == list(range(1, len(model.wave) + 1))
    assert len(started) == len(set(started))
    assert set(started) <= set(model.billed)


def test_threats_without_an_answer_are_said() -> None:
    """DNS between the directories is the one flow whose ends prove nothing."""
    assert threats.open_threats(platform.platform()) == [
        ("20 Active Directory → Managed AD", "spoofing"),
        ("20 Active Directory → Managed AD", "tampering, disclosure"),
    ]
