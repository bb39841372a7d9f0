"""Tables made from the platform's model, for the documents and notebook 01."""

from collections.abc import Iterable
from decimal import Decimal

import pandas as pd

from indutech.architecture import failures as resilience
from indutech.architecture.model import Component, Flow, Platform, Site
from indutech.architecture.quantities import TIB_IN_GIB, days_to_move

SITES: dict[Site, str] = {"on_premise": "On-premise", "boundary": "Boundary", "aws": "AWS"}


def components(platform: Platform, site: Site | None = None) -> pd.DataFrame:
    """The components: where each one runs and what it does."""
    return pd.DataFrame(
        {
            "component": component.name,
            "where": _where(platform, component),
            "what it is": component.service,
            "what it does": component.role,
        }
        for component in platform.component
        if site in (None, component.site)
    )


def flows(platform: Platform, carries: Iterable[str] = ("data", "identity")) -> pd.DataFrame:
    """The flows, numbered as in the drawings; `operations` are secrets, logs, catalogue entries and backups."""
    return pd.DataFrame(
        {
            "no.": str(platform.number(flow)),
            "from": platform[flow.source].name,
            "to": platform[flow.target].name + (", and back" if flow.direction == "two-way" else ""),
            "protocol": flow.protocol,
            "port": ", ".join(flow.ports),
            "encryption": flow.encryption,
            "kind": flow.kind,
            "volume": flow.volume,
        }
        for flow in platform.flow
        if flow.carries in carries
    )


def crossings(platform: Platform) -> pd.DataFrame:
    """The flows between plant and AWS, who opens the connection, and how it is protected."""
    return pd.DataFrame(
        {
            "flow": f"{platform[flow.source].name} → {platform[flow.target].name}",
            "protocol": flow.protocol,
            "opened by": platform.opener(flow).name,
            "protected by": flow.encryption if not flow.plaintext_reason else "IPsec alone",
            "way": "VPN" if "vpn" in flow.via else "internet",
            "stated exception": flow.boundary_exception or flow.plaintext_reason or "–",
        }
        for flow in platform.flow
        if platform.crosses(flow)
    )


def changes(platform: Platform) -> pd.DataFrame:
    """What changes for the operators of each on-premise component."""
    return pd.DataFrame({"who runs": c.name, "what changes": c.change} for c in platform.component if c.change)


def failures(platform: Platform, sites: Iterable[Site] = ("on_premise", "boundary", "aws")) -> pd.DataFrame:
    """For each component: what still runs after one failure, and the effects of an outage of all copies."""
    return pd.DataFrame(
        {
            "component": component.name,
            "spare": _with_note(resilience.redundancy(platform, component).value, component.copies_note),
            "if all stop, old data in": names(platform, end.stale) or "–",
            "data waits in": names(platform, (keeper.id for keeper in end.buffered_in)) or "–",
            "what people notice": component.when_down,
        }
        for component in platform.component
        if component.site in sites
        for end in [resilience.outage(platform, component.id)]
    )


def _with_note(words: str, note: str) -> str:
    """What the model says of a count that nobody gave stands beside what follows from it."""
    return f"{words} ({note})" if note else words


def single_points(platform: Platform) -> pd.DataFrame:
    """The single points of failure, with the number of flows that each one stops."""
    return pd.DataFrame(
        {
            "component": component.name,
            "copies": 1 if component.copies == 1 else f"{component.copies} in one zone",
            "data flows it stops": sum(flow.carries != "operations" for flow in end.cut),
            "data waits in": names(platform, (keeper.id for keeper in end.buffered_in)) or "–",
            "what people notice": component.when_down,
        }
        for component in resilience.single_points(platform)
        for end in [resilience.outage(platform, component.id)]
    )


def security_groups(platform: Platform) -> pd.DataFrame:
    """Security groups: the components that each one protects, and its inbound rules."""
    guarded = {
        group.id: ", ".join(c.name for c in platform.component if c.security_group == group.id)
        for group in platform.security_group
    }
    return pd.DataFrame(
        {
            "security group": group.id,
            "guards": guarded[group.id],
            "lets in": "; ".join(f"{o.origin}: {', '.join(o.ports)}" for o in group.inbound) or "nothing",
        }
        for group in platform.security_group
    )


