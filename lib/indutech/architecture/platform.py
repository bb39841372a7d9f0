"""Reads `assets/platform.toml` and validates it; each rule names what is wrong in one sentence."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from indutech.architecture.model import Platform, PlatformError
from indutech.system.settings import PROJECT

PLATFORM_FILE = PROJECT / "assets" / "platform.toml"
VPN = "vpn"
ENDPOINTS = "endpoints"
PLANT = "plant"  # in a security group: the address range of the plant
UNENCRYPTED = re.compile(r"\s*$|(none|no|not|plain|clear)\b", re.IGNORECASE)


@lru_cache(maxsize=1)
def platform() -> Platform:
    """The model of `assets/platform.toml`."""
    return checked(facts())


def read(file: Path) -> Platform:
    """The model of another file."""
    return checked(facts(file))


def facts(file: Path = PLATFORM_FILE) -> dict[str, Any]:
    """The content of a model's file, not yet checked.

    A file with `base` holds what differs from the model beside it: entries by id, and ids that it does without.

    Raises:
        PlatformError: naming the file that cannot be read, or an id that the base does not have.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PlatformError(f"{file.name} is no model that can be read: {error}. Name a TOML file.") from None
    if "base" not in content:
        return content
    base = facts(file.with_name(content.pop("base")))
    for kind, gone in content.pop("without", {}).items():
        for name in gone:
            if name not in [entry["id"] for entry in base[kind]]:
                raise PlatformError(f"{file.name} does without the {kind} {name!r}, which its base does not have.")
        base[kind] = [entry for entry in base[kind] if entry["id"] not in gone]
    for kind, changed in content.items():
        base[kind] = _merged(base[kind], changed) if isinstance(changed, list) else changed
    return base


