"""The generated parts that need both model and prices, and the figures of the README."""

from collections.abc import Callable
from decimal import Decimal

import nbformat
import pandas as pd

from indutech.architecture import plan_tables
from indutech.architecture.model import Platform
from indutech.architecture.plan import ServiceLevel
from indutech.costs.model import CostModel
from indutech.costs.views.summary import key_figures as key_figures_of
from indutech.report import execution, findings, generated_templates, reconciliation
from indutech.report.edition import one_file, pdf, reference_runs
from indutech.report.findings import FindingError, Findings
from indutech.report.kept_runs import LATEST
from indutech.show.tables import as_markdown

WEEKS_PER_MONTH = Decimal(365) / 12 / 7
# Figures of reference runs, and what the README calls them.
REFERENCES = {
    "tickets_per_s": "tickets a second, from broker to Parquet",
    "tickets_per_core_second": "tickets a second for each core",
    "month_run_minutes": "minutes for a month of 50 GB, made, stored, compacted and proved",
    "faults": "faults injected into the running pipeline",
    "faults_lost": "messages lost through them",
    "faults_expired": "messages that a topic deleted, on purpose, before they could be stored; each was named",
    "faults_twice": "messages stored twice through them",
}


def level_price(level: ServiceLevel, model: CostModel) -> Decimal:
    """What a level adds to a month, in USD at list prices."""
    prices = (model.prices[name].tiers[0].price * Decimal(str(units)) for name, units in level.adds.items())
    return sum(prices, Decimal(0))


def service_levels(platform: Platform, model: CostModel) -> str:
    """RTO and RPO of each service, at each level, with what the level adds to a month."""
    rows = [
        {
            "service": platform[level.component].name,
            "level": f"**{level.level}**" if level.chosen else level.level,
            "RTO": _hours(level.rto_hours),
            "RPO": _hours(level.rpo_hours),
            "adds (USD a month)": f"{level_price(level, model):,.0f}" if level.adds else "–",
            "how": level.how,
        }
        for level in platform.service_level
    ]
    return _plain(pd.DataFrame(rows))


def waves(platform: Platform, model: CostModel) -> str:
    """The migration, with what AWS costs during each step: what a step starts is paid in full from its first day."""
    starts = {name: wave.order for wave in platform.wave for name in wave.starts}
    first = min(wave.order for wave in platform.wave)
    begun = {order: Decimal(0) for order in (wave.order for wave in platform.wave)}
    for line in generated_templates.bill(platform, model).monthly:
        begun[starts.get(line.component, first)] += line.effective_cost.amount
    table = plan_tables.waves(platform)
    month, paid = Decimal(0), []
    for wave in platform.wave:
        month += begun[wave.order]
        paid.append((month, month * Decimal(str(wave.weeks)) / WEEKS_PER_MONTH))
    table.insert(4, "AWS from then on (USD a month)", [f"{a_month:,.0f}" for a_month, _ in paid])
    table.insert(5, "AWS in the step (USD)", [f"{step:,.0f}" for _, step in paid])
    whole = {"step": "all", "weeks": f"{sum(wave.weeks for wave in platform.wave):g}",
             "AWS in the step (USD)": f"{sum(step for _, step in paid):,.0f}"}  # fmt: skip
    return _plain(pd.concat([table, pd.DataFrame([whole])]).fillna("–"))


def resources(platform: Platform, model: CostModel) -> str:
    """For each line of the bill, the resource that it is paid for."""
    charged = generated_templates.charged(platform)
    rows = [
        {"component": component.name, "price": price, "resource": component.bills[price]}
        for component in platform.component
        for price in component.bills
        if (component.id, price) in charged
    ]
    rows += [
        {"component": component.name, "price": "not in the bill", "resource": f"{resource}: {why}"}
        for component in platform.component
        for resource, why in component.not_in_bill.items()
    ]
    return _plain(pd.DataFrame(rows))


