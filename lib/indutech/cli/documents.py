"""The commands that draw, write and run: diagram, documents, report, notebooks."""

from pathlib import Path
from typing import Annotated

import typer

from indutech.architecture.model import Format, View
from indutech.system.settings import PROJECT, Settings


def diagram(
    view: Annotated[View | None, typer.Option(help="One view; all of them without it.")] = None,
    form: Annotated[Format, typer.Option("--format", help="SVG carries its icons and letters.")] = Format.SVG,
    output: Annotated[Path | None, typer.Option(help="Folder; else `diagrams` in the data folder.")] = None,
) -> None:
    """Draw the platform from its model: the same model gives the same bytes."""
    from indutech.architecture.diagrams import render as diagrams
    from indutech.architecture.platform import platform

    folder = output or Settings().data_dir / "diagrams"
    for file in diagrams.write(platform(), folder, (view,) if view else tuple(View), form):
        typer.echo(file)


def documents(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if something is stale.")] = False,
) -> None:
    """Renew everything that is generated: parts of the documents and of .env.example, drawings, watch files."""
    from indutech.report import documents as generated

    if check:
        generated.check()
        return
    changed = generated.renew()
    typer.echo("\n".join(f"Renewed: {path.relative_to(PROJECT)}" for path in changed) or "Nothing has changed.")


def report(
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="For the notebooks that have it; repeatable."),
    ] = None,
) -> None:
    """Run every notebook headless, on a real broker and Spark, and write the HTML report."""
    from indutech.report import build, parameters

    made = build.make_report(parameters.from_text(parameter or []))
    if made.proof:
        typer.echo(made.proof.sentence)
    here = Path.cwd()
    typer.echo(f"The report: {made.index.relative_to(here) if made.index.is_relative_to(here) else made.index}")


def notebooks() -> None:
    """Run every notebook in place with its defaults and save the outputs: the only way they are made."""
    from indutech.report import build

    changed = build.refresh_outputs()
    typer.echo("\n".join(f"New outputs: {path.name}" for path in changed) or "No output changed.")
