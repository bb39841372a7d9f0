"""The `indutech doctor` command: what is wrong with a set-up, and the safe step for each finding."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from indutech.system.settings import Settings

_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "problem": "[red]✗[/]"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="The findings as one JSON object.")] = False) -> None:
    """Check Java, jars, disk, broker, topic, lake and checkpoint; name the safe step for what is wrong.

    Nothing is started, changed or deleted, and Spark is not needed, so it can be run at any time.

    Exit 0: no problem (notes may remain). Exit 1: at least one problem.
    """
    from indutech.proof import doctor as checks

    diagnosis = checks.examine(Settings())
    if as_json:
        typer.echo(json.dumps(diagnosis.as_dict()))
    else:
        console = Console(highlight=False)
        for finding in diagnosis.findings:
            console.print(f"{_MARKS[finding.level]} [bold]{finding.subject}[/]: {escape(finding.says)}", soft_wrap=True)
            if finding.next_step:
                console.print(f"    next: {escape(finding.next_step)}", soft_wrap=True)
        problems = sum(finding.level is checks.Level.PROBLEM for finding in diagnosis.findings)
        console.print("No problem found." if diagnosis.healthy else f"Problems found: {problems}.")
    raise typer.Exit(0 if diagnosis.healthy else 1)
