"""The `indutech broker` commands: start, stop, status, and what a secured broker needs."""

import dataclasses
import json
from typing import Annotated

import typer

from indutech.kafka import broker as brokers
from indutech.kafka import credentials
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

broker_app = typer.Typer(
    no_args_is_help=True, help="The embedded broker: a real Apache Kafka, in one process or in three."
)


@broker_app.command("start")
def broker_start(
    secure: Annotated[
        bool, typer.Option("--secure", help="TLS only, users only, each with the rights it needs and no more.")
    ] = False,
    nodes: Annotated[
        int | None, typer.Option(help="1 or 3; of three one may die. What is there already keeps its number.")
    ] = None,
) -> None:
    """Start the embedded broker and keep it until `indutech broker stop`.

    With --secure it makes a certificate, the users producer, stream and console, and the topic. Then:

    \b
    set -a; . data_output/secrets/producer.env; set +a      be the producer in this shell
    indutech produce --count 1000
    """
    if nodes not in (None, 1, 3):
        raise typer.BadParameter("--nodes is 1 or 3: of two, no majority is left when one dies.")
    settings = Settings()
    broker = brokers.start(settings, secure=secure, nodes=nodes)
    if not broker.security.has_user:
        typer.echo(f"The broker answers at {broker.bootstrap_servers}; `indutech broker stop` ends it.")
        return
    users = _prepare(settings, broker)
    typer.echo(
        f"The broker answers at {broker.bootstrap_servers} over TLS, to users only; `indutech broker stop` ends it."
    )
    typer.echo(f"Be one of {', '.join(users)} in a shell, for instance:")
    typer.echo(f"  set -a; . {credentials.variables_file(settings, users[0])}; set +a")


@broker_app.command("secrets")
def broker_secrets(
    host: Annotated[
        list[str] | None, typer.Option(help="A name or address that clients use for the broker; repeatable.")
    ] = None,
) -> None:
    """Make the certificate and the passwords of a secured broker of your own; what is there already stays.

    The certificate is made anew when it lacks a host or ends within 30 days; passwords are kept.
    """
    settings = Settings()
    folder = credentials.make(settings, tuple(host or ()))
    typer.echo(f"Certificate, authority and a password for each of {', '.join(credentials.USERS)}: {folder}")


@broker_app.command("prepare")
def broker_prepare() -> None:
    """Make the topic; on a broker with users, as its administrator, also the users and their rights.

    It can be run again at any time. The passwords are those of `indutech broker secrets`.
    """
    settings = Settings()
    with brokers.connected(settings) as broker:
        users = _prepare(settings, broker)
    allowed = f"; rights given to {', '.join(users)}" if users else ""
    typer.echo(f"The topic {settings.topic} is at {broker.bootstrap_servers}{allowed}.")


def _prepare(settings: Settings, broker: brokers.Broker) -> list[str]:
    from indutech.kafka import topics, users

    topics.ensure_topic(broker, settings)
    return users.prepare(broker, settings) if broker.security.has_user else []


@broker_app.command("stop")
def broker_stop() -> None:
    """Stop the embedded broker; exit 1 if others still use it, since it then ends with the last of them."""
    settings = Settings().model_copy(update={"bootstrap_servers": None})  # ours, whatever broker is named now
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
        how = " over TLS, to users only" if status.secured else ""
        processes = (
            f"process {status.pid}" if len(status.pids) == 1 else f"processes {', '.join(map(str, status.pids))}"
        )
        typer.echo(f"The embedded broker ({processes}) answers at {status.bootstrap_servers}{how}.")
        typer.echo(f"Users: {', '.join(map(str, status.leases)) or 'none'}; {kept}. Data: {status.data_dir}.")
