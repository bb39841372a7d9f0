"""The figures that others published (`assets/published-figures.csv`): conditions, day, address, the words read there.

They were measured on other machines, for other work, often by a vendor: context for our figures, never a comparison.
A quote has the source's words, a table's spaces collapsed to one, and […] where something between is left out.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from indutech.system.errors import InduTechError
from indutech.system.settings import PROJECT

PUBLISHED_FILE = PROJECT / "assets" / "published-figures.csv"
SUBJECTS = ("producing", "consuming", "draining to files", "latency", "parse JSON", "write Parquet")
UNITS = ("messages/s", "rows/s", "MB/s", "ms")
LONGEST_QUOTE = 160
SCALES = (1, 1_000, 1_000_000)  # a source says 1250k, 1.0 million, or seconds where the file has ms


@dataclass(frozen=True)
class Published:
    """One figure of a source, as the source states it; `published` is a day, or a month where no day is known."""

    system: str
    what: str
    figure: Decimal
    unit: str
    conditions: str
    published: str
    source: str
    quote: str
    read: date


COLUMNS = tuple(field.name for field in fields(Published))


def read(file: Path = PUBLISHED_FILE, today: date | None = None) -> list[Published]:
    """Every row of the file, in its order. Raises InduTechError, naming line and column, where one does not hold."""
    found = []
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise InduTechError(f"{file.name}, line 1: the columns must be {', '.join(COLUMNS)}. Mend the head.")
        for row in rows:
            if wrong := [f"{column} {why}" for column, why in _faults(row, today or date.today())]:
                raise InduTechError(f"{file.name}, line {rows.line_num}: {'; '.join(wrong)}. Mend or drop the row.")
            texts = {column: row[column] for column in COLUMNS if column not in ("figure", "read")}
            found.append(Published(figure=Decimal(row["figure"]), read=date.fromisoformat(row["read"]), **texts))
    return found


def _faults(row: dict[str, str], today: date) -> Iterator[tuple[str, str]]:
    """Each column of a row that does not hold, and why."""
    if None in row or any(not row[column] for column in COLUMNS):
        yield "row", f"must have all {len(COLUMNS)} columns filled"
        return
    published, read_on = _first_day(row["published"]), _first_day(row["read"])
    if published is None or published > today:
        yield "published", f"{row['published']!r} must be a day or a month that was"
    if read_on is None or len(row["read"]) != len("2026-11-30") or read_on > today:
        yield "read", f"{row['read']!r} must be a day that was"
    elif published is not None and published > read_on:
        yield "published", f"{row['published']!r} must not be after it was read ({row['read']})"
    if not re.fullmatch(r"https://[^\s/]+\.[^\s/]+/\S+", row["source"]):
        yield "source", f"{row['source']!r} must be the https address of one page"
    if row["what"] not in SUBJECTS:
        yield "what", f"{row['what']!r} must be one of {', '.join(SUBJECTS)}"
    if row["unit"] not in UNITS:
        yield "unit", f"{row['unit']!r} must be one of {', '.join(UNITS)}"
    figure = _number(row["figure"])
    if figure is None or figure <= 0:
        yield "figure", f"{row['figure']!r} must be a number above 0"
    elif figure not in _numbers_of(row["quote"]):
        yield "quote", f"must hold the figure {row['figure']}, or it in thousands or millions"
    if len(row["quote"]) > LONGEST_QUOTE:
        yield "quote", f"must have at most {LONGEST_QUOTE} characters, not {len(row['quote'])}"


def _numbers_of(quote: str) -> set[Decimal]:
    """Every number of a text, at each scale, and rounded to a whole one."""
    texts = re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", quote)
    exact = {Decimal(text.replace(",", "")) * scale for text in texts for scale in SCALES}
    return exact | {round(number, 0) for number in exact}


def _number(text: str) -> Decimal | None:
    """The finite number of a text, or None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _first_day(text: str) -> date | None:
    """The day of an ISO date, the first one of a month, or None."""
    try:
        return date.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return None
