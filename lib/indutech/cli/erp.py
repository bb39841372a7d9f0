"""The `indutech erp` commands: an ERP of one's own, its changes captured into the lake, and the proof that they are."""

import dataclasses
import json
from typing import Annotated

import typer

from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

erp_app = typer.Typer(
    no_args_is_help=True,
    help="The ERP: a real PostgreSQL, its changes captured by Debezium into the lake, and the proof by rows.",
)


@erp_app.command("start")
def erp_start(
    clients: Annotated[
        int | None, typer.Option(min=2, max=9000, help="Clients of a new ERP; all 9,000 ids that tickets may name.")
    ] = None,
) -> None:
    """Start PostgreSQL with its clients, sites, contracts and machines, and Kafka Connect behind it; keep them.

    The first start makes the rows, from a seed, and fetches 57 jars (16 MB). Without KAFKA_BOOTSTRAP_SERVERS the
    embedded broker is started as well. It all runs until `indutech erp stop`.

    \b
    indutech erp start
    indutech erp change --count 500
    indutech erp store --once                     into the lake: every change, state, history
    indutech erp proof                            the lake's rows against the ERP's
    indutech erp stop
    """
    from indutech.plant.erp import embedded, tables

    settings = Settings()
    status = embedded.start(settings, clients or tables.MOST_CLIENTS)
    typer.echo(
        f"The ERP answers at 127.0.0.1:{status.port}, its changes are captured; `indutech erp stop` ends both. "
        f"Its data: {status.data_dir}"
    )


@erp_app.command("stop")
def erp_stop() -> None:
    """Stop what `indutech erp start` started; exit 1 if others still use some of it, which then ends with the last."""
    from indutech.plant.erp import embedded

    settings = Settings()
    before = embedded.status(settings)
    if still_used := embedded.stop(settings):
        raise InduTechError(f"{', '.join(still_used)}: still used, and stopping with the last user.")
    was_running = before.database.running or before.capture.running
    typer.echo("The ERP has stopped; its data stays." if was_running else "No ERP was running.")


@erp_app.command("status")
def erp_status(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Tell whether the ERP runs and its changes are captured; exit 1 if the capture has failed."""
    from indutech.plant.erp import embedded

    status = embedded.status(Settings())
    failed = status.capture_state == "FAILED"
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(status), default=str))
        raise typer.Exit(1 if failed else 0)
    if not status.database.running:
        typer.echo(f"No ERP runs in {status.data_dir}.")
    else:
        kept = "kept until `indutech erp stop`" if status.database.kept else "stops with its last user"
        typer.echo(f"PostgreSQL (process {status.database.pid}) answers at 127.0.0.1:{status.port}; {kept}.")
    if status.capture.running:
        why = f": {status.why}" if status.why else ""
        typer.echo(f"Kafka Connect (process {status.capture.pid}): {status.capture_state}{why}.")
    raise typer.Exit(1 if failed else 0)


@erp_app.command("change")
def erp_change(
    count: Annotated[int, typer.Option(min=1, help="Changes to commit.")] = 100,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Changes per second; without it as fast as it goes.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Repeat a run exactly; else one is drawn and printed.")
    ] = None,
    new_column: Annotated[
        str | None, typer.Option("--new-column", metavar="NAME", help="First add a column of text to the clients.")
    ] = None,
) -> None:
    """Change the clients of the ERP: updates, inserts, deletes, changed keys; some transactions are rolled back.

    \b
    indutech erp change --count 1000 --rate 50          a busy afternoon
    indutech erp change --new-column account_manager    somebody changes the table, and tells nobody
    """
    from indutech.plant.erp import changes, embedded
    from indutech.system.signals import stop_asked
    from indutech.tickets.product import drawn_seed

    settings = Settings()
    seed = drawn_seed() if seed is None else seed
    with stop_asked() as stop, embedded.erp(settings) as folder:
        if new_column:
            changes.add_column(folder, new_column)
        done = changes.apply(folder, count, seed, rate=rate, stop=stop)
    typer.echo(f"{done.sentence}; seed {seed}.")


@erp_app.command("store")
def erp_store(
    once: Annotated[bool, typer.Option("--once", help="Store what the topics hold now, then stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Store the captured changes in the lake, each once, with state and history of the clients; until Ctrl-C.

    Whatever interrupts it, the next start goes on where the newest file ends.
    """
    from indutech.kafka import broker as brokers
    from indutech.lake.store import connection as store
    from indutech.plant.erp import job
    from indutech.system.signals import stop_asked

    with store.connected(Settings()) as settings, brokers.connected(settings) as broker, stop_asked() as stop:
        result = job.run(settings, broker, once=once, stop=stop)
    typer.echo(json.dumps(dataclasses.asdict(result)) if as_json else result.sentence)


@erp_app.command("proof")
def erp_proof(as_json: Annotated[bool, typer.Option("--json", help="The proof as one JSON object.")] = False) -> None:
    """Prove that the clients in the lake are those of the ERP: every row and column is compared, differences are named.

    The ERP may be changed meanwhile: of the lake, just the transactions that were seen in the ERP are taken.
    Exit 0: equal. Exit 1: different. Exit 2: changes are on their way: `indutech erp store --once` next.
    """
    from indutech.lake.store import connection as store
    from indutech.plant.erp import comparison, embedded, tables

    with store.connected(Settings()) as settings, embedded.captured(settings) as broker:
        wait = comparison.until_captured(settings, settings.broker_timeout_s)
        found = [comparison.compare(settings, broker, table, wait) for table in tables.CAPTURED]
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found]))
    else:
        for one in found:
            for difference in one.differences:
                typer.echo(f"  {difference.sentence}")
            if one.different > len(one.differences):
                typer.echo(f"  … {one.different:,} rows differ in all")
            typer.echo(one.sentence)
    codes = {one.exit_code for one in found}
    raise typer.Exit(1 if 1 in codes else max(codes))
