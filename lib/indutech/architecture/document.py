"""The generated parts of docs/01 and docs/02: what their cog blocks show comes from the model."""

from collections.abc import Callable

import pandas as pd

from indutech.architecture import plan_tables as plan
from indutech.architecture import sources as bibliography
from indutech.architecture import tables as architecture
from indutech.architecture.model import Component, Platform
from indutech.architecture.threats import threats
from indutech.show.tables import as_markdown


def service_cards(platform: Platform) -> str:
    """Each service that is bought: need, choice, alternatives, reasons, limits, sources."""
    return "\n\n".join(_card(component) for component in platform.component if component.billed)


def _card(component: Component) -> str:
    sources = " ".join(f"[^{claim}]" for claim in component.claims)
    rows = {
        "Need": f"{component.role}.",
        "Choice": f"{component.service}.",
        "Alternatives": "; ".join(component.alternatives) or "none that was worth a comparison",
        "Reasons": component.reason,
        "Limits": component.limits,
        "If it stops": component.when_down,
        "Sources": sources or "none needed: no claim about the product is made here",
    }
    lines = [f"| {name} | {text} |" for name, text in rows.items()]
    return "\n".join([f"### {component.name}", "", f"| | `{component.id}` |", "| --- | --- |", *lines])


def corrections(_: Platform) -> str:
    """What is commonly said of this architecture, and what the sources say."""
    wrong = [claim for claim in bibliography.bibliography().values() if claim.commonly_said]
    return _plain(pd.DataFrame({"commonly said": c.commonly_said, "what holds": f"{c.says}[^{c.id}]"} for c in wrong))


def doubts(_: Platform) -> str:
    """What could not be verified."""
    open_claims = [claim for claim in bibliography.bibliography().values() if claim.status == "unverified"]
    return "\n".join(f"- {claim.says}[^{claim.id}]" for claim in open_claims)


def _plain(table: pd.DataFrame) -> str:
    """Markdown without the row numbers."""
    return as_markdown(table.set_index(table.columns[0]))


PARTS: dict[str, Callable[[Platform], str]] = {
    "service-cards": service_cards,
    "components": lambda platform: _plain(architecture.components(platform)),
    "flows": lambda platform: _plain(architecture.flows(platform)),
    "care-flows": lambda platform: _plain(architecture.flows(platform, ("operations",))),
    "crossings": lambda platform: _plain(architecture.crossings(platform)),
    "changes": lambda platform: _plain(architecture.changes(platform)),
    "failures": lambda platform: _plain(architecture.failures(platform)),
    "guards": lambda platform: _plain(architecture.security_groups(platform)),
    "at-rest": lambda platform: _plain(architecture.at_rest(platform)),
    "accounts": lambda platform: _plain(plan.accounts(platform)),
    "addresses": lambda platform: _plain(plan.addresses(platform)),
    "endpoints": lambda platform: _plain(plan.endpoints(platform)),
    "ways-out": lambda platform: _plain(plan.ways_out(platform)),
    "threats": lambda platform: _plain(threats(platform)),
    "data-classes": lambda platform: _plain(plan.data_classes(platform)),
    "retention": lambda platform: _plain(plan.retention(platform)),
    "alarms": lambda platform: _plain(plan.alarms(platform)),
    "licences": lambda platform: _plain(plan.licences(platform)),
    "pillars": lambda platform: _plain(plan.pillars(platform)),
    "restore": lambda platform: _plain(plan.restore(platform)),
    "poc": lambda platform: _plain(architecture.poc(platform)),
    "boxes": lambda platform: _plain(architecture.boxes(platform)),
    "transfer": lambda platform: _plain(architecture.transfer(platform, (100, 500, 1000, 1250, 10_000), 0.7)),
    "corrections": corrections,
    "doubts": doubts,
}
