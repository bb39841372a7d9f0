"""The commands of the pipeline: produce, stream, route, reconcile, monitor, compact, publish, reset, health."""

import contextlib
import dataclasses
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import rich
import typer

from indutech.kafka import broker as brokers
from indutech.lake.store import connection as store
from indutech.proof.health import Part
from indutech.system.settings import Settings
from indutech.system.signals import stop_asked, wait_for


def health(
    part: Annotated[Part | None, typer.Argument(help="The broker alone without it.")] = None,
) -> None:
    """Exit 0 if the broker answers and that part runs here; otherwise exit 1 with one sentence that says why."""
    from indutech.proof import health as health_checks

    health_checks.check(Settings(), part)
    typer.echo("healthy")


def produce(
    count: Annotated[
        int | None, typer.Option(min=1, help="Messages to send; 20,000, unless --rate or --from says otherwise.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Messages per second; without --count until Ctrl-C.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeat a run exactly; without it one is drawn and printed.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Replay this file: JSON lines, JSON, CSV (all also packed), Parquet.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the text of --from, if not UTF-8: cp1252, utf-16-le …")
    ] = None,
    assume_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Of dates in --from that have none: Europe/Paris, UTC …")
    ] = None,
    epoch: Annotated[
        str | None, typer.Option(metavar="s|ms|us|ns", help="Dates in --from are numbers, counted so since 1970.")
    ] = None,
    load: Annotated[bool, typer.Option("--load", help="The fast client, for volume: confluent-kafka.")] = False,
    period: Annotated[
        float | None,
        typer.Option(metavar="DAYS", help="Spread the dates over so many days, by the hours of work."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Send support tickets, or another data product, and keep an audit of what the broker acknowledged.

    Exit 0: everything was acknowledged, or a signal stopped it. Exit 1: something failed or was no ticket.

    \b
    indutech produce                              20,000, a new seed each time
    indutech produce --count 500 --seed 7         the same 500 each time
    indutech produce --rate 50                    50 a second until Ctrl-C
    indutech produce --count 1000000 --load       as fast as it goes
    indutech produce --count 20000 --period 28    four weeks of office hours
    indutech produce --from old.csv --rate 10     somebody else's tickets
    INDUTECH_PRODUCT=readings indutech produce    readings of sensors, and so for every command
    """
    from indutech.producer import produce as producer
    from indutech.tickets.files import Reading

    if rate is not None and not 0 < rate < float("inf"):
        raise typer.BadParameter("--rate must be more than 0 messages per second.")
    if source and (seed is not None or period is not None):
        raise typer.BadParameter("--from replays the tickets of a file: --seed and --period are for generated ones.")
    if not source and (encoding or assume_zone or epoch):
        raise typer.BadParameter("--encoding, --assume-zone and --epoch say how to read the file of --from.")
    if period is not None and not 0 < period <= 3660:
        raise typer.BadParameter("--period must be more than 0 and at most 3,660 days.")
    if period is not None and count is None and rate is not None:
        raise typer.BadParameter("--period spreads a known number of tickets: give --count as well.")
    reading = Reading.said(encoding, assume_zone, epoch)
    settings = Settings()
    with brokers.connected(settings) as broker, stop_asked() as stop:
        result = producer.produce(
            settings,
            broker,
            count=count,
            rate=rate,
            seed=seed,
            source=source,
            reading=reading,
            load=load,
            period=None if period is None else timedelta(days=period),
            progress=not as_json,
            stop=stop,
        )
    for error in result.errors:
        typer.echo(f"indutech: {error}", err=True)
    typer.echo(json.dumps(result.as_dict()) if as_json else " ".join([result.sentence, *result.notes]))
    raise typer.Exit(0 if result.complete else 1)


def stream(
    once: Annotated[bool, typer.Option("--once", help="Store what the topic holds now, then stop.")] = False,
    accept_expired: Annotated[
        bool,
        typer.Option("--accept-expired", help="Go on after messages that the broker deleted too early, and note them."),
    ] = False,
    publish_every: Annotated[
        float | None,
        typer.Option("--publish", min=0.2, metavar="SECONDS", help="Do `indutech publish` so often, and at the end."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Validate messages and store them in the lake, each exactly once; until Ctrl-C, or `--once`.

    Whatever interrupts it, the next start goes on where the last committed micro-batch ended.

    \b
    indutech stream                   every two seconds, until Ctrl-C
    indutech stream --once            what is there, then stop
    indutech stream --publish 60      and once a minute for readers of Iceberg
    """
    from indutech.stream import job as streams  # Spark takes half a second to import
    from indutech.stream.metrics import StreamPosition
    from indutech.system import progress

    with store.connected(Settings()) as settings, brokers.connected(settings) as broker, stop_asked() as stop:
        position = StreamPosition(settings, broker, asks=progress.on_terminal() and not as_json)
        with progress.shown(position.look, wanted=not as_json):
            result = streams.run(
                settings,
                broker,
                once=once,
                accept_expired=accept_expired,
                position=position,
                publish_every_s=publish_every,
                stop=stop,
            )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result)))
    else:
        aside = (
            f", {result.quarantined:,} set aside with the reason (`indutech quarantine list`)"
            if result.quarantined
            else ""
        )
        typer.echo(
            f"{'Stopped: ' if result.stopped_by_user else ''}"
            f"{result.stored:,} {settings.product} stored in {result.place}{aside}: "
            f"{result.batches} micro-batch{'es' * (result.batches != 1)} in {result.seconds:.1f} s."
        )
        if result.held_back:
            typer.echo(
                f"{result.held_back:,} messages cannot be read yet: a producer's transaction is open before them. "
                "They come when it commits, aborts, or exceeds its transaction.timeout.ms; then start this again."
            )


