"""The command that compares two models of the platform."""

import json
from pathlib import Path
from typing import Annotated

import typer

from indutech.system.settings import Settings


def compare(
    one: Annotated[Path, typer.Argument(metavar="MODEL_A", help="A model, such as assets/platform.toml.")],
    other: Annotated[Path, typer.Argument(metavar="MODEL_B", help="Another, such as assets/platform-edge.toml.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences; write no page.")] = False,
    output: Annotated[Path | None, typer.Option(help="The page; else `compare.html` in the data folder.")] = None,
) -> None:
    """Show what differs between two models: picture, bill, single points of failure, security groups."""
    from indutech.architecture.platform import read
    from indutech.report import compare as comparison

    models = (read(one), read(other))
    found = comparison.compared(*models, (one.stem, other.stem))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    file = output or Settings().data_dir / "compare.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(comparison.page(*models, found), encoding="utf-8")
    bill = found["bill"]
    typer.echo(f"{one.stem}: {bill['usd_month'][0]} USD a month; {other.stem}: {bill['usd_month'][1]}.")
    typer.echo(file)
