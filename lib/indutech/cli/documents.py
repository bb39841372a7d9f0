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
    """Renew everything that is generated: parts of documents and of .env.example, drawings, watch files, messages.

    Messages are those of assets/locale: new and changed sentences of the report, for whoever translates them.
    """
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
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write the pages of the latest run again; nothing is run.")
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option(metavar="en|fr", help="Language of the pages: en, unless --rebuild finds another."),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="OLD NEW", help="What changed between two runs: parameters, figures, conclusions."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --compare: one JSON object.")] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="List the reports of old runs, and ask to delete them.")
    ] = False,
    keep: Annotated[int, typer.Option(min=1, help="With --clean: how many runs stay.")] = 5,
    yes: Annotated[bool, typer.Option("--yes", help="With --clean: do not ask.")] = False,
) -> None:
    """Run every notebook headless, on a real broker and Spark, and write the HTML report.

    Each run's report stays in a folder of its own; `latest` leads to the newest.
    With `--lang fr` front page, headings, captions, readings and the page for finance are in French, with numbers in
    the French form; `--rebuild --lang fr` makes that edition of the latest run, beside the one that is there.
    Notebooks run in English: their sentences are recognised in assets/locale/fr/LC_MESSAGES/indutech.po.
    """
    from indutech.report import build, parameters
    from indutech.show import language

    if compare:
        _compare_runs(*compare, as_json=as_json)
        return
    if clean:
        _clean_runs(keep, yes)
        return
    if rebuild:
        made = build.rebuild(spoken=lang)
    else:
        made = build.make_report(parameters.from_text(parameter or []), spoken=lang or language.SOURCE)
    if made.proof:
        typer.echo(made.proof.sentence)
    for file in made.files:
        typer.echo(f"In one file: {_short(file)} ({file.stat().st_size / 1e6:.1f} MB)")
    if made.without:
        typer.echo(made.without)
    typer.echo(f"The report: {_short(made.index)}")


def _compare_runs(old: str, new: str, as_json: bool) -> None:
    import json

    from indutech.report import build, kept_runs, run_comparison

    root = build.folder()
    found = run_comparison.compared(kept_runs.find(root, old), kept_runs.find(root, new))
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else run_comparison.as_text(found))


def _clean_runs(keep: int, yes: bool) -> None:
    from indutech.report import build, kept_runs

    root = build.folder()
    old = kept_runs.beyond(root, keep)
    if not old:
        typer.echo(f"Nothing to delete: no more than {keep} runs are kept in {_short(root)}.")
        return
    for run in old:
        typer.echo(f"  {_short(run.folder)}  {run.size / 1e6:,.1f} MB")
    if not yes:
        typer.confirm("Delete all of this?", abort=True)
    kept_runs.delete(root, old)
    typer.echo("Deleted.")


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def notebooks() -> None:
    """Run every notebook in place with its defaults and save the outputs: the only way they are made."""
    from indutech.report import build

    changed = build.refresh_outputs()
    typer.echo("\n".join(f"New outputs: {path.name}" for path in changed) or "No output changed.")
