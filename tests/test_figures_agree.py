"""Documents and notebooks agree: a figure that stands in two of them is the same in both."""

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from indutech.system.settings import PROJECT

DOCUMENTS = {name: PROJECT / "docs" / f"{name}.md" for name in (
    "00-summary", "01-service-choices", "02-compatibility", "03-costs",
)}  # fmt: skip
NOTEBOOKS = {name: PROJECT / "notebooks" / f"{name}.ipynb" for name in ("01_architecture", "05_finops")}
MONEY = r"\$([\d,]+\.\d\d)"
# A figure that stands in several places outside a table of one shape, and how each place says it.
FACTS: Mapping[str, Mapping[str, str]] = {
    "days for 40 TB over 1 Gbit/s": {
        "01-service-choices": r"\| 1000 \| [\d.]+ \| ([\d.]+) \|",
        "03-costs": r"\| VPN on a 1 Gbit/s line \| ([\d.]+) \|",
        "01_architecture": r"40 TB take \*\*([\d.]+) days\*\*",
        "05_finops": r"\| VPN on a 1 Gbit/s line \| ([\d.]+) \|",
    },
    "the reference's month": {
        "00-summary": rf"bring the month from {MONEY}",
        "03-costs": rf"The corrected platform costs \*\*{MONEY}",
        "05_finops": rf"The corrected platform costs \*\*{MONEY}",
    },
    "the month after the actions": {
        "00-summary": rf"bring the month from {MONEY[:-1].replace('(', '')} † to {MONEY}",
        "03-costs": rf"actions bring the month to \*\*{MONEY}",
        "05_finops": rf"actions bring the month to \*\*{MONEY}",
    },
    "what all of it costs once": {
        "00-summary": r"\| Once \| (\$[\d,]+ – \$[\d,]+ – \$[\d,]+) \|",
        "03-costs": r"running on, it is (\$[\d,]+ – \$[\d,]+ – \$[\d,]+),",
        "05_finops": r"running on, it is (\$[\d,]+ – \$[\d,]+ – \$[\d,]+),",
    },
    "what keeping Redpanda costs": {
        "00-summary": rf"\| Keep Redpanda, or take MSK\? \| {MONEY}",
        "01-service-choices": rf"names Redpanda for the events\. Keeping it costs {MONEY}",
        "03-costs": rf"keeping Redpanda costs {MONEY}",
        "01_architecture": rf"names Redpanda for the events\. Keeping it costs {MONEY}",
        "05_finops": rf"keeping Redpanda costs {MONEY}",
    },
    "what keeping RA3 costs": {
        "00-summary": rf"\| Keep Redshift RA3, or take Redshift RG\? \| {MONEY}",
        "01-service-choices": rf"estimate of 2025 prices them\. Keeping it costs {MONEY}",
        "03-costs": rf"keeping Redshift RA3 costs {MONEY}",
        "01_architecture": rf"estimate of 2025 prices them\. Keeping it costs {MONEY}",
        "05_finops": rf"keeping Redshift RA3 costs {MONEY}",
    },
    "the streaming line on Redpanda": {
        "01-service-choices": rf"\| Redpanda \| 3 × m6gd[^|]*\| {MONEY}",
        "03-costs": rf"\| 50 \| {MONEY} \| \$",
        "01_architecture": rf"\| Redpanda \| 3 × m6gd[^|]*\| {MONEY}",
        "05_finops": rf"\| 50 \| {MONEY} \| \$",
    },
    "the streaming line on Kinesis": {
        "01-service-choices": rf"\| Kinesis \| one stream[^|]*\| {MONEY}",
        "03-costs": rf"\| 50 \| (?:\$[\d,.]+ \| ){{4}}{MONEY}",
        "01_architecture": rf"\| Kinesis \| one stream[^|]*\| {MONEY}",
        "05_finops": rf"\| 50 \| (?:\$[\d,.]+ \| ){{4}}{MONEY}",
    },
    "Spark's month": {
        "01-service-choices": rf"\| Spark \| 2 × m7g[^|]*\| {MONEY}",
        "03-costs": rf"\| Spark \| {MONEY} \| [\d.]+ %",
        "01_architecture": rf"\| Spark \| 2 × m7g[^|]*\| {MONEY}",
        "05_finops": rf"\| Spark \| {MONEY} \| [\d.]+ %",
    },
    "the warehouse's month on RA3": {
        "01-service-choices": rf"\| Redshift RA3 \| 2 × ra3[^|]*\| {MONEY}",
        "03-costs": rf"\| Redshift \| {MONEY} † \| [\d.]+ %",
        "05_finops": rf"\| Redshift \| {MONEY} † \| [\d.]+ %",
    },
    "the unverified share": {
        "00-summary": r"\*\*(\d+) % of the month\*\*",
        "03-costs": r"- † (\d+) % at unverified rates",
        "05_finops": r"- † (\d+) % at unverified rates",
    },
    "events a month": {
        "01-service-choices": r"(\d+) GB a month are 19 kB",
        "03-costs": r"company's (\d+) GB of events",
        "01_architecture": r"(\d+) GB a month are \*\*19 kB",
    },
    "history": {
        "01-service-choices": r"the (\d+) TB of history",
        "02-compatibility": r"The history by DataSync, throttled by day \| (\d+) TB",
        "03-costs": r"its (\d+) TB and 10 TB as TiB",
    },
}  # fmt: skip


