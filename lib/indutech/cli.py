"""The command line: each command does one thing, `--help` teaches it, and exit 0 means that what was asked is true."""

import contextlib
import dataclasses
import json
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import rich
import typer
from pydantic import ValidationError

from indutech import broker as brokers
from indutech import credentials
from indutech.cost_commands import costs_app
from indutech.errors import InduTechError
from indutech.estate import Format, View
from indutech.health import Part
from indutech.settings import Settings


def _one_sentence_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    typer.echo(f"indutech: {message}", err=True)


class _OneSentenceErrors(typer.core.TyperGroup):
    """Print what a user can mend as one sentence instead of a traceback."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        warnings.showwarning = _one_sentence_warning
        try:
            return super().__call__(*args, **kwargs)
        except InduTechError as error:
            typer.echo(f"indutech: {error}", err=True)
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            for fault in error.errors(include_input=False, include_url=False):
                name = ".".join(map(str, fault["loc"]))
                typer.echo(f"indutech: the setting {name} cannot be used: {fault['msg']}.", err=True)
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
app.add_typer(costs_app, name="costs")


@app.callback()
def _root() -> None:
    """Keep the commands in a group, even while there is only one."""


@broker_app.command("start")
def broker_start(
    secure: Annotated[
        bool, typer.Option("--secure", help="TLS only, users only, each with the rights it needs and no more.")
    ] = False,
) -> None:
    """Start the embedded broker and keep it until `indutech broker stop`.

    With --secure it makes a certificate, the users producer, stream and console, and the topic. Then:

    \b
    set -a; . data_output/secrets/producer.env; set +a      be the producer in this shell
    indutech produce --count 1000
    """
    settings = Settings()
    broker = brokers.start(settings, secure=secure)
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
    from indutech import topics, users

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
        typer.echo(f"The embedded broker (process {status.pid}) answers at {status.bootstrap_servers}{how}.")
        typer.echo(f"Users: {', '.join(map(str, status.leases)) or 'none'}; {kept}. Data: {status.data_dir}.")


@app.command()
def health(
    part: Annotated[Part | None, typer.Argument(help="The broker alone without it.")] = None,
) -> None:
    """Exit 0 if the broker answers and that part runs here; otherwise exit 1 with one sentence that says why."""
    from indutech import health as wellness

    wellness.check(Settings(), part)
    typer.echo("well")


@app.command()
def produce(
    count: Annotated[
        int | None, typer.Option(min=1, help="Tickets to send; 20,000, unless --rate or --from says otherwise.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Tickets per second; without --count until Ctrl-C.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeat a run exactly; without it one is drawn and printed.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Replay this file: .jsonl, .ndjson, .csv (also .gz) or .parquet.")
    ] = None,
    load: Annotated[bool, typer.Option("--load", help="The fast client, for volume: confluent-kafka.")] = False,
    period: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Spread the creation dates over so many days of office hours.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Send support tickets, generated or replayed from a file, and write down what the broker acknowledged.

    Exit 0: everything was acknowledged, or a signal stopped it. Exit 1: something failed or was no ticket.

    \b
    indutech produce                              20,000, a new seed each time
    indutech produce --count 500 --seed 7         the same 500 each time
    indutech produce --rate 50                    50 a second until Ctrl-C
    indutech produce --count 1000000 --load       as fast as it goes
    indutech produce --count 20000 --period 28    four weeks of office hours
    indutech produce --from old.csv --rate 10     somebody else's tickets
    """
    from indutech import producer
    from indutech.stopping import stop_asked

    if rate is not None and not 0 < rate < float("inf"):
        raise typer.BadParameter("--rate must be more than 0 tickets per second.")
    if source and (seed is not None or period is not None):
        raise typer.BadParameter("--from replays the tickets of a file: --seed and --period are for generated ones.")
    if period is not None and not 0 < period <= 3660:
        raise typer.BadParameter("--period must be more than 0 and at most 3,660 days.")
    if period is not None and count is None and rate is not None:
        raise typer.BadParameter("--period spreads a known number of tickets: give --count as well.")
    settings = Settings()
    with brokers.connected(settings) as broker, stop_asked() as stop:
        result = producer.produce(
            settings,
            broker,
            count=count,
            rate=rate,
            seed=seed,
            source=source,
            load=load,
            period=None if period is None else timedelta(days=period),
            progress=not as_json,
            stop=stop,
        )
    for error in result.errors:
        typer.echo(f"indutech: {error}", err=True)
    typer.echo(json.dumps(result.as_dict()) if as_json else result.sentence)
    raise typer.Exit(0 if result.complete else 1)


