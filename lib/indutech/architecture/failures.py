"""What stops when a component stops, computed from the model's flows and needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from indutech.architecture.model import Component, Flow, Platform


class Spare(StrEnum):
    """What carries on when one copy of a component fails."""

    NONE = "nothing"
    ONE_ZONE = "another copy, in the same zone"
    COPIES = "another copy"
    ZONES = "one in another zone"
    REGION = "AWS, several zones"


@dataclass(frozen=True)
class Outage:
    """What follows when every copy of a component stops."""

    component: Component
    stopped: tuple[str, ...]  # it, and what cannot work without it
    cut: tuple[Flow, ...]
    stale: tuple[str, ...]  # still works, on data that grows old
    waits_in: tuple[Component, ...]  # who keeps what cannot go on


def spare(platform: Platform, component: Component) -> Spare:
    """What carries on when one copy fails."""
    if component.regional:
        return Spare.REGION
    if component.copies == 1:
        return Spare.NONE
    zones = set(platform.zones_of(component))
    if not zones:
        return Spare.COPIES
    return Spare.ZONES if len(zones) > 1 else Spare.ONE_ZONE


def single_points(platform: Platform) -> list[Component]:
    """Components of which one fault is enough."""
    alone = (Spare.NONE, Spare.ONE_ZONE)
    return [component for component in platform.component if spare(platform, component) in alone]


def outage(platform: Platform, component_id: str) -> Outage:
    """What follows when every copy of that component stops."""
    component = platform[component_id]
    stopped = _with_dependants(platform, component_id)
    cut = tuple(flow for flow in platform.flow if not stopped.isdisjoint(flow.ends))
    stale = _downstream(platform, cut) - stopped
    holders = {name for flow in cut for name in _holders(platform, flow, stopped)}
    waits_in = tuple(platform[name] for name in _in_order(platform, holders))
    return Outage(component, _in_order(platform, stopped), cut, _in_order(platform, stale), waits_in)


def _with_dependants(platform: Platform, component_id: str) -> set[str]:
    """The component and everything that needs it, or that its keys encrypt."""
    stopped = {component_id}
    while True:
        more = {
            component.id
            for component in platform.component
            if component.id not in stopped and not stopped.isdisjoint((*component.needs, component.key))
        }
        if not more:
            return stopped
        stopped |= more


def _downstream(platform: Platform, cut: Iterable[Flow]) -> set[str]:
    """Everything that data flows to, directly or not, from the ends of the flows that were cut."""
    reached: set[str] = set()
    to_visit = [flow.target for flow in cut if flow.carries == "data"]
    while to_visit:
        here = to_visit.pop()
        if here not in reached:
            reached.add(here)
            to_visit += [flow.target for flow in platform.flow if flow.source == here and flow.carries == "data"]
    return reached


def _holders(platform: Platform, flow: Flow, stopped: set[str]) -> set[str]:
    """Who, going up the stream from a cut flow, is the first to keep what cannot go on."""
    if flow.carries != "data" or flow.kind == "request":
        return set()
    source = platform[flow.source]
    if source.holds and source.id not in stopped:
        return {source.id}
    before = [above for above in platform.flow if above.target == source.id and above is not flow]
    return set().union(*(_holders(platform, above, stopped) for above in before))


def _in_order(platform: Platform, ids: set[str]) -> tuple[str, ...]:
    return tuple(name for name in platform.ids if name in ids)
