"""What the tickets say: tables in, tables out, sorted and rounded, ready to be shown and drawn."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from indutech.tickets.contract import Priority

OFFICE_ZONE = "Europe/Paris"
OFFICE_HOURS = range(8, 18)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
URGENT = (Priority.HIGH.value, Priority.CRITICAL.value)
PRIORITIES = [priority.value for priority in Priority]


def with_office_time(tickets: pd.DataFrame) -> pd.DataFrame:
    """Add `day`, `weekday` and `hour` of the creation date as the office in Paris sees it, and `office_hours`."""
    local = tickets["creation_date"].dt.tz_convert(OFFICE_ZONE)
    hours = local.dt.hour
    return tickets.assign(
        day=local.dt.date,
        weekday=pd.Categorical.from_codes(local.dt.dayofweek, categories=pd.Index(WEEKDAYS), ordered=True),
        hour=hours,
        office_hours=hours.isin(OFFICE_HOURS) & (local.dt.dayofweek < 5),
    )


def volumes(tickets: pd.DataFrame, by: str) -> pd.DataFrame:
    """Tickets and their share in percent per value of a column, the most frequent first."""
    counted = tickets.groupby(by, observed=True).size().rename("tickets").reset_index()
    counted["share_percent"] = (100 * counted["tickets"] / max(len(tickets), 1)).round(1)
    return counted.sort_values(["tickets", by], ascending=[False, True], ignore_index=True)


def priorities(tickets: pd.DataFrame, by: str) -> pd.DataFrame:
    """Tickets per priority for each value of a column, and the share of urgent ones (HAUTE, CRITIQUE) in percent."""
    grid = pd.crosstab(tickets[by], tickets["priority"]).reindex(columns=PRIORITIES, fill_value=0)
    total = grid.sum(axis=1)
    grid["urgent_percent"] = (100 * grid[list(URGENT)].sum(axis=1) / total).round(1)
    grid.columns.name = None
    return grid.reset_index().sort_values(["urgent_percent", by], ascending=[False, True], ignore_index=True)


def per_day(tickets: pd.DataFrame) -> pd.DataFrame:
    """Tickets per day of the office's calendar, days without any included."""
    counted = tickets.groupby("day").size()
    every_day = pd.date_range(counted.index.min(), counted.index.max(), freq="D").date
    return counted.reindex(every_day, fill_value=0).rename_axis("day").rename("tickets").reset_index()


def week(tickets: pd.DataFrame) -> pd.DataFrame:
    """Average tickets per hour, a row per weekday and a column per hour of the day."""
    grid = pd.crosstab(tickets["weekday"], tickets["hour"]).reindex(
        index=list(WEEKDAYS), columns=range(24), fill_value=0
    )
    return grid.div(_hours_covered(tickets)).fillna(0.0).round(1)


def busiest(grid: pd.DataFrame) -> tuple[str, int, float]:
    """Weekday, hour and value of the largest cell of `week`."""
    row, column = divmod(int(grid.to_numpy().argmax()), grid.shape[1])
    return str(grid.index[row]), int(grid.columns[column]), float(grid.to_numpy()[row, column])


def clients(tickets: pd.DataFrame) -> pd.DataFrame:
    """Tickets, share and urgent tickets per client, the noisiest first."""
    table = volumes(tickets, "client_id")
    urgent = tickets[tickets["priority"].isin(URGENT)].groupby("client_id").size()
    table["urgent"] = table["client_id"].map(urgent).fillna(0).astype(int)
    return table


def concentration(clients_table: pd.DataFrame, shares: tuple[float, ...] = (1, 5, 10, 25, 50)) -> pd.DataFrame:
    """How many percent of the tickets the noisiest percent of the clients write."""
    total, number = clients_table["tickets"].sum(), len(clients_table)
    tops = [max(1, round(number * share / 100)) for share in shares]
    written = [clients_table["tickets"].head(top).sum() for top in tops]
    return pd.DataFrame(
        {
            "noisiest_percent": shares,
            "clients": tops,
            "tickets": written,
            "share_percent": [round(100 * part / total, 1) for part in written],
        }
    )


