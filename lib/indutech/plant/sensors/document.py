"""The generated parts of docs/readings.md: what its cog blocks show comes from the contract and the fleet."""

from collections.abc import Callable, Mapping

from indutech.lake import ddl
from indutech.plant.sensors import fleet
from indutech.plant.sensors.contract import PRODUCT, Metric, Quality, Site
from indutech.plant.sensors.generator import DECIMALS, UNITS
from indutech.plant.sensors.measured import Sizes
from indutech.tickets.schema import contract_table


def _metrics() -> str:
    rows = [f"| {metric} | {UNITS[metric]} | {DECIMALS[metric]} |" for metric in Metric]
    said = ", ".join(f"`{quality}`" for quality in Quality)
    sites = ", ".join(f"`{site}`" for site in Site)
    head = ["| metric | unit | decimals that the generator writes |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", f"Qualities: {said}. Sites: {sites}."])


def _machines() -> str:
    return (
        f"{fleet.MACHINES} machines, `{fleet.MACHINE_IDS[0]}` to `{fleet.MACHINE_IDS[-1]}`, with {len(Metric)} sensors "
        f"each; {fleet.FAILING_SHARE:.0%} of them fail once in the time that is generated, and show it for "
        f"{fleet.WARNS_S / 3600:.0f} hours before."
    )


PARTS: Mapping[str, Callable[[], str]] = {
    "contract": lambda: contract_table(PRODUCT),
    "metrics": _metrics,
    "machines": _machines,
    "measured": lambda: Sizes.read().table,
    "athena": ddl.fenced(lambda: ddl.athena(PRODUCT)),
    "redshift": ddl.fenced(lambda: ddl.redshift(PRODUCT)),
}