def stacks(platform: Platform, model: CostModel) -> str:
    """The templates in the order in which they would be deployed."""
    from indutech.architecture.templates.stacks import ACCOUNTS

    rows = [
        {
            "stack": f"[{name}](../assets/cloudformation/{name}.json)",
            "account": ACCOUNTS.get(name, "platform"),
            "resources": str(len(template["Resources"])),
        }
        for name, template in generated_templates.made(platform).items()
    ]
    return _plain(pd.DataFrame(rows))


def edge(platform: Platform, model: CostModel) -> str:
    """The model with the bridge in AWS against the one with the broker in the plant, in figures."""
    from indutech.architecture.platform import PLATFORM_FILE, read
    from indutech.report.compare import compared

    other = read(PLATFORM_FILE.with_name("platform-edge.toml"))
    found = compared(platform, other, ("bridge in AWS", "broker in the plant"))
    lost = found["link_down"]
    rows = {
        "AWS, USD a month": found["bill"]["usd_month"],
        "bought once by the plant, USD, assumed": [f"{usd:,.0f}" for usd in found["bought_by_the_plant_usd"]],
        "link down: hours certainly kept": [f"{side['hours_kept']:g}" for side in lost],
        "readings lost in the first hour, if sensors keep none": [
            f"{side['readings_lost_in_the_first_hour']:,}" for side in lost
        ],
    }
    return _plain(
        pd.DataFrame({"": name, **dict(zip(found["models"], sides, strict=True))} for name, sides in rows.items())
    )


def last_lines(platform: Platform, model: CostModel) -> str:
    """What `make report` ends with, with the counts that the committed notebooks say."""
    said = _said_in_notebooks()
    counts = {name: int(said[name].value) for name in reconciliation.COUNTS}
    lines = [
        reconciliation.sentence(counts),
        f"In one file: data_output/report/{LATEST}/{one_file.NAME}",
        f"In one file: data_output/report/{LATEST}/{pdf.NAME}",
        f"The report: data_output/report/{LATEST}/index.html",
    ]
    return "\n".join(["```", *lines, "```"])


def key_figures(platform: Platform, model: CostModel) -> str:
    """The figures of the report's front page that a README needs, each with where it comes from."""
    money, said, runs = key_figures_of(model), _said_in_notebooks(), reference_runs.figures()
    finance, stream = "[for finance](docs/00-summary.md)", "[03](notebooks/03_stream.ipynb)"
    rows = [
        ("AWS, a month, low – base – high", "{month_low} – {month} – {month_high}".format(**money), finance),
        ("three years in all, low – base – high", "{years_low} – {years} – {years_high}".format(**money), finance),
        ("of the month stands on rates not read for Paris", money["in_doubt"], finance),
        ("messages acknowledged, lost, stored twice",
         " / ".join(said[name].shown for name in ("acknowledged", "lost", "twice")), stream),
    ]  # fmt: skip
    for name, what in REFERENCES.items():
        if name in runs:
            place = runs[name].where.removeprefix("files/")
            rows.append((what, runs[name].shown, f"[run of {runs[name].measured_on}](assets/{place})"))
    return _plain(pd.DataFrame(rows, columns=["what", "figure", "from"]))


def _said_in_notebooks() -> Findings:
    """The figures of the committed notebooks.

    Raises:
        FindingError: their outputs are older than the figures that they say now.
    """
    notebooks = [nbformat.read(path, as_version=4) for path in execution.find_notebooks()]
    said = findings.together(findings.of_notebook(notebook, str(at), "") for at, notebook in enumerate(notebooks))
    if missing := [name for name in reconciliation.COUNTS if name not in said]:
        raise FindingError(f"No committed notebook says {', '.join(missing)}: run `make notebooks` first.")
    return said


def _hours(hours: float) -> str:
    return "0" if not hours else f"{hours * 60:.0f} min" if hours < 1 else f"{hours:g} h"


def _plain(table: pd.DataFrame) -> str:
    return as_markdown(table.set_index(table.columns[0]))


PARTS: dict[str, Callable[[Platform, CostModel], str]] = {
    "service-levels": service_levels,
    "resources": resources,
    "waves": waves,
    "stacks": stacks,
    "edge": edge,
    "last-lines": last_lines,
    "key-figures": key_figures,
}