def staffing(tickets: pd.DataFrame, minutes_per_ticket: int) -> pd.DataFrame:
    """Agents per team that the average and the busiest hour of the week keep occupied, and the load out of hours."""
    rows = []
    for team, mine in tickets.groupby("support_team"):
        grid = week(mine)
        office = grid.loc[list(WEEKDAYS[:5]), list(OFFICE_HOURS)]
        _, _, most = busiest(grid)
        rows.append({
            "support_team": team,
            "tickets": len(mine),
            "per_office_hour": round(float(office.to_numpy().mean()), 1),
            "busiest_hour": most,
            "agents_on_average": _agents(float(office.to_numpy().mean()), minutes_per_ticket),
            "agents_at_peak": _agents(most, minutes_per_ticket),
            "out_of_hours_percent": round(100 * float(1 - mine["office_hours"].mean()), 1),
        })  # fmt: skip
    return pd.DataFrame(rows).sort_values(["tickets", "support_team"], ascending=[False, True], ignore_index=True)


def visible_after_s(rows: pd.DataFrame, batches: pd.DataFrame) -> pd.Series:
    """Seconds from the broker's stamp to the end of the micro-batch that stored the row: its commit.

    `batches` has `batch`, `started_at` and `seconds`, as the stream's metrics do.
    """
    committed = pd.to_datetime(batches["started_at"]) + pd.to_timedelta(batches["seconds"], unit="s")
    of_row = rows["batch"].map(committed.set_axis(batches["batch"]))
    waited: pd.Series = (of_row - rows["kafka_timestamp"]).dt.total_seconds()
    return waited


def quantiles(values: pd.Series) -> dict[str, float]:
    """p50, p95 and p99, rounded to two decimals."""
    return {name: round(float(values.quantile(q)), 2) for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def quality(stored: int, curated: int, quarantined: int) -> pd.DataFrame:
    """What arrived, by what became of it, with shares in percent."""
    arrived = stored + quarantined
    what: Mapping[str, int] = {
        "arrived": arrived,
        "set aside": quarantined,
        "stored": stored,
        "the same ticket again": stored - curated,
        "distinct tickets": curated,
    }
    return pd.DataFrame(
        {
            "messages": list(what),
            "count": list(what.values()),
            "share_percent": [round(100 * n / max(arrived, 1), 2) for n in what.values()],
        }
    )


def offsets_accounted(partitions: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The proof by offsets, a row per partition: what must be there, what is, and what is not as it should be."""
    ranges = ("lost", "twice")
    return pd.DataFrame(
        {
            "partition": part["partition"],
            "first": part["first"],
            "end": part["end"],
            "stored": part["stored"],
            "set aside": part["quarantined"],
            **{name: sum(last - first + 1 for first, last in part[name]) for name in ranges},
            "pending": part["pending"],
        }
        for part in partitions
    )


def reasons(quarantine: pd.DataFrame) -> pd.DataFrame:
    """Quarantined messages per reason, the most frequent first."""
    counted = quarantine.groupby("reason").size().rename("messages").reset_index()
    return counted.sort_values(["messages", "reason"], ascending=[False, True], ignore_index=True)


def _hours_covered(tickets: pd.DataFrame) -> pd.DataFrame:
    """How often each hour of the week came by between the first ticket and the last."""
    moments = tickets["creation_date"].dt.floor("h")
    covered = pd.date_range(moments.min(), moments.max(), freq="h").tz_convert(OFFICE_ZONE)
    times = pd.crosstab(covered.day_name(), covered.hour)
    return times.reindex(index=list(WEEKDAYS), columns=range(24))


def _agents(per_hour: float, minutes_per_ticket: int) -> float:
    return round(per_hour * minutes_per_ticket / 60, 1)
