"""The command that writes the model as CloudFormation, or looks for mistakes in it."""

from pathlib import Path
from typing import Annotated

import typer

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


class TemplateMistake(InduTechError):
    """The templates have mistakes."""


def template(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if something is wrong.")] = False,
    model: Annotated[Path | None, typer.Option(help="Another model; else assets/platform.toml.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder; else `cloudformation` in the data folder.")] = None,
) -> None:
    """Write the model as CloudFormation, a file for each stack; nothing is deployed.

    Raises:
        TemplateMistake: with a sentence for each mistake.
    """
    from indutech.architecture.platform import PLATFORM_FILE, read
    from indutech.architecture.templates import lint, stacks
    from indutech.report.generated_templates import charged, made

    platform = read(model or PLATFORM_FILE)
    templates = made(platform)
    if check:
        if found := lint.findings(platform, templates, charged(platform)):
            raise TemplateMistake("\n".join(found))
        resources = sum(len(template["Resources"]) for template in templates.values())
        typer.echo(f"{len(templates)} stacks, {resources} resources: no mistake was found. Nothing was deployed.")
        return
    folder = output or Settings().data_dir / "cloudformation"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in templates.items():
        (folder / f"{name}.json").write_text(stacks.text(content), encoding="utf-8")
        typer.echo(folder / f"{name}.json")
