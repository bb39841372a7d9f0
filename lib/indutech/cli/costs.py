"""The `indutech costs` commands: bills and their exports, price refresh, measuring, watch files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from indutech.costs import exports
from indutech.costs.bill import ON_DEMAND, TERMS, Bill
from indutech.costs.guardrails import WATCH_FOLDER, WatchFile
from indutech.costs.inputs.money import Money
from indutech.costs.model import NAMES, CostModel, read_model
from indutech.costs.scenarios import SCENARIOS
from indutech.lake.store import connection as store
from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT, Settings
from indutech.system.state_files import write_json

costs_app = typer.Typer(
    help="What the platform costs: every figure computed from dated prices and stated assumptions.",
    invoke_without_command=True,
)
COMMITMENTS = (ON_DEMAND, *TERMS)
CHOICES = ", ".join(map(str, COMMITMENTS))


class Format(StrEnum):
    """How a bill is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def _today() -> date:
    return datetime.now(UTC).date()


@costs_app.callback()
def costs(
    context: typer.Context,
    scenario: Annotated[str, typer.Option(help=f"One of: {', '.join(NAMES)}.")] = "reference",
    output: Annotated[Format, typer.Option("--format", help="The CSV has the columns of FOCUS 1.2.")] = Format.TABLE,
    commitment: Annotated[int, typer.Option(help=f"Months of commitment: {CHOICES}.")] = ON_DEMAND,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Print the bill of a scenario; † marks what stands on rates that were not read for the region."""
    if context.invoked_subcommand:
        return
    if commitment not in COMMITMENTS:
        raise typer.BadParameter(f"{commitment} is none of {CHOICES}.", param_hint="--commitment")
    model = read_model(Settings().data_dir)
    bill = model.bill(scenario, commitment)
    if as_json or output is Format.JSON:
        typer.echo(json.dumps(exports.as_json(bill), ensure_ascii=False))
    elif output is Format.CSV:
        typer.echo(exports.focus_csv(bill, _today()), nl=False)
    else:
        _show(bill, model)


def _show(bill: Bill, model: CostModel) -> None:
    from rich.console import Console
    from rich.table import Table

    from indutech.costs.views.tables import line_table, marked

    table = Table(title=f"{bill.scenario}: {marked(bill.monthly_total, bill)} a month, {bill.one_off_total} once")
    found = line_table(bill)
    for column in found.columns:
        table.add_column(column, justify="right" if column in ("Quantity", "Cost") else "left")
    for row in found.itertuples(index=False):
        table.add_row(*map(str, row))
    console = Console(width=None if sys.stdout.isatty() else 220)
    console.print(table)
    console.print(f"† {bill.doubt}." if bill.doubt else "Every rate was read for the region.")
    console.print(model.measured_by)


@costs_app.command()
def refresh(
    folder: Annotated[Path | None, typer.Option("--from", help="Folder of price lists saved as <offer>.json.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Put what changed into assets/aws_prices.csv.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
) -> None:
    """Compare the committed prices with AWS's public price lists and show what changed; writes only when told to."""
    from indutech.costs.inputs import price_lists as lists

    codes = lists.offers()
    found = lists.compare(lists.from_folder(folder, codes) if folder else lists.from_network(codes))
    for one in found:
        if one.verdict in ("changed", "implausible", "not found"):
            change = f"{one.change:+.1%}" if one.change is not None else ""
            typer.echo(f"{one.verdict:<12} {one.price_id:<28} {one.committed} -> {one.listed or '?'} {change}".rstrip())
    counts = {
        verdict: sum(one.verdict == verdict for one in found) for verdict in dict.fromkeys(f.verdict for f in found)
    }
    typer.echo(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    if not write:
        return
    if not yes:
        typer.confirm("Write the prices that were found into assets/aws_prices.csv?", abort=True)
    typer.echo(f"{lists.apply(found)} rows written. Run `make docs` and `make notebooks` next.")


@costs_app.command()
def measure(
    as_reference: Annotated[
        bool, typer.Option("--as-reference", help="Commit it as the fallback of the project.")
    ] = False,
) -> None:
    """Measure this data folder's lake for the cost model: bytes, files, speed, and what the text does to them."""
    from indutech.costs.inputs.measure import measure as measure_lake
    from indutech.costs.inputs.measurement import FILE_NAME, REFERENCE_FILE

    with store.connected(Settings()) as settings:
        found = measure_lake(settings, _today())
    typer.echo(
        f"{found.tickets:,} {found.mark}: {found.json_bytes_per_ticket:.1f} bytes of JSON and "
        f"{found.parquet_bytes_per_ticket:.1f} of Parquet each. Written to {settings.data_dir / FILE_NAME}."
    )
    if as_reference:
        if not found.tickets_per_core_second:
            raise InduTechError("A reference needs a measured speed: store at least 50,000 tickets in one micro-batch.")
        write_json(REFERENCE_FILE, found.model_dump(mode="json"))
        typer.echo(f"Written to {REFERENCE_FILE.relative_to(PROJECT)} as well.")


@costs_app.command()
def watch(
    folder: Annotated[Path, typer.Option("--to", help="Where to write the files.")] = WATCH_FOLDER,
    account: Annotated[str, typer.Option(help="AWS account, twelve digits.")] = "",
    email: Annotated[str, typer.Option(help="Whom budgets and anomalies are told to.")] = "",
    bucket: Annotated[str, typer.Option(help="The lake's bucket.")] = "",
    approved: Annotated[int, typer.Option(help="Approved dollars a month; 0: the bill and its headroom.")] = 0,
) -> None:
    """Write budgets, anomaly alerts, tags and lifecycle rules as files, and print how to apply them."""
    from indutech.costs.guardrails import Owner, watch_files

    given = {"account_id": account, "email": email, "bucket": bucket}
    owner = Owner(**{name: value for name, value in given.items() if value})
    # The committed reference, not this folder's run: a budget must not move with a test run.
    write_files(watch_files(read_model().bill(), owner, Money(Decimal(approved)) if approved else None), folder)


@costs_app.command()
def calculator(
    folder: Annotated[Path, typer.Option("--to", help="Where to write the requests.")] = Path("calculator"),
    scenario: Annotated[str, typer.Option(help=f"One of: {', '.join(SCENARIOS)}.")] = "reference",
    account: Annotated[str, typer.Option(help="AWS account, twelve digits.")] = "",
) -> None:
    """Write a scenario as requests for AWS's own pricing calculator, and say by what its total will differ."""
    from indutech.costs.calculator import SERVICE, estimate
    from indutech.costs.guardrails import ACCOUNT

    found = estimate(read_model().bill(scenario), account or ACCOUNT)
    folder.mkdir(parents=True, exist_ok=True)
    for number, request in enumerate(found.requests):
        file = folder / f"{number}-{request.words}.json"
        file.write_text(json.dumps(request.content, indent=2) + "\n", encoding="utf-8")
        typer.echo(f"aws {SERVICE} {request.words} --cli-input-json file://{file.name}")
    typer.echo(f"{len(found.asked)} lines: {found.total}. Put the id that the first request prints into the others.")
    for line in found.left_out:
        if line.list_cost.amount:
            typer.echo(f"not asked for: {line.price.service}: {line.price.item}, {line.list_cost}")


def write_files(files: Sequence[WatchFile], folder: Path) -> None:
    """Write the requests into a folder and print the commands that apply them, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).write_text(file.text, encoding="utf-8")
        typer.echo(file.command)
