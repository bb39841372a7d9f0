"""The command line: each command does one thing, `--help` teaches it, and exit 0 means that what was asked is true."""

import sys

import typer

from indutech.errors import InduTechError


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
