"""What Spectrum would read for each question, and charge: the columns that are named, in the files as stored."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import pandas as pd
import sqlglot
from sqlglot import exp

from indutech.costs.inputs.prices import PriceList, read_prices
from indutech.lake import layout
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.plant.erp import history
from indutech.plant.erp.tables import CLIENTS
from indutech.report.hybrid.questions import Question
from indutech.report.hybrid.scene import Scene

# A query is charged by the megabyte begun, and for ten at least (repost.aws, "How do I calculate the query charges in
# Amazon Redshift Spectrum?", read 2026-11-29).
MEGABYTE = 10**6
LEAST = 10 * MEGABYTE
LAKE = "lake"  # the external schema; the tables of other schemas are loaded


def columns_read(question: Question, known: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the columns of each table of the lake that a question names; `known` has all columns of those tables."""
    statement = sqlglot.parse_one(question.sql, read="redshift")
    tables = {one.alias_or_name: one.name for one in statement.find_all(exp.Table) if one.db == LAKE}
    found: dict[str, set[str]] = {name: set() for name in tables.values()}
    for column in statement.find_all(exp.Column):
        if (table := tables.get(column.table)) and column.name in set(known[table]):
            found[table].add(column.name)
    return found


def bytes_of(paths: Iterable[LakePath], columns: set[str]) -> int:
    """Return the compressed bytes of these columns in these Parquet files."""
    read = 0
    for path in paths:
        footer = files.metadata(path)
        for group in map(footer.row_group, range(footer.num_row_groups)):
            chunks = map(group.column, range(group.num_columns))
            read += sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in columns)
    return read


def charged(read: int, prices: PriceList) -> Decimal:
    """Return what Spectrum charges in dollars for one query that reads so many bytes."""
    counted = max(LEAST, -(-read // MEGABYTE) * MEGABYTE)
    return prices["redshift_spectrum"].cost(Decimal(counted) / 10**12, "TB").amount


def table(scene: Scene, asked: Iterable[Question]) -> pd.DataFrame:
    """For each question: bytes that Spectrum would read here, their share of all, and the price of asking it."""
    prices, stored = read_prices(), _files(scene)
    known = {name: files.schema(paths[0]).names for name, paths in stored.items()}
    rows = []
    for question in asked:
        named = columns_read(question, known)
        read = sum(bytes_of(stored[name], columns) for name, columns in named.items())
        whole = sum(bytes_of(stored[name], set(known[name])) for name in named)
        rows.append((question.name, read, round(100 * read / whole, 1), float(1000 * charged(read, prices))))
    return pd.DataFrame(rows, columns=["question", "bytes read", "% of the tables", "$ for asking it 1,000 times"])


def tickets_until_it_counts(scene: Scene, question: Question) -> int:
    """Return about how many tickets the lake may have until this question costs more than the least charge."""
    stored = _files(scene)
    columns = columns_read(question, {name: files.schema(paths[0]).names for name, paths in stored.items()})
    per_ticket = bytes_of(stored["tickets"], columns["tickets"]) / scene.tickets
    other = sum(bytes_of(stored[name], read) for name, read in columns.items() if name != "tickets")
    return int(round((LEAST - other) / per_ticket, -5))


def _files(scene: Scene) -> dict[str, list[LakePath]]:
    of_clients = {"clients": "state", "clients_history": "history"}
    return {
        "tickets": [one.path for one in layout.committed_files(scene.settings, "tickets")],
        "readings": [one.path for one in layout.committed_files(scene.of_readings, "readings")],
        **{name: [history.file(scene.settings, CLIENTS, view)] for name, view in of_clients.items()},
    }
