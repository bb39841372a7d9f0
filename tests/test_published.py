"""The figures of others are dated data with a source, and each stands in the words that were read there."""

import csv
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from indutech.report.edition.performance import published
from indutech.report.edition.performance.published import COLUMNS
from indutech.system.errors import InduTechError

TODAY = date(2026, 11, 30)
WHOLE = {
    "system": "Engine", "what": "producing", "figure": "1250000", "unit": "messages/s",
    "conditions": "one core, 1 KB; vendor's own", "published": "2026-02", "source": "https://example.org/page",
    "quote": "1250k msg/sec - 1KB payload", "read": "2026-11-30",
}  # fmt: skip


def written(folder: Path, row: Mapping[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A file of one row."""
    file = folder / "published-figures.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, columns)
        table.writeheader()
        table.writerow(row)
    return file


def test_the_committed_figures_hold() -> None:
    """Every row of the committed file is read, and no two are the same figure of one source for one system."""
    rows = published.read()

    assert len({(row.system, row.what, row.figure, row.source) for row in rows}) == len(rows) >= 12
    assert {row.what for row in rows} == set(published.SUBJECTS)


def test_each_figure_says_who_measured_it() -> None:
    """A vendor's own figure is read as one: the conditions end with whose it is."""
    for row in published.read():
        assert "by " in row.conditions or "a blog's report" in row.conditions, (row.system, row.conditions)


def test_no_figure_is_a_claim_that_one_is_faster() -> None:
    """Figures of other machines and other work are context, never a comparison with ours."""
    said = " ".join(f"{row.system} {row.conditions}" for row in published.read()).lower()

    assert [word for word in ("faster", "slower", "beats", "indutech") if word in said] == []


def test_a_whole_row_is_read(tmp_path: Path) -> None:
    """The figure is a number, in thousands in its quote."""
    [row] = published.read(written(tmp_path, WHOLE), today=TODAY)

    assert (row.figure, row.read, row.published) == (Decimal(1_250_000), TODAY, "2026-02")


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("source", "http://example.org/page", "source .* must be the https address of one page"),
        ("source", "https://example.org", "source .* must be the https address of one page"),
        ("published", "2026-12-01", "published '2026-12-01' must be a day or a month that was"),
        ("published", "spring 2026", "published 'spring 2026' must be a day or a month that was"),
        ("read", "2026-12-01", "read '2026-12-01' must be a day that was"),
        ("read", "2026-11", "read '2026-11' must be a day that was"),
        ("read", "2026-01-31", "published '2026-02' must not be after it was read"),
        ("figure", "0", "figure '0' must be a number above 0"),
        ("figure", "fast", "figure 'fast' must be a number above 0"),
        ("figure", "NaN", "figure 'NaN' must be a number above 0"),
        ("figure", "1251000", "quote must hold the figure 1251000"),
        ("figure", "250000", "quote must hold the figure 250000"),
        ("quote", "a lot of messages a second", "quote must hold the figure 1250000"),
        ("quote", "1250k msg/sec" + " and on" * 30, "quote must have at most 160 characters"),
        ("what", "everything", "what 'everything' must be one of producing"),
        ("unit", "furlongs", "unit 'furlongs' must be one of messages/s"),
        ("conditions", "", "row must have all 9 columns filled"),
    ],
)  # fmt: skip
def test_a_broken_row_is_refused(tmp_path: Path, column: str, value: str, says: str) -> None:
    """The message names the file, the line and the column."""
    with pytest.raises(InduTechError, match=rf"published-figures\.csv, line 2: {says}"):
        published.read(written(tmp_path, {**WHOLE, column: value}), today=TODAY)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    """A head that lacks a column is named before any row."""
    rest = {column: WHOLE[column] for column in COLUMNS if column != "read"}

    with pytest.raises(InduTechError, match=r"line 1: the columns must be system, what"):
        published.read(written(tmp_path, rest, tuple(rest)), today=TODAY)
