"""What each drawing shows, in a sentence for readers who do not see it; every figure is counted in the model."""

from indutech.architecture import failures, threats
from indutech.architecture.diagrams.overview import drawn_flows
from indutech.architecture.model import Component, Platform, View


def sentence(view: View, platform: Platform) -> str:
    """What a view shows, and the most important that is read from it."""
    say = {
        View.OVERVIEW: _overview, View.NETWORK: _network, View.POC: _poc, View.FAILURE: _failure,
        View.WAYS: _ways, View.THREATS: _threats, View.DATA: _data, View.WAVES: _waves,
    }  # fmt: skip
    return say[view](platform)


def _overview(platform: Platform) -> str:
    plant, boundary, aws = (len(platform.at(site)) for site in ("on_premise", "boundary", "aws"))
    drawn = drawn_flows(platform)
    crossing = [flow for flow in drawn if platform.crosses(flow)]
    through = [flow for flow in crossing if "vpn" in flow.via]
    return (
        f"The platform as a drawing: {plant} components on-premise on the left, {boundary} at the boundary, {aws} in "
        f"AWS on the right, and {len(drawn)} of {len(platform.flow)} flows between them; {len(crossing)} of these "
        f"cross the boundary, {len(through)} through the VPN."
    )


def _network(platform: Platform) -> str:
    zones = {subnet.zone for subnet in platform.subnet}
    return (
        f"The network as a drawing: {len(platform.subnet)} subnets in {len(zones)} zones of {platform.region}, what "
        f"stands in each, {len(platform.security_group)} security groups with what they let in, and "
        f"{len(platform.endpoint)} endpoints."
    )


def _poc(platform: Platform) -> str:
    parts = ", ".join(part.name for part in platform.poc)
    return f"The proof of concept as a drawing: {len(platform.poc)} parts and what flows between them: {parts}."


def _failure(platform: Platform) -> str:
    hits = {component.id: _hit(platform, component) for component in platform.component}
    worst = max(platform.component, key=lambda component: hits[component.id])
    alone = failures.single_points(platform)
    return (
        f"A grid of {len(platform.component)} components, each against all: what stops, shows old data or keeps data "
        f"when it stops. {worst.name} stops or ages the most, {hits[worst.id]}; "
        f"{len(alone)} are single points of failure."
    )


def _ways(platform: Platform) -> str:
    ways = ", ".join(way.way for way in platform.way_out)
    return (
        f"{len(platform.way_out)} ways into and out of the VPC, which has no route to the internet; for each what "
        f"limits it and what remains possible: {ways}."
    )


def _threats(platform: Platform) -> str:
    unanswered = threats.open_threats(platform)
    named = "; ".join(f"{flow} ({threat})" for flow, threat in unanswered)
    return (
        f"The platform with {len(platform.flow)} flows against six kinds of threat (STRIDE): answered, partly or open. "
        + (f"Open: {named}." if unanswered else "None is open.")
    )


def _data(platform: Platform) -> str:
    classes = ", ".join(f"{one.name} ({one.level})".replace("`", "") for one in platform.data_class)
    return (
        f"{len(platform.data_class)} classes of data in the colour of their level, in the components that hold them, "
        f"with who reads each in clear: {classes}."
    )


def _waves(platform: Platform) -> str:
    steps = "; ".join(f"{wave.order}: {wave.what}" for wave in sorted(platform.wave, key=lambda wave: wave.order))
    weeks = sum(wave.weeks for wave in platform.wave)
    return f"{len(platform.wave)} steps of the migration in {weeks:g} weeks, with sizes and the way back. {steps}."


def _hit(platform: Platform, component: Component) -> int:
    end = failures.outage(platform, component.id)
    return len({*end.stopped, *end.stale} - {component.id})