@app.command()
def stream(
    once: Annotated[bool, typer.Option("--once", help="Store what the topic holds now, then stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Judge tickets and store them in the lake, each exactly once; until Ctrl-C, or `--once`.

    Whatever interrupts it, the next start goes on where the last committed micro-batch ended.
    """
    from indutech import stream as streams  # Spark takes half a second to import
    from indutech.stream_bar import StreamBar

    settings = Settings()
    with brokers.connected(settings) as broker, StreamBar(settings, broker, shown=not as_json) as bar:
        result = streams.run(settings, broker, once=once, on_batch=bar.batch_done)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result)))
    else:
        aside = f", {result.quarantined:,} set aside (`indutech quarantine list`)" if result.quarantined else ""
        typer.echo(
            f"{result.stored:,} tickets stored in {settings.tickets_dir}{aside}: "
            f"{result.batches} micro-batches in {result.seconds:.1f} s."
        )


@app.command()
def reconcile(
    full: Annotated[
        bool, typer.Option("--full", help="Decode every column of every file as well, and verify its checksums.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The proof as one JSON object.")] = False,
) -> None:
    """Prove that nothing was lost or doubled: every offset of every file is counted.

    Exit 0: nothing lost, twice or pending. Exit 1: lost or twice. Exit 2: only pending: `indutech stream --once` next.
    """
    from indutech import proof_table
    from indutech import reconcile as reconciliation

    settings = Settings()
    with brokers.connected(settings) as broker:
        found = reconciliation.prove(settings, broker, full=full)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        proof_table.show(found)
    raise typer.Exit(found.exit_code)


@app.command()
def compact(
    open_day_too: Annotated[
        bool, typer.Option("--open-day-too", help="Also the newest day, up to its last micro-batch but one.")
    ] = False,
) -> None:
    """Rewrite the many small files of closed days as few of about 128 MB; not while a stream runs."""
    from indutech import compact as compaction
    from indutech.writer_lock import sole_writer

    settings = Settings()
    with sole_writer(settings):
        days = compaction.compact(settings, open_day_too=open_day_too)
    for day in days:
        typer.echo(
            f"{day.ingest_date}: {day.files_before} files, {day.bytes_before / 1e6:,.1f} MB -> "
            f"{day.files_after} files, {day.bytes_after / 1e6:,.1f} MB"
        )
    if not days:
        typer.echo("Nothing to compact: no closed day has more files than it needs.")


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """List what would be deleted (lake, checkpoint, audit, broker data: together, never one alone) and ask."""
    from indutech import reset as resetting

    settings = Settings()
    doomed = resetting.listed(settings)
    if not doomed:
        typer.echo(f"Nothing to delete in {settings.data_dir}.")
        return
    for path, size in doomed:
        typer.echo(f"  {path}  {size / 1e6:,.1f} MB")
    if not yes:
        typer.confirm("Delete all of this?", abort=True)
    resetting.delete(settings)
    typer.echo("Deleted.")


@app.command()
def monitor(
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Look once; one JSON object.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Watch sent, acknowledged, stored, set aside, duplicates, lag, rate and latency; until Ctrl-C.

    Where nobody watches a terminal, each look is one line.
    """
    from rich.live import Live

    from indutech import monitor as monitoring
    from indutech.stopping import stop_asked, wait_for

    settings = Settings()
    with brokers.connected(settings) as broker:
        watched = monitoring.Monitor(settings, broker)
        reading = watched.look()
        if as_json:
            typer.echo(json.dumps(reading.as_dict()))
        elif once:
            rich.print(monitoring.as_table(reading, settings.topic))
        elif not sys.stdout.isatty():
            with stop_asked() as stop:
                while not stop():
                    print(monitoring.as_line(watched.look()), flush=True)
                    wait_for(stop, every)
        else:
            with Live(monitoring.as_table(reading, settings.topic)) as live, contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(every)
                    live.update(monitoring.as_table(watched.look(), settings.topic))


@app.command()
def diagram(
    view: Annotated[View | None, typer.Option(help="One view; all three without it.")] = None,
    form: Annotated[Format, typer.Option("--format", help="SVG carries its icons and letters.")] = Format.SVG,
    output: Annotated[Path | None, typer.Option(help="Folder; else `diagrams` in the data folder.")] = None,
) -> None:
    """Draw the platform from its model: the same model gives the same bytes."""
    from indutech import diagram as diagrams
    from indutech.platform import platform

    folder = output or Settings().data_dir / "diagrams"
    for file in diagrams.write(platform(), folder, (view,) if view else tuple(View), form):
        typer.echo(file)


@app.command()
def documents() -> None:
    """Renew the generated parts of docs/01, docs/02 and docs/ticket.md, and the drawings they show."""
    from indutech import diagram as diagrams
    from indutech import dossier, ticket_document
    from indutech.platform import platform

    diagrams.write(platform(), diagrams.DIAGRAMS)
    diagrams.write(platform(), diagrams.DIAGRAMS, (View.OVERVIEW,), Format.PNG)
    changed = dossier.renew(platform()) + ticket_document.renew()
    typer.echo("\n".join(f"Renewed: {path.name}" for path in changed) or "No document changed.")


@contextlib.contextmanager
def _says_it_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("Stopped, with everything that this command had started.", err=True)
        raise typer.Exit(130) from None


@app.command()
def report(
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="For the notebooks that have it; repeatable."),
    ] = None,
) -> None:
    """Run every notebook headless, on a real broker and Spark, and write the HTML report."""
    from indutech import headless, parameters

    with _says_it_stopped():
        made = headless.make_report(parameters.from_text(parameter or []))
    if made.proof:
        typer.echo(made.proof.sentence)
    here = Path.cwd()
    typer.echo(f"The report: {made.index.relative_to(here) if made.index.is_relative_to(here) else made.index}")


@app.command()
def notebooks() -> None:
    """Run every notebook in place with its defaults and save the outputs: the only way they are made."""
    from indutech import headless

    with _says_it_stopped():
        changed = headless.refresh_outputs()
    typer.echo("\n".join(f"New outputs: {path.name}" for path in changed) or "No output changed.")
