"""What clients wrote in the last minute, as far as it is stored: by type and team, and how much of it is urgent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb
from rich.table import Table

from indutech.lake.layout import DataFile
from indutech.lake.store import files as lake_files
from indutech.tickets.analysis import URGENT

SPAN = timedelta(minutes=1)
_NEWEST_BATCHES = 120  # bounds what one look reads: a stream whose trigger is half a second makes as many in a minute
_BAR_WIDTH = 24


@dataclass(frozen=True)
class LastMinute:
    """Stored tickets whose stamp by the broker is at most a minute old."""

    tickets: int = 0
    urgent: int = 0  # priority HAUTE or CRITIQUE
    by_type: dict[str, int] = field(default_factory=dict)  # the most frequent first
    by_team: dict[str, int] = field(default_factory=dict)


def read(files: Sequence[DataFile], now: datetime) -> LastMinute:
    """Count the tickets of the newest committed files."""
    newest = set(sorted({file.batch for file in files})[-_NEWEST_BATCHES:])
    recent = [file.path for file in files if file.batch in newest]
    if not recent:
        return LastMinute()
    question = (
        "SELECT type, support_team, count(*), count_if(list_contains(?, priority)) "
        "FROM read_parquet(?) WHERE kafka_timestamp > ? GROUP BY ALL"
    )
    try:
        with lake_files.duckdb_for(recent) as connection:
            named = [str(path) for path in recent]
            rows = connection.execute(question, [list(URGENT), named, now - SPAN]).fetchall()
    except duckdb.IOException:  # compacted since it was listed: the next look sees its successor
        return LastMinute()
    by_type, by_team = Counter[str](), Counter[str]()
    for type_, team, tickets, _ in rows:
        by_type[type_] += tickets
        by_team[team] += tickets
    return LastMinute(
        tickets=by_type.total(),
        urgent=sum(urgent for *_, urgent in rows),
        by_type=dict(by_type.most_common()),
        by_team=dict(by_team.most_common()),
    )


def as_table(minute: LastMinute) -> Table:
    """The minute for the terminal, with a bar for each share."""
    table = Table(title="The last minute, as stored", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right", min_width=14)
    table.add_column(style="cyan", min_width=_BAR_WIDTH)
    for name, tickets in {"tickets": minute.tickets, "urgent": minute.urgent}.items():
        table.add_row(name, f"{tickets:,}", _bar(tickets, minute.tickets))
    for counts in (minute.by_type, minute.by_team):
        table.add_section()
        for name, tickets in counts.items():
            table.add_row(name, f"{tickets:,}", _bar(tickets, minute.tickets))
    return table


def _bar(part: int, whole: int) -> str:
    return "█" * round(_BAR_WIDTH * part / whole) if whole else ""
