"""Threats by flow, after STRIDE: each answer comes from the model, and a flow without one is open."""

import pandas as pd

from indutech.architecture import failures
from indutech.architecture.model import Flow, Platform
from indutech.architecture.platform import ENDPOINTS
from indutech.architecture.tables import names

OPEN = "**open**"
LETTERS = {  # of STRIDE, with the column that answers each
    "S": "spoofing", "T": "tampering, disclosure", "R": "repudiation", "I": "tampering, disclosure",
    "D": "denial of service", "E": "elevation",
}  # fmt: skip
HALF = ("None of its own", "is not encrypted")  # words of half an answer: about logs, about what is left open


def threats(platform: Platform) -> pd.DataFrame:
    """A row for each flow: what answers each of the six threats."""
    return pd.DataFrame(
        {"flow": f"{platform.number(flow)} {platform[flow.source].name} → {platform[flow.target].name}"}
        | answers(platform, flow)
        for flow in platform.flow
    )


def answers(platform: Platform, flow: Flow) -> dict[str, str]:
    """What answers each threat to one flow."""
    return {
        "spoofing": flow.proves or OPEN,
        "tampering, disclosure": _channel(flow),
        "repudiation": platform.reached(flow).audit or _service_log(platform, flow),
        "denial of service": _waits(platform, flow),
        "elevation": _reach(platform, flow),
    }


def letters(platform: Platform, flow: Flow) -> dict[str, str]:
    """For each letter of STRIDE `answered`, `partly` or `open`."""
    said = {letter: answers(platform, flow)[column] for letter, column in LETTERS.items()}
    return {
        letter: "open" if OPEN in answer else "partly" if any(word in answer for word in HALF) else "answered"
        for letter, answer in said.items()
    }


def open_threats(platform: Platform) -> list[tuple[str, str]]:
    """Flow and threat of each answer that is missing."""
    found = threats(platform)
    return [(row["flow"], column) for _, row in found.iterrows() for column in found.columns if OPEN in row[column]]


def _channel(flow: Flow) -> str:
    return f"{OPEN}: IPsec alone" if flow.plaintext_reason else flow.encryption


def _service_log(platform: Platform, flow: Flow) -> str:
    reached = platform.reached(flow)
    return "CloudTrail" if reached.regional else "flow logs of the VPC" if reached.subnets else OPEN


def _waits(platform: Platform, flow: Flow) -> str:
    """Where data waits when the target does not answer."""
    if flow.carries != "data" or flow.kind == "request":
        return "asked again"
    waits = failures.waits_in(platform, flow)
    return f"waits in {names(platform, (keeper.id for keeper in waits))}" if waits else OPEN


def _reach(platform: Platform, flow: Flow) -> str:
    """What the opener reaches besides: a security group and ports, or the policy of an endpoint."""
    reached = platform[ENDPOINTS] if ENDPOINTS in flow.via else platform.reached(flow)
    ports = ", ".join(flow.ports) if len(flow.ports) < 4 else f"{len(flow.ports)} port ranges"
    if ENDPOINTS in flow.via:
        return f"{reached.security_group}: {ports}; the endpoint's policy"
    if reached.security_group and not platform.opener(flow).regional:
        return f"{reached.security_group}: {ports} only"
    return "the service's role or policy" if reached.site == "aws" else f"the plant's firewall: {ports}"
