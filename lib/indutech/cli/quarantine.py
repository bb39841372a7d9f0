"""The `indutech quarantine` commands: list what was refused, show one message, send messages again."""

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import rich
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from indutech.kafka import broker as brokers
from indutech.lake.store import connection as store
from indutech.show.printable import excerpt, printable
from indutech.system.settings import Settings
from indutech.system.signals import stop_asked
from indutech.tickets.strict_json import Rejected

quarantine_app = typer.Typer(
    no_args_is_help=True, help="What broke the contract: list it, look at one message, send messages again."
)
_REASONS_SHOWN = 20
_BYTES_SHOWN = 4_000

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="PARTITION:OFFSET", help="Only these places, or PARTITION:FIRST-LAST."),
]
Reason = Annotated[str, typer.Option(help="Only reasons that begin with this text.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From this time of the broker on; ISO 8601, else UTC.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before this time of the broker.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@quarantine_app.command("list")
def list_(
    places: Places = None,
    reason: Reason = "",
    since: Since = None,
    until: Until = None,
    most: Annotated[int, typer.Option(min=0, help="Messages listed at most, after the counts.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Count the refused messages by reason, then list the first of them; only of committed micro-batches.

    \b
    indutech quarantine list                              everything
    indutech quarantine list --reason "unknown type"      reasons that begin so
    indutech quarantine list 2:0-999 --since 2026-03-02   of partition 2, since
    """
    from indutech.lake import quarantine, replay_log

    selection = _selection(places, reason, since, until)
    with store.connected(Settings()) as settings:
        counts = quarantine.counts(settings, selection)
        sent = replay_log.read(settings).places
        rows = [
            {
                "partition": one.place.partition,
                "offset": one.place.offset,
                "timestamp": one.timestamp.isoformat(timespec="milliseconds"),
                "reason": one.reason,
                "bytes": None if one.value is None else len(one.value),
                "replayed_to": str(sent[one.place]) if one.place in sent else None,
            }
            for one in quarantine.messages(settings, selection, most)
        ]
    total = sum(counts.values())
    if as_json:
        typer.echo(json.dumps({"total": total, "reasons": counts, "messages": rows}))
        return
    if not total:
        typer.echo(f"No refused message{'' if selection == quarantine.Selection() else ' of this selection'}.")
        return
    _print_counts(counts, total)
    if rows:
        _print_rows(rows, total)
    typer.echo("Look at one: `indutech quarantine show PARTITION:OFFSET`; send again: `indutech quarantine replay`.")


@quarantine_app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As `indutech quarantine list` writes it.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Nothing but the bytes as received, to mend in a file: > message.json")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the bytes of one refused message, and everything that is wrong with it today: byte, field and reason.

    What cannot be printed stands as ‹hex›; counting of bytes begins at 0.
    """
    from indutech.lake import quarantine, replay_log
    from indutech.tickets import product as products

    [(partition, offset, last)] = _ranges([place])
    if last != offset:
        raise typer.BadParameter(f"{place!r} names several messages: give one PARTITION:OFFSET.")
    with store.connected(Settings()) as settings:
        product = products.of(settings)
        found = quarantine.message(settings, quarantine.Place(partition, offset))
    value = found.value or b""
    if raw:
        sys.stdout.buffer.write(value)
        return
    faults = product.all_faults(found.value)
    sent = replay_log.read(settings).places.get(found.place)
    if as_json:
        told = {
            "topic": found.topic,
            "partition": partition,
            "offset": offset,
            "timestamp": found.timestamp.isoformat(timespec="milliseconds"),
            "key_base64": _base64(found.key),
            "value_base64": _base64(found.value),
            "reason": found.reason,
            "faults": [{"reason": one.reason, "field": one.field, "position": one.position} for one in faults],
            "replayed_to": str(sent) if sent else None,
        }
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{found.topic}, partition {partition}, offset {offset}, {found.timestamp.isoformat(sep=' ')}")
    typer.echo(f"set aside as: {found.reason}")
    typer.echo(f"key:   {'none' if found.key is None else printable(found.key)}")
    more = f" … and {len(value) - _BYTES_SHOWN:,} bytes more (--raw)" if len(value) > _BYTES_SHOWN else ""
    typer.echo(f"value: {'none' if found.value is None else printable(value[:_BYTES_SHOWN])}{more}")
    for one in faults:
        where = [f"byte {one.position:,}"] if one.position is not None else []
        where += [f"field {one.field}"] if one.field else []
        stands = "" if one.position is None else f"; there stands {excerpt(value, one.position)}"
        typer.echo(f"wrong: {', '.join(where) or 'the whole message'}: {one.reason}{stands}")
    if not faults:
        typer.echo("Nothing is wrong with it under today's contract: `indutech quarantine replay` would send it.")
    if sent:
        typer.echo(f"It was sent again: partition {sent.partition}, offset {sent.offset}.")


@quarantine_app.command()
def replay(
    places: Places = None,
    reason: Reason = "",
    since: Since = None,
    until: Until = None,
    with_file: Annotated[
        Path | None, typer.Option("--with", help="The mended bytes of the one selected message.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of each message; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send refused messages again that are right now: the contract has changed, or they are mended here.

    Each is sent once, however often this is called or killed. A header of the message says which one it repeats.
    Exit 0: each selected message was sent, now or before. Exit 1: some are still refused, or failed.

    \b
    indutech quarantine replay --dry-run                  today's contract
    indutech quarantine replay --reason "unknown type" \\
        --set type=Connexion                              mend a selection
    indutech quarantine show 0:17 --raw > message.json    mend one by hand:
    indutech quarantine replay 0:17 --with message.json   from its new bytes
    """
    from indutech.producer import quarantine_replay

    selection = _selection(places, reason, since, until)
    mend = _mend(selection, with_file, set_ or [])
    with store.connected(Settings()) as settings, brokers.connected(settings) as broker, stop_asked() as stop:
        result = quarantine_replay.replay(
            settings, broker, selection, mend=mend, dry_run=dry_run, progress=not as_json, stop=stop
        )
    for error in result.errors:
        typer.echo(f"indutech: {error}", err=True)
    if as_json:
        typer.echo(json.dumps(result.as_dict()))
    else:
        for one in result.still_refused:
            typer.echo(f"still refused: {one.partition}:{one.offset}  {one.reason}")
        if (rest := result.refused - len(result.still_refused)) > 0:
            typer.echo(f"still refused: {rest:,} more (--json counts them by reason)")
        typer.echo(result.sentence)
        if result.acknowledged and not dry_run:
            typer.echo("The stream stores them as it does any other: `indutech stream --once`.")
    raise typer.Exit(0 if result.complete or result.stopped else 1)


def _selection(places: list[str] | None, reason: str, since: str | None, until: str | None) -> Any:
    from indutech.lake.quarantine import Selection

    return Selection(reason, tuple(_ranges(places or [])), _moment("--since", since), _moment("--until", until))


def _ranges(places: list[str]) -> list[tuple[int, int, int]]:
    found = []
    for place in places:
        try:
            partition, offsets = place.split(":")
            first, _, last = offsets.partition("-")
            found.append((int(partition), int(first), int(last or first)))
        except ValueError:
            raise typer.BadParameter(f"{place!r} is no PARTITION:OFFSET or PARTITION:FIRST-LAST.") from None
    return found


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text!r} is no ISO 8601 time, for instance 2026-03-02T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _mend(selection: Any, with_file: Path | None, assignments: list[str]) -> Any:
    from indutech.tickets import mending
    from indutech.tickets import product as products

    product = products.of(Settings())
    is_one = len(selection.ranges) == 1 and selection.ranges[0][1] == selection.ranges[0][2]
    if with_file and assignments:
        raise typer.BadParameter("--with gives the whole message: --set cannot change it as well.")
    if with_file:
        if not is_one:
            raise typer.BadParameter("--with is for one message: name its PARTITION:OFFSET.")
        try:
            mended = with_file.read_bytes()
        except OSError as error:
            raise typer.BadParameter(f"--with {with_file} cannot be read: {error.strerror}.") from None
        return lambda _value: mended
    new = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set {assignment!r} is no FIELD=VALUE.")
        new[name] = mending.as_json_value(name, text, product)
        if name in product.unique and not is_one:
            raise typer.BadParameter(f"--set {name} would give several messages the same one: name one message.")

    def mend(value: bytes | None) -> bytes | Rejected | None:
        return mending.with_fields(value, new) if new else value

    return mend


def _print_counts(counts: dict[str, int], total: int) -> None:
    table = Table(title=f"{total:,} refused", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("messages", justify="right")
    table.add_column("reason", overflow="fold")
    for reason, count in list(counts.items())[:_REASONS_SHOWN]:
        table.add_row(f"{count:,}", escape(reason))
    if (rest := len(counts) - _REASONS_SHOWN) > 0:
        table.add_row(f"{sum(list(counts.values())[_REASONS_SHOWN:]):,}", f"{rest:,} other reasons")
    rich.print(table)


def _print_rows(rows: list[dict[str, Any]], total: int) -> None:
    table = Table(
        title=f"The first {len(rows):,}" if len(rows) < total else None, title_justify="left", box=SIMPLE_HEAD
    )
    table.add_column("place", no_wrap=True)
    table.add_column("received (UTC)", no_wrap=True)
    table.add_column("bytes", justify="right")
    table.add_column("reason", overflow="fold")
    table.add_column("sent again to", no_wrap=True)
    for row in rows:
        size = "-" if row["bytes"] is None else f"{row['bytes']:,}"
        table.add_row(
            f"{row['partition']}:{row['offset']}",
            row["timestamp"][:19].replace("T", " "),
            size,
            escape(row["reason"]),
            row["replayed_to"] or "",
        )
    rich.print(table)


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