def plain(text: str) -> str:
    """Text as a reader sees it: no escapes, no entities, one kind of space."""
    return html.unescape(text).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def as_rows(table: str) -> str:
    """An HTML table as rows of Markdown."""
    rows = re.findall(r"<tr.*?>(.*?)</tr>", table, re.DOTALL)
    return "\n".join(
        "| " + " | ".join(cell.strip() for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)) + " |"
        for row in rows
    )


def shown(notebook: Path) -> str:
    """What a notebook's outputs say, its tables as Markdown."""
    said = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            data = {kind: "".join(text) for kind, text in output.get("data", {}).items() if kind.startswith("text/")}
            if "<table" in data.get("text/html", ""):
                said.append(as_rows(data["text/html"]))
            elif "text/markdown" in data:
                said.append(data["text/markdown"])
    return "\n\n".join(said)


def texts() -> dict[str, str]:
    """Every document and what every notebook shows."""
    documents = {name: path.read_text(encoding="utf-8") for name, path in DOCUMENTS.items()}
    return {name: plain(text) for name, text in (documents | {n: shown(p) for n, p in NOTEBOOKS.items()}).items()}


def cells(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each cell of each table: its table's headings, its row's label, which of the rows so labelled, its column."""
    for table in re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.strip().splitlines()]
        headings, seen = rows[0], defaultdict(int)
        for row in rows[1:]:
            seen[row[0]] += 1
            for column, cell in zip(headings[1:], row[1:], strict=False):
                yield (*headings, row[0], str(seen[row[0]]), column), cell


def contradictions(said: Mapping[str, str]) -> Iterable[str]:
    """Cells of tables of one shape that differ between two sources."""
    found: dict[tuple[str, ...], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source, text in said.items():
        for place, cell in cells(text):
            found[place][source].add(cell)
    for place, by_source in found.items():
        sets = list(by_source.values())
        if len(sets) > 1 and not set.intersection(*sets):
            yield f"{' / '.join(place[-3:])}: {dict(by_source)}"


@pytest.mark.parametrize("fact", FACTS)
def test_a_figure_that_stands_twice_is_the_same(fact: str) -> None:
    """Each place still says it, and says the same."""
    said = texts()
    found = {}
    for source, pattern in FACTS[fact].items():
        match = re.search(pattern, said[source])
        assert match, f"{source} does not say {fact!r} any more: /{pattern}/"
        found[source] = match[1]

    assert len(set(found.values())) == 1, found


def test_tables_that_stand_twice_are_the_same() -> None:
    """A row of a table that a document and a notebook both show has the same cells in both."""
    assert list(contradictions(texts())) == []


def test_a_contradiction_is_noticed() -> None:
    """One cell that differs is named, with both values."""
    table = "| Link | Days |\n| --- | --- |\n| VPN | 5.3 |\n"

    [found] = contradictions({"a": table, "b": table.replace("5.3", "5.8")})
    assert "VPN / 1 / Days" in found
    assert "5.3" in found
    assert "5.8" in found
