"""The commands that draw, write and run: diagram, documents, report, notebooks."""

from pathlib import Path
from typing import Annotated

import typer

from indutech.architecture.model import Format, View
from indutech.system.settings import Settings


def diagram(
    view: Annotated[View | None, typer.Option(help="One view; all three without it.")] = None,
    form: Annotated[Format, typer.Option("--format", help="SVG carries its icons and letters.")] = Format.SVG,
    output: Annotated[Path | None, typer.Option(help="Folder; else `diagrams` in the data folder.")] = None,
) -> None:
    """Draw the platform from its model: the same model gives the same bytes."""
    from indutech.architecture.diagrams import render as diagrams
    from indutech.architecture.platform import platform

    folder = output or Settings().data_dir / "diagrams"
    for file in diagrams.write(platform(), folder, (view,) if view else tuple(View), form):
        typer.echo(file)


def documents() -> None:
    """Renew the generated parts of docs/01, docs/02 and docs/ticket.md, and the drawings they show."""
    from indutech.architecture import document as dossier
    from indutech.architecture.diagrams import render as diagrams
    from indutech.architecture.platform import platform
    from indutech.tickets import document as ticket_document

    diagrams.write(platform(), diagrams.DIAGRAMS)
    diagrams.write(platform(), diagrams.DIAGRAMS, (View.OVERVIEW,), Format.PNG)
    changed = dossier.renew(platform()) + ticket_document.renew()
    typer.echo("\n".join(f"Renewed: {path.name}" for path in changed) or "No document changed.")


def report(
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="For the notebooks that have it; repeatable."),
    ] = None,
) -> None:
    """Run every notebook headless, on a real broker and Spark, and write the HTML report."""
    from indutech.report import make, parameters

    made = make.make_report(parameters.from_text(parameter or []))
    if made.proof:
        typer.echo(made.proof.sentence)
    here = Path.cwd()
    typer.echo(f"The report: {made.index.relative_to(here) if made.index.is_relative_to(here) else made.index}")


def notebooks() -> None:
    """Run every notebook in place with its defaults and save the outputs: the only way they are made."""
    from indutech.report import make

    changed = make.refresh_outputs()
    typer.echo("\n".join(f"New outputs: {path.name}" for path in changed) or "No output changed.")
