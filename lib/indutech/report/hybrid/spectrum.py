"""What Spectrum would read for each question, and charge: the columns that are named, in the files as stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
import sqlglot
from sqlglot import exp

from indutech.costs.inputs.prices import read_prices
from indutech.costs.storage import LEAST_CHARGED, spectrum_charge
from indutech.lake import layout
from indutech.lake.store import files
from indutech.lake.store.files import LakePath
from indutech.plant.erp import history
from indutech.plant.erp.tables import CLIENTS
from indutech.report.hybrid.questions import Question
from indutech.report.hybrid.scene import Scene

LAKE = "lake"  # the external schema; the tables of other schemas are loaded


@dataclass(frozen=True)
class Size:
    """Rows of a table, and the compressed bytes of all its columns."""

    rows: int
    column_bytes: int


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


def bytes_read(scene: Scene, question: Question) -> dict[str, int]:
    """Return for each table of the lake that a question reads the bytes of the columns that it names."""
    stored = _files(scene)
    return {name: bytes_of(stored[name], columns) for name, columns in columns_read(question, _columns(stored)).items()}


def tables(scene: Scene) -> dict[str, Size]:
    """Return how large each table of the lake is."""
    stored = _files(scene)
    known = _columns(stored)
    return {
        name: Size(sum(files.metadata(path).num_rows for path in paths), bytes_of(paths, set(known[name])))
        for name, paths in stored.items()
    }


def table(scene: Scene, asked: Iterable[Question]) -> pd.DataFrame:
    """For each question: bytes that Spectrum would read here, their share of all, and the price of asking it."""
    prices, sizes = read_prices(), tables(scene)
    rows = []
    for question in asked:
        by_table = bytes_read(scene, question)
        read, whole = sum(by_table.values()), sum(sizes[name].column_bytes for name in by_table)
        price = float(1000 * spectrum_charge(read, prices).amount)
        rows.append((question.name, read, round(100 * read / whole, 1), price))
    return pd.DataFrame(rows, columns=["question", "bytes read", "% of the tables", "$ for asking it 1,000 times"])


def tickets_until_it_counts(scene: Scene, question: Question) -> int:
    """Return about how many tickets the lake may have until this question costs more than the least charge."""
    read = bytes_read(scene, question)
    per_ticket = read.pop("tickets") / scene.tickets
    return int(round((LEAST_CHARGED - sum(read.values())) / per_ticket, -5))


def _columns(stored: Mapping[str, list[LakePath]]) -> dict[str, list[str]]:
    return {name: files.schema(paths[0]).names for name, paths in stored.items()}


def _files(scene: Scene) -> dict[str, list[LakePath]]:
    of_clients = {"clients": "state", "clients_history": "history"}
    return {
        "tickets": [one.path for one in layout.committed_files(scene.settings, "tickets")],
        "readings": [one.path for one in layout.committed_files(scene.of_readings, "readings")],
        **{name: [history.file(scene.settings, CLIENTS, view)] for name, view in of_clients.items()},
    }
