"""The `indutech plant` commands: all of it on one machine, from sensors and ERP to the lake, with three proofs."""

import contextlib
import dataclasses
import json
import sys
import time
from typing import Annotated, Any

import rich
import typer

from indutech.system.settings import Settings
from indutech.system.signals import stop_asked

plant_app = typer.Typer(
    no_args_is_help=True,
    help="All of it on one machine: sensors over MQTT, an ERP, tickets, Kafka, both streams, the lake on S3.",
)
SHOWN_EVERY_S = 10.0  # as lines of a log


@plant_app.command("up")
def plant_up(
    tickets: Annotated[float, typer.Option(min=0.01, metavar="RATE", help="Tickets a second.")] = 20,
    readings: Annotated[float, typer.Option(min=0.01, metavar="RATE", help="Sensor readings a second.")] = 100,
    changes: Annotated[
        float, typer.Option(min=0.01, metavar="RATE", help="Changes a second to clients of the ERP.")
    ] = 1,
    clients: Annotated[int, typer.Option(min=2, max=9000, help="Clients of a new ERP.")] = 9000,
    seconds: Annotated[
        float | None, typer.Option("--for", min=1, metavar="SECONDS", help="End by itself after so long.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Start everything and keep it until Ctrl-C, `indutech plant down`, or `--for`; then prove what was stored.

    An S3 server, Kafka, MQTT, PostgreSQL, Kafka Connect, both streams in one Spark, a gateway with its sensors, the
    bridge, a producer of tickets, and an ERP whose clients change. It takes at most 4 GB of memory, and the first time
    it fetches 98 jars (32 MB). All of it is in the folder `plant` of the data folder; the lake is in its S3 server.

    Exit 0: tickets, readings and clients are reconciled. Exit 1: something is lost, twice or different. Exit 2:
    something had not arrived yet.

    \b
    indutech plant up                                          in one terminal,
    indutech plant status                                      in another, and at the end
    indutech plant down
    indutech plant up --for 600 --readings 500 --tickets 50    ten busy minutes
    set -a; . data_output/plant/plant.env; set +a              be in the plant in this shell: monitor, doctor, kill …
    """
    from indutech.plant.together import parts, up
    from indutech.system import progress

    settings = parts.settings_of_plant(Settings())
    traffic = parts.Traffic(tickets, readings, changes, clients)
    now, watched = [progress.Position("Starting")], [0.0]

    def says(text: str) -> None:
        now[0] = progress.Position(text)
        if not (progress.on_terminal() or as_json):
            typer.echo(f"{text} …", err=True)

    def watch(plant: up.Plant) -> None:
        starting.close()
        began = time.monotonic()
        _watch(plant, seconds, quiet=as_json)
        watched[0] = time.monotonic() - began
        starting.enter_context(progress.shown(lambda: now[0], wanted=not as_json))

    with contextlib.ExitStack() as starting:
        starting.enter_context(progress.shown(lambda: now[0], wanted=not as_json))
        proved, last = up.up(settings, traffic, watch=watch, says=says)
    if as_json:
        told = {"exit_code": proved.exit_code, "lines": proved.lines, "proofs": proved.details}
        ran = {"seconds": round(watched[0]), "traffic": dataclasses.asdict(traffic), "state": last.as_dict()}
        typer.echo(json.dumps({**told, **ran}, default=str))
    else:
        _say(list(proved.lines))
        typer.echo(f"The plant is down; it took at most {last.peak_mb:,} MB. Its data stays in {settings.data_dir}.")
    raise typer.Exit(proved.exit_code)


def _watch(plant: Any, seconds: float | None, *, quiet: bool) -> None:
    """Show how the plant is until a signal comes or the time is over."""
    from rich.live import Live

    from indutech.plant.together import shown, up

    began = time.monotonic()
    on_screen = sys.stdout.isatty() and not quiet
    table = Live(auto_refresh=False, transient=True) if on_screen else None
    told_at = float("-inf")
    with stop_asked() as stop, table or contextlib.nullcontext():

        def ends() -> bool:
            return stop() or (seconds is not None and time.monotonic() - began > seconds)

        for seen in up.watching(plant, ends):
            if table:
                table.update(shown.as_tables(seen), refresh=True)
            elif not quiet and time.monotonic() - told_at >= SHOWN_EVERY_S:
                print(shown.as_line(seen), flush=True)
                told_at = time.monotonic()


@plant_app.command("status")
def plant_status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Show each part with its process, restarts and memory, and what flows; nothing is started.

    Exit 0: all parts run. Exit 1: the plant is down, starting or ending, or a part is down, which is named.
    """
    from indutech.plant.together import parts, shown, state

    seen = state.look(parts.settings_of_plant(Settings()))
    if as_json:
        typer.echo(json.dumps(seen.as_dict(), default=str))
    elif seen.phase == "down" and not seen.left:
        typer.echo(f"No plant is up in {seen.data_dir}: `indutech plant up` starts one.")
    else:
        rich.print(shown.as_tables(seen))
        if seen.left:
            names = ", ".join(part.name for part in seen.left)
            typer.echo(f"Left by a plant that was killed: {names}. `indutech plant down` ends them.")
    raise typer.Exit(0 if seen.phase == "up" and not seen.down else 1)


@plant_app.command("down")
def plant_down() -> None:
    """End the plant: the traffic first, then, when all is stored, the rest; the proofs of its run are printed.

    It also ends what a `plant up` that was killed has left. The exit code is that of the proofs.
    """
    from indutech.plant.together import ending, parts, up
    from indutech.system import progress

    settings = parts.settings_of_plant(Settings())
    with progress.shown(lambda: progress.Position("Ending the plant: what is on its way is stored first")):
        ended = ending.down(settings)
    if ended.pid is None:
        left = f"It had left: {', '.join(ended.left)}. They have ended." if ended.left else ""
        typer.echo(f"No plant was up in {settings.data_dir}. {left}".strip())
        return
    proved = up.proofs_of(settings, ended.pid)
    if proved is None:
        typer.echo("The plant is down; it ended before there was anything to prove. Its data stays.")
        return
    _say(list(proved.lines))
    typer.echo(f"The plant is down; its data stays in {settings.data_dir}.")
    raise typer.Exit(proved.exit_code)


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