def _merged(entries: list[dict[str, Any]], changed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with those fields replaced that another entry of the same id has; new ones at the end."""
    new = {entry["id"]: entry for entry in changed}
    return [entry | new.pop(entry["id"], {}) for entry in entries] + list(new.values())


def checked(facts: dict[str, Any]) -> Platform:
    """The model made of `facts`.

    Raises:
        PlatformError: one sentence that names what contradicts what.
    """
    try:
        platform = Platform.model_validate(facts)
    except ValidationError as error:
        first = error.errors()[0]
        raise PlatformError(f"assets/platform.toml, {_where(facts, first['loc'])}: {first['msg']}.") from None
    for rule in (
        _ids,
        _references,
        _used,
        _documented,
        _crossings,
        _encryption,
        _endpoints,
        _security_groups,
        _inbound_rules,
    ):
        for sentence in rule(platform):
            raise PlatformError(sentence)
    return platform


def _where(facts: dict[str, Any], path: tuple[int | str, ...]) -> str:
    """`component 'nlb', copies` for a path into the file."""
    if len(path) > 1 and isinstance(path[1], int):
        entry = facts[str(path[0])][path[1]]
        return ", ".join([f"{path[0]} {entry.get('id', path[1])!r}", *map(str, path[2:])])
    return ".".join(map(str, path))


def _ids(platform: Platform) -> Iterator[str]:
    """No id is used twice."""
    groups = (
        platform.component, platform.flow, platform.subnet, platform.security_group, platform.poc, platform.alarm,
        platform.service_level, platform.retention, platform.account,
    )  # fmt: skip
    counted = Counter(part.id for group in groups for part in group)
    for name, times in counted.items():
        if times > 1:
            yield f"The id {name!r} is used {times} times; an id names one thing."


def _references(platform: Platform) -> Iterator[str]:
    """Every id that is referred to exists."""
    subnets = {subnet.id for subnet in platform.subnet}
    groups = {group.id for group in platform.security_group}
    for flow in platform.flow:
        for end in flow.ends:
            if end not in platform:
                yield f"Flow {flow.id!r} speaks to {end!r}, which is no component of the platform."
    for component in platform.component:
        for needed in (*component.needs, *filter(None, [component.key])):
            if needed not in platform:
                yield f"Component {component.id!r} needs {needed!r}, which is no component of the platform."
        for subnet in component.subnets:
            if subnet not in subnets:
                yield f"Component {component.id!r} stands in subnet {subnet!r}, which does not exist."
        if component.security_group and component.security_group not in groups:
            yield f"Component {component.id!r} is guarded by {component.security_group!r}, which does not exist."
    for kind, planned in (("Alarm", platform.alarm), ("Service level", platform.service_level)):
        for entry in planned:
            if entry.component not in platform:
                yield f"{kind} {entry.id!r} is for {entry.component!r}, which is no component of the platform."
    for data in platform.data_class:
        for place in data.where:
            if place not in platform:
                yield f"Data class {data.name!r} is in {place!r}, which is no component of the platform."
    accounts = {account.id for account in platform.account}
    for component in platform.component:
        if component.account and component.account not in accounts:
            yield f"Component {component.id!r} stands in account {component.account!r}, which does not exist."
    parts = {part.id for part in platform.poc}
    for part in platform.poc:
        for stood_for in part.stands_for:
            if stood_for not in platform:
                yield f"Part {part.id!r} stands for {stood_for!r}, which is no component of the platform."
    for arrow in platform.poc_flow:
        for end in (arrow.source, arrow.target):
            if end not in parts:
                yield f"A flow of the proof of concept speaks to {end!r}, which is none of its parts."


def _used(platform: Platform) -> Iterator[str]:
    """Each component is part of a flow, or says why not."""
    touched = {end for flow in platform.flow for end in flow.ends}
    for component in platform.component:
        if component.id not in touched and not component.stands_alone:
            yield f"Component {component.id!r} takes part in no flow and does not say why (stands_alone)."


def _documented(platform: Platform) -> Iterator[str]:
    """Each billed component names its limits; each other one says what changes for its operators."""
    for component in platform.component:
        if component.billed and not component.limits:
            yield f"Component {component.id!r} does not name its limits."
        if not component.billed and not component.change:
            yield f"Component {component.id!r} does not say what changes for those who run it (change)."


def _crossings(platform: Platform) -> Iterator[str]:
    """Flows between plant and AWS use the VPN, or say why not."""
    for flow in platform.flow:
        if platform.crosses(flow) and VPN not in flow.via and not flow.boundary_exception:
            yield (
                f"Flow {flow.id!r} ({flow.source} → {flow.target}) crosses the boundary outside the VPN "
                "without a stated exception (boundary_exception)."
            )


def _encryption(platform: Platform) -> Iterator[str]:
    """Flows are encrypted, or say why not."""
    for flow in platform.flow:
        if UNENCRYPTED.match(flow.encryption) and not flow.plaintext_reason:
            yield (
                f"Flow {flow.id!r} ({flow.source} → {flow.target}, {flow.protocol}) is not encrypted "
                "and gives no reason (plaintext_reason)."
            )


def _endpoints(platform: Platform) -> Iterator[str]:
    """Components in the VPC use endpoints to connect to regional services: the VPC has no internet access."""
    for flow in platform.flow:
        opener, reached = platform.opener(flow), platform.reached(flow)
        leaves = opener.site == "aws" and bool(opener.subnets) and reached.regional
        if leaves and ENDPOINTS not in flow.via and not flow.carried_by_aws:
            yield f"Flow {flow.id!r} leaves the VPC for {reached.id!r} without an endpoint."


def _security_groups(platform: Platform) -> Iterator[str]:
    """Each component in the VPC has a security group."""
    for component in platform.at("aws"):
        if component.subnets and not component.security_group:
            yield f"Component {component.id!r} stands in the VPC without a security group."


def _inbound_rules(platform: Platform) -> Iterator[str]:
    """The inbound rules are exactly those that the flows need."""
    needed = set(needed_rules(platform))
    allowed = {
        (group.id, opening.origin, port)
        for group in platform.security_group
        for opening in group.inbound
        for port in opening.ports
    }
    for group, origin, port in sorted(needed - allowed):
        flows = _who(platform, group, origin, port)
        yield f"Security group {group!r} does not let {origin!r} in on port {port}, which {flows} needs."
    for group, origin, port in sorted(allowed - needed):
        yield f"Security group {group!r} opens port {port} to {origin!r}, which no flow uses."


def needed_rules(platform: Platform) -> Iterator[tuple[str, str, str]]:
    """The (security group, origin, port) that each flow needs."""
    for _, group, origin, port in _asked(platform):
        yield group, origin, port


def _asked(platform: Platform) -> Iterator[tuple[str, str, str, str]]:
    for flow in platform.flow:
        opener, reached = platform.opener(flow), platform.reached(flow)
        guarded = platform[ENDPOINTS] if ENDPOINTS in flow.via else reached
        origin = opener.security_group or (PLANT if opener.site == "on_premise" else None)
        if guarded.security_group and origin:
            for port in flow.ports:
                yield flow.id, guarded.security_group, origin, port


def _who(platform: Platform, *opening: str) -> str:
    return ", ".join(flow for flow, *asked in _asked(platform) if tuple(asked) == opening)
