"""The command line: each command does one thing, `--help` teaches it, and exit 0 means that what was asked is true."""

import sys
import warnings
from typing import Any

import typer
from pydantic import ValidationError

from indutech.cli import compare, documents, pipeline, template
from indutech.cli.audit import audit
from indutech.cli.broker import broker_app
from indutech.cli.cluster import cluster_app
from indutech.cli.costs import costs_app
from indutech.cli.doctor import doctor
from indutech.cli.erp import erp_app
from indutech.cli.lake import lake_app
from indutech.cli.mqtt import mqtt_app
from indutech.cli.plant import plant_app
from indutech.cli.quarantine import quarantine_app
from indutech.system import storage
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings
from indutech.system.signals import STOPPED, interruptible


def _one_sentence_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    typer.echo(f"indutech: {message}", err=True)


class _OneSentence(typer.core.TyperGroup):
    """Print one sentence instead of a traceback: for what a user can mend, and for a signal."""

    def invoke(self, ctx: Any) -> object:
        """Run the command; one that does not finish by itself when a signal comes is unwound, with exit code 130."""
        try:
            with interruptible():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo(STOPPED, err=True)
            raise typer.Exit(130) from None

    def __call__(self, *args: object, **kwargs: object) -> object:
        warnings.showwarning = _one_sentence_warning
        try:
            with storage.writing("a file", "The command stopped there."):
                return super().__call__(*args, **kwargs)
        except InduTechError as error:
            typer.echo(f"indutech: {error}", err=True)
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            for fault in error.errors(include_input=False, include_url=False):
                if fault["type"] == "default_factory_not_called":  # of a setting that follows from the wrong one
                    continue
                name = ".".join(map(str, fault["loc"]))
                typer.echo(f"indutech: the setting {name} cannot be used: {fault['msg']}.", err=True)
        sys.exit(1)


app = typer.Typer(
    cls=_OneSentence,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Support tickets from a generator to a reconciled lake, on a real broker and a real Spark.",
)


@app.callback()
def _root() -> None:
    """Keep the commands in a group, even while there is only one."""


for _command in (
    pipeline.produce,
    pipeline.stream,
    pipeline.route,
    pipeline.reconcile,
    audit,
    pipeline.monitor,
    pipeline.compact,
    pipeline.publish,
    pipeline.reset,
    pipeline.health,
    doctor,
    documents.diagram,
    template.template,
    compare.compare,
    documents.documents,
    documents.report,
    documents.notebooks,
):
    app.command()(_command)
app.add_typer(broker_app, name="broker")
app.add_typer(cluster_app, name="cluster")
app.add_typer(costs_app, name="costs")
app.add_typer(erp_app, name="erp")
app.add_typer(lake_app, name="lake")
app.add_typer(mqtt_app, name="mqtt")
app.add_typer(plant_app, name="plant")
app.add_typer(quarantine_app, name="quarantine")