def route(
    commit_every: Annotated[
        int | None,
        typer.Option("--commit", min=5, metavar="SECONDS", help="Commit so often, and not every five minutes."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Send urgent tickets (HAUTE, CRITIQUE) to a topic for each team within milliseconds, until Ctrl-C.

    It stores nothing: `indutech stream` beside it stores all tickets, each exactly once. The first start begins with
    what arrives from then on, a later one where the last commit was. Broken messages are not routed.

    Delivered at least once: none is missing, but after a stop or a kill those since the last commit come again. Header
    source_partition and source_offset say where the ticket stands in its topic: the same place is the same ticket.

    A commit interrupts it for a second or more: with fewer commits fewer tickets wait for one, and more come again.

    \b
    indutech route                    until Ctrl-C; to client_tickets-urgent-support-technique and so on
    indutech route --commit 30        at most half a minute comes again, and more tickets wait for a commit
    """
    from indutech.stream import route as routes  # Spark takes half a second to import
    from indutech.system import progress

    settings = Settings()
    with brokers.connected(settings) as broker, stop_asked() as stop:
        position = routes.RoutePosition()
        with progress.shown(position.look, wanted=not as_json) as say:
            result = routes.run(
                settings,
                broker,
                commit_every_s=commit_every or routes.COMMIT_EVERY_S,
                position=position,
                started=lambda: say(f"Routing urgent tickets of {settings.topic}; Ctrl-C stops it."),
                stop=stop,
            )
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result)))
        return
    for name, count in result.routed.items():
        typer.echo(f"{name}: {count:,}")
    again = f"those routed since {result.repeats_since}" if result.repeats_since else "them all"
    typer.echo(
        f"Stopped: {result.total:,} urgent tickets routed in {result.seconds:.1f} s. The next start repeats {again}."
    )


def reconcile(
    full: Annotated[
        bool, typer.Option("--full", help="Decode every column of every file as well, and verify its checksums.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The proof as one JSON object.")] = False,
) -> None:
    """Prove that no message was lost or stored twice: every offset of every file is counted.

    Exit 0: nothing lost, twice or pending. Exit 1: lost or twice. Exit 2: only pending: `indutech stream --once` next.
    """
    from indutech.proof import reconcile as reconciliation
    from indutech.proof import result

    with store.connected(Settings()) as settings, brokers.connected(settings) as broker:
        found = reconciliation.prove(settings, broker, full=full)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        result.show(found)
    raise typer.Exit(found.exit_code)


def compact(
    open_day_too: Annotated[
        bool, typer.Option("--open-day-too", help="Also the newest day, up to its last micro-batch but one.")
    ] = False,
) -> None:
    """Rewrite the many small files of closed days as few of about 128 MB; not while a stream runs."""
    from indutech.lake import compaction
    from indutech.lake.writer_lock import sole_writer

    with store.connected(Settings()) as settings, sole_writer(settings), stop_asked() as stop:
        days = compaction.compact(settings, open_day_too=open_day_too, stop=stop)
        stopped = stop()
    for day in days:
        typer.echo(
            f"{day.ingest_date}: {day.files_before} files, {day.bytes_before / 1e6:,.1f} MB -> "
            f"{day.files_after} files, {day.bytes_after / 1e6:,.1f} MB"
        )
    if stopped:
        typer.echo("Stopped after the day that had begun; `indutech compact` again does the rest.", err=True)
        raise typer.Exit(130)
    if not days:
        typer.echo("Nothing to compact: no closed day has more files than it needs.")


def publish(
    grace: Annotated[
        float, typer.Option(min=0, metavar="HOURS", help="How long files stay that a compaction has replaced.")
    ] = 24,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Bring the Iceberg tables `indutech.tickets` and `indutech.quarantine` up to the committed micro-batches.

    No file is copied. A snapshot has whole micro-batches only, also while the stream writes or compacts; publishing
    twice publishes once. Any Iceberg reader starts from the metadata file that is printed.
    """
    from indutech.lake import iceberg

    done = iceberg.publish(Settings(), timedelta(hours=grace))
    if as_json:
        typer.echo(json.dumps({"tables": [dataclasses.asdict(table) for table in done]}))
        return
    for table in done:
        upto = "nothing yet" if table.batch is None else f"up to micro-batch {table.batch}"
        replaced = f", {table.files_replaced:,} replaced" if table.files_replaced else ""
        typer.echo(f"{table.table}: {upto}; {table.files_added:,} files added{replaced}. {table.metadata}")


def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """List what would be deleted (lake, checkpoint, audit, broker data, ERP, gateways, plant: together) and ask."""
    from indutech.lake import reset as resetting

    with resetting.reached(Settings()) as settings:
        targets = resetting.listed(settings)
        if not targets:
            typer.echo(f"Nothing to delete in {settings.data_dir}.")
            return
        for path, size in targets:
            typer.echo(f"  {path}  {size / 1e6:,.1f} MB")
        if not yes:
            typer.confirm("Delete all of this?", abort=True)
        resetting.delete(settings)
    typer.echo("Deleted.")


def monitor(
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Look once; one JSON object.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Watch sent, acknowledged, stored, set aside, duplicates, lag, rate and latency; until Ctrl-C.

    Below them, of tickets, the last minute: by type and team, and how many are urgent. Where nobody watches a terminal,
    each look is one line.
    """
    from rich.live import Live

    from indutech.proof import monitor as monitoring

    with store.connected(Settings()) as settings, brokers.connected(settings) as broker:
        watched = monitoring.Monitor(settings, broker)
        if as_json:
            typer.echo(json.dumps(watched.read().as_dict()))
        elif once:
            rich.print(monitoring.as_table(watched.read(), settings.topic))
        else:
            table = Live(auto_refresh=False) if sys.stdout.isatty() else None
            with stop_asked() as stop, table or contextlib.nullcontext():
                while not stop():
                    reading = watched.read()
                    if table:
                        table.update(monitoring.as_table(reading, settings.topic), refresh=True)
                    else:
                        print(monitoring.as_line(reading), flush=True)
                    wait_for(stop, every)
            typer.echo("Stopped watching; producer and stream go on.")
