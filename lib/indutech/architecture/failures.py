"""The effects of a failure: single points of failure, and what stops, gets stale or is buffered during an outage."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from indutech.architecture.model import Component, Flow, Platform


class Redundancy(StrEnum):
    """What still runs after one copy of a component has failed."""

    NONE = "nothing"
    ONE_ZONE = "another copy, in the same zone"
    COPIES = "another copy"
    ZONES = "one in another zone"
    REGION = "AWS, several zones"


@dataclass(frozen=True)
class Outage:
    """The effects of an outage of all copies of a component."""

    component: Component
    stopped: tuple[str, ...]  # it, and all that depend on it
    cut: tuple[Flow, ...]
    stale: tuple[str, ...]  # still runs, without new data
    buffered_in: tuple[Component, ...]  # where data waits until the outage ends


def redundancy(platform: Platform, component: Component) -> Redundancy:
    """What still runs after one copy has failed."""
    if component.regional:
        return Redundancy.REGION
    if component.copies == 1:
        return Redundancy.NONE
    zones = set(platform.zones_of(component))
    if not zones:
        return Redundancy.COPIES
    return Redundancy.ZONES if len(zones) > 1 else Redundancy.ONE_ZONE


def single_points(platform: Platform) -> list[Component]:
    """The single points of failure: one copy, or all copies in one zone."""
    alone = (Redundancy.NONE, Redundancy.ONE_ZONE)
    return [component for component in platform.component if redundancy(platform, component) in alone]


def outage(platform: Platform, component_id: str) -> Outage:
    """The effects of an outage of all copies of that component."""
    component = platform[component_id]
    stopped = _with_dependants(platform, component_id)
    cut = tuple(flow for flow in platform.flow if not stopped.isdisjoint(flow.ends))
    stale = _downstream(platform, cut) - stopped
    buffers = {name for flow in cut for name in _buffers(platform, flow, stopped)}
    buffered_in = tuple(platform[name] for name in _in_order(platform, buffers))
    return Outage(component, _in_order(platform, stopped), cut, _in_order(platform, stale), buffered_in)


def waits_in(platform: Platform, flow: Flow) -> tuple[Component, ...]:
    """Where the data of one flow waits while its target does not answer."""
    found = _buffers(platform, flow, _with_dependants(platform, flow.target))
    return tuple(platform[name] for name in _in_order(platform, found))


def _with_dependants(platform: Platform, component_id: str) -> set[str]:
    """The component and all that depend on it, by `needs` or by its encryption keys."""
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
    """All components that receive data, directly or not, through the flows that were cut."""
    reached: set[str] = set()
    to_visit = [flow.target for flow in cut if flow.carries == "data"]
    while to_visit:
        here = to_visit.pop()
        if here not in reached:
            reached.add(here)
            to_visit += [flow.target for flow in platform.flow if flow.source == here and flow.carries == "data"]
    return reached


def _buffers(platform: Platform, flow: Flow, stopped: set[str]) -> set[str]:
    """The nearest upstream components of a cut flow that buffer its data."""
    if flow.carries != "data" or flow.kind == "request":
        return set()
    source = platform[flow.source]
    if source.holds and source.id not in stopped:
        return {source.id}
    before = [above for above in platform.flow if above.target == source.id and above is not flow]
    return set().union(*(_buffers(platform, above, stopped) for above in before))


def _in_order(platform: Platform, ids: set[str]) -> tuple[str, ...]:
    return tuple(name for name in platform.ids if name in ids)