def at_rest(platform: Platform) -> pd.DataFrame:
    """Encryption at rest of each component that stores data."""
    keeping = [c for c in platform.component if c.at_rest or c.key]
    return pd.DataFrame(
        {"component": c.name, "at rest": c.at_rest or f"key of the company in {platform[str(c.key)].name}"}
        for c in keeping
    )


def data_path(platform: Platform, start: str, end: str, kinds: Iterable[str]) -> list[Flow]:
    """The shortest path of data flows of those kinds between two components; empty if there is none."""
    open_flows = [flow for flow in platform.flow if flow.carries == "data" and flow.kind in kinds]
    ways = [[flow] for flow in open_flows if flow.source == start]
    while ways:
        way = ways.pop(0)
        if way[-1].target == end:
            return way
        passed = {flow.source for flow in way}
        onward = [flow for flow in open_flows if flow.source == way[-1].target]
        ways += [[*way, flow] for flow in onward if flow.target not in passed | {way[-1].target}]
    return []


def data_path_table(platform: Platform, start: str, end: str, kinds: Iterable[str]) -> pd.DataFrame:
    """A path of data through the platform, one step a row."""
    return pd.DataFrame(
        {
            "step": step,
            "from": platform[flow.source].name,
            "to": platform[flow.target].name,
            "as": flow.protocol,
            "kind": flow.kind,
            "kept there": platform[flow.target].holds or "–",
        }
        for step, flow in enumerate(data_path(platform, start, end, tuple(kinds)), start=1)
    )


def days_for_history(platform: Platform, mbps: float, share: float) -> float:
    """Days to bring the history in over a link of which a share may be used; its TB are TiB, as in the cost model."""
    gib = Decimal(str(platform.volumes["history_tb"])) * TIB_IN_GIB
    return float(days_to_move(gib, Decimal(str(mbps)), Decimal(str(share))))


def transfer(platform: Platform, speeds: Iterable[float], share: float) -> pd.DataFrame:
    """How long the history takes on each link, with the whole of it and with a share."""
    return pd.DataFrame(
        {
            "link (Mbit/s)": mbps,
            "days, whole link": round(days_for_history(platform, mbps, 1), 1),
            f"days at {share:.0%}": round(days_for_history(platform, mbps, share), 1),
        }
        for mbps in speeds
    )


def poc(platform: Platform) -> pd.DataFrame:
    """The parts of the proof of concept and the components that they represent."""
    return pd.DataFrame(
        {
            "part": part.name,
            "what it is": part.what,
            "stands for": names(platform, part.stands_for),
            "how": part.how,
            "what differs": part.difference,
        }
        for part in platform.poc
    )


def boxes(platform: Platform) -> pd.DataFrame:
    """The components of the platform, and what runs here in the place of each; the last row has those without."""
    # Where several parts stand for a component, it is the first one of the file.
    stood_for = {component: part for part in reversed(platform.poc) for component in part.stands_for}
    found = [
        {
            "box of the platform": component.name,
            "here": stood_for[component.id].name,
            "how": stood_for[component.id].how,
            "what differs": stood_for[component.id].difference,
        }
        for component in platform.component
        if component.id in stood_for
    ]
    rest = [component.name for component in platform.component if component.id not in stood_for]
    none = {"box of the platform": ", ".join(rest), "here": "", "how": "not run", "what differs": ""}
    return pd.DataFrame([*found, none])


def names(platform: Platform, ids: Iterable[str]) -> str:
    """Names of components, separated by commas."""
    return ", ".join(platform[name].name for name in ids)


def _where(platform: Platform, component: Component) -> str:
    zones = [zone.removeprefix(platform.region) for zone in platform.zones_of(component)]
    if component.regional:
        return f"{SITES[component.site]}, regional"
    if not zones:
        return SITES[component.site]
    return f"{SITES[component.site]}, zone{'s' if len(zones) > 1 else ''} {', '.join(zones)}"
