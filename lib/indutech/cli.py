"""The command line: each command does one thing, `--help` teaches it, and exit 0 means that what was asked is true."""

import dataclasses
import json
import sys
from typing import Annotated

import typer

from indutech import broker as brokers
from indutech.errors import InduTechError
from indutech.settings import Settings


class _OneSentenceErrors(typer.core.TyperGroup):
    """Print what a user can mend as one sentence instead of a traceback."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        try:
            return super().__call__(*args, **kwargs)  # type: ignore[arg-type]
        except InduTechError as error:
            typer.echo(f"indutech: {error}", err=True)
            sys.exit(1)


app = typer.Typer(
    cls=_OneSentenceErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Support tickets from a generator to a reconciled lake, on a real broker and a real Spark.",
)
broker_app = typer.Typer(no_args_is_help=True, help="The embedded broker: a real Apache Kafka in one process.")
app.add_typer(broker_app, name="broker")


@app.callback()
def _root() -> None:
    """Keep the commands in a group, even while there is only one."""


@broker_app.command("start")
def broker_start() -> None:
    """Start the embedded broker and keep it until `indutech broker stop`."""
    broker = brokers.start(Settings())
    typer.echo(f"The broker answers at {broker.bootstrap_servers}; `indutech broker stop` ends it.")


@broker_app.command("stop")
def broker_stop() -> None:
    """Stop the embedded broker; exit 1 if others still use it, since it then ends with the last of them."""
    settings = Settings()
    was_running = brokers.status(settings).running
    if not brokers.stop(settings):
        users = ", ".join(str(pid) for pid in brokers.status(settings).leases)
        raise InduTechError(f"The broker is still used (by process {users}) and stops with its last user.")
    typer.echo("The broker has stopped; its data stays." if was_running else "No embedded broker was running.")


@broker_app.command("status")
def broker_status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Tell where the broker is, who uses it, and where its data is."""
    status = brokers.status(Settings())
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(status), default=str))
    elif not status.running:
        nothing = f"No embedded broker runs in {status.data_dir}."
        typer.echo(nothing if status.embedded else f"No broker answers at {status.bootstrap_servers}.")
    elif not status.embedded:
        typer.echo(f"A broker that is not ours answers at {status.bootstrap_servers}.")
    else:
        kept = "kept until `indutech broker stop`" if status.kept else "stops with its last user"
        typer.echo(f"The embedded broker (process {status.pid}) answers at {status.bootstrap_servers}.")
        typer.echo(f"Users: {', '.join(map(str, status.leases)) or 'none'}; {kept}. Data: {status.data_dir}.")
