"""The templates with the amounts of the bill: stacks come from the architecture, budgets from the costs."""

from dataclasses import replace
from functools import lru_cache

from indutech.architecture.model import Platform
from indutech.architecture.templates import stacks
from indutech.architecture.templates.parts import Template
from indutech.costs.bill import Bill, priced
from indutech.costs.charges import charges_of
from indutech.costs.guardrails import Owner, watch_files
from indutech.costs.model import CostModel, read_model


def bill(platform: Platform, model: CostModel | None = None) -> Bill:
    """The reference's bill for a platform: without what it does not have, and with what it adds."""
    model = model or _committed()
    model = replace(model, usage=model.usage.built(stacks.counts(platform)))
    charges = [charge for charge in model.charges() if charge.component in platform.billed]
    done = {charge.component for charge in charges}
    charges += [charge for name in platform.billed if name not in done for charge in charges_of(name)(model.usage)]
    return priced("reference", charges, model.prices)


def charged(platform: Platform) -> set[tuple[str, str]]:
    """Component and price id of each line of the platform's bill that comes back every month."""
    return {(line.component, line.charge.price_id) for line in bill(platform).monthly}


def made(platform: Platform) -> dict[str, Template]:
    """Every stack, with the budgets of the platform's own bill."""
    requests = {file.name.removesuffix(".json"): file.content for file in watch_files(bill(platform), Owner())}
    return stacks.stacks(platform, requests)


@lru_cache(maxsize=1)
def _committed() -> CostModel:
    return read_model()  # of the committed measurement: a budget must not move with a run of this machine
