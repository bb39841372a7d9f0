"""Files that people have: every row of every format is returned as a ticket or with the reason, or one sentence is."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indutech.system.settings import PROJECT
from indutech.tickets.contract import FIELDS, Priority, Rejected, Ticket, TicketType, validate
from indutech.tickets.files import LINE_AT_MOST, LOOKED_AT_ROWS, Account, Reading, ReplayRefused, Unreadable, read_lines
from indutech.tickets.formats.csv_header import LOOKED_AT
from indutech.tickets.formats.csv_rows import UNCLOSED

HEADER = ",".join(FIELDS)
MOMENT = datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)
TYPES, PRIORITIES = list(TicketType), list(Priority)


def ticket(number: int, **changed: Any) -> dict[str, Any]:
    """A ticket of its own for each number, with accents in every row."""
    return {
        "ticket_id": f"00000000-0000-4000-8000-{number:012}",
        "client_id": 1000 + number,
        "creation_date": "2026-03-02T08:15:30Z",
        "request": f"La vanne {number} fuit à Besançon",
        "type": str(TYPES[number % 5]),
        "priority": str(PRIORITIES[number % 4]),
        **changed,
    }


TICKETS = [ticket(number) for number in range(1, 11)]


def as_csv(rows: list[dict[str, Any]] = TICKETS, separator: str = ",", end: str = "\n", **how: Any) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator, lineterminator=end, **how)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_lines(rows: list[dict[str, Any]] = TICKETS) -> str:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def column(name: str, values: pa.Array | list[Any], rows: list[dict[str, Any]] = TICKETS) -> bytes:
    """Rows as Parquet, with other values in one column."""
    table = pa.Table.from_pylist(rows)
    at = table.schema.get_field_index(name)
    return parquet(table.set_column(at, name, values if isinstance(values, pa.Array) else pa.array(values)))


def parquet(table: pa.Table, **how: Any) -> bytes:
    """A table as Parquet."""
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    """A ZIP archive of these files; in names, __ stands for a full stop."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def read(path: Path, reading: Reading) -> tuple[list[Ticket], dict[int, str], Account]:
    """The tickets of a file, the reason against each other row, and the account of both."""
    good, bad, account = [], {}, Account()
    for number, body in read_lines(path, reading, account):
        found = Rejected(body.reason) if isinstance(body, Unreadable) else validate(body)
        if isinstance(found, Rejected):
            bad[number] = found.reason
        else:
            good.append(found)
    assert account.rows == len(good) + len(bad)
    return good, bad, account


def expected(rows: list[dict[str, Any]]) -> list[Ticket]:
    """Rows as the contract reads them."""
    return [Ticket.model_validate(row) for row in rows]


CSV = as_csv()
FRENCH = as_csv(separator=";", end="\r\n")
LINES = as_lines()
SECONDS = int(MOMENT.timestamp())
PLAIN_DATES = as_csv([{**row, "creation_date": "2026-03-02 08:15:30"} for row in TICKETS])
COUNTED_DATES = as_csv([{**row, "creation_date": SECONDS * 1000} for row in TICKETS])

# Name of the file, its bytes, what the user says of it: all ten tickets are read, field by field.
READ: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "semicolons, CRLF": ("t.csv", FRENCH.encode(), {}),
    "tab": ("t.tsv", as_csv(separator="\t").encode(), {}),
    "pipe": ("t.csv", as_csv(separator="|").encode(), {}),
    "Hive's separator": ("t.txt", as_csv(separator="\x01").encode(), {}),
    "caret": ("t.csv", as_csv(separator="^").encode(), {}),
    "line ends of an old Mac": ("t.csv", as_csv(end="\r").encode(), {}),
    "all quoted": ("t.csv", as_csv(quoting=csv.QUOTE_ALL).encode(), {}),
    "single quotes": ("t.csv", as_csv(quoting=csv.QUOTE_ALL, quotechar="'").encode(), {}),
    "byte order mark": ("t.csv", CSV.encode("utf-8-sig"), {}),
    "UTF-16 of Excel": ("t.csv", as_csv(separator="\t").encode("utf-16"), {}),
    "UTF-16, big end first": ("t.csv", b"\xfe\xff" + CSV.encode("utf-16-be"), {}),
    "UTF-16 without a mark": ("t.csv", CSV.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "UTF-32": ("t.csv", CSV.encode("utf-32"), {}),
    "cp1252": ("t.csv", FRENCH.encode("cp1252"), {"encoding": "cp1252"}),
    "mac_roman": ("t.csv", FRENCH.encode("mac_roman"), {"encoding": "mac_roman"}),
    "cp850": ("t.csv", FRENCH.encode("cp850"), {"encoding": "cp850"}),
    "JSON lines in latin-1": ("t.jsonl", LINES.encode("latin-1"), {"encoding": "latin-1"}),
    "JSON lines in UTF-16": ("t.jsonl", LINES.encode("utf-16"), {}),
    "UTF-8, said": ("t.csv", CSV.encode(), {"encoding": "utf-8"}),
    "Excel's sep= line": ("t.csv", ("\ufeffsep=;\r\n" + FRENCH).encode(), {}),
    "Excel's sep= line, quoted": ("t.csv", ('"sep=|"\n' + as_csv(separator="|")).encode(), {}),
    "blanks after commas": ("t.csv", CSV.replace(",", ", ").encode(), {}),
    "blanks on both sides": ("t.csv", as_csv(separator="|").replace("|", " | ").encode(), {}),
    "blank, then a quote": ("t.csv", as_csv(quoting=csv.QUOTE_ALL).replace('","', '", "').encode(), {}),
    "upper case": ("t.csv", CSV.replace(HEADER, HEADER.upper()).encode(), {}),
    "names for people": (
        "t.csv",
        CSV.replace(HEADER, "Ticket ID,client-id,creationDate, Request ,TYPE,Priority").encode(),
        {},
    ),
    "other columns, other order": (
        "t.csv",
        as_csv([dict(reversed({"x": 1, **row}.items())) for row in TICKETS]).encode(),
        {},
    ),
    "each line ends with a separator": ("t.csv", FRENCH.replace("\r\n", ";\r\n").encode(), {}),
    "preamble": ("t.csv", ("Export du 02/03/2026;;;;;\n\n" + FRENCH).encode(), {}),
    "preamble of many lines": ("t.csv", ("Société InduTech\nExport\n# 10 lignes\n\n" + CSV).encode(), {}),
    "blank lines between": ("t.csv", CSV.replace("\n", "\n\n").encode(), {}),
    "no line end at the end": ("t.csv", CSV.rstrip("\n").encode(), {}),
    "dates of pandas": ("t.csv", CSV.replace("T08:15:30Z", " 08:15:30+00:00").encode(), {}),
    "dates of PostgreSQL": ("t.csv", CSV.replace("T08:15:30Z", " 09:15:30+01").encode(), {}),
    "dates of a clock": ("t.csv", PLAIN_DATES.encode(), {"assume_zone": "UTC"}),
    "dates of a clock in Paris": (
        "t.csv",
        PLAIN_DATES.replace(" 08:", " 09:").encode(),
        {"assume_zone": "Europe/Paris"},
    ),
    "dates counted": ("t.csv", COUNTED_DATES.encode(), {"epoch": "ms"}),
    "dates counted, in JSON": (
        "t.jsonl",
        LINES.replace('"2026-03-02T08:15:30Z"', str(SECONDS)).encode(),
        {"epoch": "s"},
    ),
    "dates of a clock, in JSON": ("t.jsonl", LINES.replace("30Z", "30").encode(), {"assume_zone": "UTC"}),
    "gzip": ("t.csv.gz", gzip.compress(CSV.encode()), {}),
    "gzip by its bytes": ("t.jsonl", gzip.compress(LINES.encode()), {}),
    "bzip2": ("t.csv", bz2.compress(CSV.encode()), {}),
    "xz": ("t", lzma.compress(CSV.encode()), {}),
    "zstd": ("t.csv.zst", pa.compress(CSV.encode(), codec="zstd", asbytes=True), {}),
    "ZIP of one file": ("t.csv", zipped(export__csv=CSV.encode()), {}),
    "CSV named .jsonl": ("t.jsonl", CSV.encode(), {}),
    "JSON lines named .csv": ("t.csv", LINES.encode(), {}),
    "no suffix": ("tickets", LINES.encode(), {}),
    "JSON array": ("t.jsonl", json.dumps(TICKETS, indent=1).encode(), {}),
    "JSON array on one line": ("t.json", json.dumps(TICKETS).encode(), {}),
    "JSON array, an object a line": ("t.json", ("[\n" + LINES.replace("}\n", "},\n")[:-2] + "\n]").encode(), {}),
    "JSON, pretty-printed": ("t.jsonl", "\n".join(json.dumps(row, indent=2) for row in TICKETS).encode(), {}),
    "JSON, one after the other": ("t.json", "".join(map(json.dumps, TICKETS)).encode(), {}),
    "JSON, line ends of an old Mac": ("t.jsonl", LINES.replace("\n", "\r").encode(), {}),
    "Parquet named .csv": ("t.csv", column("request", [row["request"] for row in TICKETS]), {}),
    "Parquet, whole decimals": (
        "t.parquet",
        column("client_id", pa.array([Decimal(row["client_id"]) for row in TICKETS], pa.decimal128(12, 2))),
        {},
    ),
    "Parquet, whole floats": ("t.parquet", column("client_id", [float(row["client_id"]) for row in TICKETS]), {}),
    "Parquet, numbers as text": ("t.parquet", column("client_id", [str(row["client_id"]) for row in TICKETS]), {}),
    "Parquet, text as bytes": ("t.parquet", column("request", [row["request"].encode() for row in TICKETS]), {}),
    "Parquet, bytes of cp1252": (
        "t.parquet",
        column("request", [row["request"].encode("cp1252") for row in TICKETS]),
        {"encoding": "cp1252"},
    ),
    "Parquet, large text": (
        "t.parquet",
        column("request", pa.array([row["request"] for row in TICKETS], pa.large_string())),
        {},
    ),
    "Parquet, text views": (
        "t.parquet",
        column("request", pa.array([row["request"] for row in TICKETS], pa.string_view())),
        {},
    ),
    "Parquet, categories": (
        "t.parquet",
        column("type", pa.array([row["type"] for row in TICKETS]).dictionary_encode()),
        {},
    ),
    "Parquet, UUIDs": (
        "t.parquet",
        column(
            "ticket_id", pa.array([bytes.fromhex(row["ticket_id"].replace("-", "")) for row in TICKETS], pa.binary(16))
        ),
        {},
    ),
    **{
        f"Parquet, {unit} in {zone}": (
            "t.parquet",
            column("creation_date", pa.array([MOMENT] * 10, pa.timestamp(unit, zone))),
            {},
        )
        for unit in ("s", "ms", "us", "ns")
        for zone in ("UTC", "Europe/Paris", "+01:00")
    },
    **{
        f"Parquet, {unit} counted": ("t.parquet", column("creation_date", [SECONDS * times] * 10), {"epoch": unit})
        for unit, times in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
    },
    "Parquet, a clock in Paris": (
        "t.parquet",
        column("creation_date", pa.array([datetime(2026, 3, 2, 9, 15, 30)] * 10, pa.timestamp("us"))),
        {"assume_zone": "Europe/Paris"},
    ),
    "Parquet, a zone that is none": (
        "t.parquet",
        column("creation_date", pa.array([SECONDS] * 10, pa.timestamp("s", "Mars/Olympus"))),
        {"assume_zone": "UTC"},
    ),
    "Parquet, nested columns beside": (
        "t.parquet",
        parquet(pa.Table.from_pylist([{**row, "more": {"type": 1}, "tags": ["a"]} for row in TICKETS])),
        {},
    ),
    "Parquet, names for people": (
        "t.parquet",
        parquet(pa.Table.from_pylist(TICKETS).rename_columns([name.upper() for name in FIELDS])),
        {},
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_every_ticket_is_read(tmp_path: Path, kind: str) -> None:
    """Whatever separates, quotes, encodes or packs them, the ten tickets come back field by field."""
    name, content, said = READ[kind]
    (tmp_path / name).write_bytes(content)

    good, bad, _ = read(tmp_path / name, reading_of(said))

    assert (good, bad) == (expected(TICKETS), {})


def reading_of(said: dict[str, str]) -> Reading:
    """What a user says on the command line, understood."""
    return Reading.said(said.get("encoding"), said.get("assume_zone"), said.get("epoch"))


def changed(number: int, old: str, new: str, text: str = CSV) -> bytes:
    """A text with something else in one of its lines."""
    lines = text.splitlines(keepends=True)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    return "".join(lines).encode()


STRAY = changed(4, "La vanne 3", '"3 pouces')
BROKEN_OBJECT = json.dumps(TICKETS).replace("vanne 3", 'vanne "3')
FAR = pa.array([SECONDS * 1000] * 9 + [SECONDS * 10**6], pa.timestamp("ms", "UTC"))

# Name, bytes, and the reason expected for each row that is none; the other rows are tickets.
REPORTED: dict[str, tuple[str, bytes, dict[int, str]]] = {
    "a stray quote": ("t.csv", STRAY, {4: UNCLOSED}),
    "two stray quotes": (
        "t.csv",
        changed(8, "La vanne 7", '"2 pouces', STRAY.decode()),
        {4: UNCLOSED, 8: UNCLOSED},
    ),
    "two stray quotes that make a well-formed field": (
        "t.csv",
        changed(8, "à Besançon", '12"', STRAY.decode()),
        {4: UNCLOSED},
    ),
    "stray quotes in the first column": (
        "t.csv",
        changed(3, "00000000", '"00000000'),
        {3: UNCLOSED},
    ),
    "text after a closing quote": ("t.csv", changed(4, "La vanne 3", '"La" vanne'), {4: UNCLOSED}),
    "stray quotes, line ends of an old Mac": ("t.csv", STRAY.replace(b"\n", b"\r"), {4: UNCLOSED}),
    "ragged rows": (
        "t.csv",
        changed(5, ",1004", "", changed(3, ",1002", ",1002,oops").decode()),
        {3: "7 cells where the header has 6", 5: "5 cells where the header has 6"},
    ),
    "a row of separators": ("t.csv", (CSV + ",,,,,\n").encode(), {12: "every cell is empty"}),
    "NUL": ("t.csv", changed(4, "vanne", "va\0nne"), {4: "NUL character"}),
    "the header again": ("t.csv", (CSV + HEADER + "\n").encode(), {12: "ticket_id is not a UUID: ticket_id"}),
    "a row before the header": (
        "t.csv",
        (CSV.splitlines()[1] + "\n" + CSV).encode(),
        {1: "stands before the column names, which are in line 2"},
    ),
    "pandas' floats": ("t.csv", changed(4, "1003", "1003.0"), {4: "client_id is not an integer"}),
    "one line of cp1252": ("t.csv", CSV.encode() + CSV.splitlines()[1].encode("cp1252"), {12: "invalid UTF-8"}),
    "not in cp1252": (
        "t.csv",
        CSV.encode("cp1252").replace(b"vanne 3", b"vanne \x81"),
        {4: "not valid cp1252"},
    ),
    "one date without an offset": (
        "t.csv",
        changed(4, "30Z", "30"),
        {4: "creation_date has no offset: 2026-03-02T08:15:30"},
    ),
    "a line that is no JSON": ("t.jsonl", changed(3, "{", "", LINES), {3: "not a JSON object"}),
    "a JSON array with a broken object": ("t.json", BROKEN_OBJECT.encode(), {3: "malformed JSON"}),
    "a JSON array, pretty-printed, with a broken object": (
        "t.json",
        json.dumps(TICKETS, indent=1).replace("vanne 3", 'vanne "3').encode(),
        {3: "malformed JSON"},
    ),
    "a JSON array with other things": (
        "t.json",
        json.dumps([*TICKETS, None, 1, "x"]).encode(),
        dict.fromkeys((11, 12, 13), "not a JSON object"),
    ),
    "a JSON array that is cut": (
        "t.json",
        json.dumps([*TICKETS, ticket(11)])[:-20].encode(),
        {11: "the file ends within this value"},
    ),
    "a JSON array that is not closed": (
        "t.json",
        json.dumps(TICKETS)[:-1].encode(),
        {11: "the file ends before the array is closed"},
    ),
    "Parquet: a date out of range": (
        "t.parquet",
        column("creation_date", FAR),
        {10: "creation_date out of range: 1772439330000000 ms after 1970"},
    ),
    "Parquet: the year 10,000": (
        "t.parquet",
        column("creation_date", pa.array([253402300800000000] * 10, pa.timestamp("us", "UTC"))),
        dict.fromkeys(range(1, 11), "creation_date out of range: 253402300800000000 us after 1970"),
    ),
    "Parquet: bytes that are no UTF-8": (
        "t.parquet",
        column("request", pa.StringArray.from_buffers(10, *pa.array([b"caf\xe9"] + [b"pompe"] * 9).buffers()[1:])),
        {1: "request is not valid UTF-8: --encoding says what it is"},
    ),
    "Parquet: fractions": (
        "t.parquet",
        column("client_id", [1001.5, None, float("nan")] + [1004.0] * 7),
        {1: "client_id is not an integer: 1001.5", 2: "client_id is null", 3: "client_id is null"},
    ),
    "Parquet: fractions, decimal": (
        "t.parquet",
        column("client_id", [Decimal("1001.5")] + [Decimal("1004.0")] * 9),
        {1: "client_id is not an integer: 1001.5"},
    ),
}


@pytest.mark.parametrize("kind", REPORTED)
def test_every_other_row_is_reported(tmp_path: Path, kind: str) -> None:
    """A row that is no ticket is named with its number and the reason; it neither hides nor changes the others."""
    name, content, reasons = REPORTED[kind]
    (tmp_path / name).write_bytes(content)
    said = {"encoding": "cp1252"} if kind == "not in cp1252" else {}

    good, bad, account = read(tmp_path / name, reading_of(said))

    assert bad == reasons
    first = content.splitlines().index(HEADER.encode()) + 2 if name.endswith(".csv") else 1
    kept = [row["ticket_id"] for number, row in enumerate(TICKETS, first) if number not in reasons]
    assert [one.ticket_id for one in good] == kept
    assert account.rows == len(good) + len(reasons)


NAIVE = pa.array([datetime(2026, 3, 2, 8, 15, 30)] * 10, pa.timestamp("ns"))
TWICE = pa.Table.from_pylist(TICKETS)

# Name, bytes, what the sentence says.
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "cp1252": ("t.csv", FRENCH.encode("cp1252"), r"looks like cp1252 \(Excel on Windows\): say --encoding cp1252"),
    "mac_roman": ("t.csv", FRENCH.encode("mac_roman"), "say --encoding mac_roman"),
    "cp850": ("t.csv", FRENCH.encode("cp850"), "say --encoding cp850"),
    "JSON lines in latin-1": ("t.jsonl", LINES.encode("latin-1"), "say --encoding cp1252"),
    "UTF-16 without a mark": ("t.csv", CSV.encode("utf-16-le"), "say --encoding utf-16-le"),
    "a column twice": ("t.csv", (HEADER + ",priority\n").encode(), r"more than one column priority \(6 and 7\)"),
    "a column twice but for its case": ("t.csv", (HEADER + ",Client ID\n").encode(), "more than one column client_id"),
    "a column twice in Parquet": (
        "t.parquet",
        parquet(TWICE.append_column("priority", TWICE["priority"])),
        r"column priority \(6 and 7\)",
    ),
    "no header": ("t.csv", CSV.partition("\n")[2].encode(), "has no column names in its first 10 lines .* put a line"),
    "a column is missing": ("t.csv", b"ticket_id,client_id,type\n", "has no column creation_date, request, priority"),
    "nothing": ("t.jsonl", b"", "is empty"),
    "nothing but a mark": ("t.csv", b"\xef\xbb\xbf\n", "is empty"),
    "nothing, packed": ("t.csv.gz", gzip.compress(b""), "is empty"),
    "Excel": ("t.csv", zipped(**{"[Content_Types]__xml": b"<x/>"}), r"is a workbook \(\.xlsx or \.ods\)"),
    "Excel, damaged": ("t.csv", b"PK\x03\x04" + bytes(range(256)), "begins like an Excel workbook"),
    "old Excel": ("t.csv", b"\xd0\xcf\x11\xe0" + bytes(600), "is an Excel 97 workbook"),
    "ZIP of two files": ("t.zip", zipped(a__csv=b"", b__csv=b""), r"a ZIP archive of 2 files \(a\.csv, b\.csv\)"),
    "packed twice": ("t.csv.gz", gzip.compress(gzip.compress(CSV.encode())), "is packed twice"),
    "a web page": ("t.csv", b"<!DOCTYPE html><title>Connexion", "is a web page"),
    "bytes of any kind": ("t.csv", bytes(range(32)) * 40, "is not text"),
    "dates of a clock": ("t.csv", PLAIN_DATES.encode(), "no offset in any row .* --assume-zone Europe/Paris"),
    "dates of a clock, in JSON": ("t.jsonl", LINES.replace("30Z", "30").encode(), "--assume-zone Europe/Paris"),
    "dates of a clock, in Parquet": ("t.parquet", column("creation_date", NAIVE), "--assume-zone Europe/Paris"),
    "dates counted": ("t.csv", COUNTED_DATES.encode(), "--epoch ms"),
    **{
        f"dates counted in {unit}, in Parquet": (
            "t.parquet",
            column("creation_date", [SECONDS * times] * 10),
            rf"--epoch {unit}\.",
        )
        for unit, times in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
    },
    "days": ("t.parquet", column("creation_date", [date(2026, 3, 2)] * 10), "is a day without a time"),
    "a zone that is none": (
        "t.parquet",
        column("creation_date", pa.array([SECONDS] * 10, pa.timestamp("s", "Mars/Olympus"))),
        "time zone Mars/Olympus that does not exist.* --assume-zone UTC",
    ),
    "a column of another type": ("t.parquet", column("request", [["a"]] * 10), "column request is list"),
    "Parquet, cut": ("t.parquet", parquet(TWICE)[:-100], "cannot be read at its beginning: .* cut short"),
    "bzip2, cut": ("t.csv.bz2", bz2.compress(CSV.encode() * 9)[:-20], "is empty|cannot be read at its beginning"),
    "no kind at all": ("notes.md", b"# Bonjour\n", "is of no kind that can be replayed"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_wrong_as_a_whole_is_one_sentence(tmp_path: Path, kind: str) -> None:
    """Before anything is sent, one printable line says what is wrong and what helps."""
    name, content, sentence = REFUSED[kind]
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ReplayRefused, match=sentence) as refused:
        next(iter(read_lines(tmp_path / name)))

    assert str(refused.value).isprintable()


# With another line end than CRLF, Python writes a lone line feed or return without the quotes that it needs.
DIALECTS: dict[str, dict[str, Any]] = {
    "comma": {"quoting": csv.QUOTE_ALL},
    "semicolon": {"separator": ";", "end": "\r\n"},
    "tab": {"separator": "\t", "end": "\r\n"},
    "pipe": {"separator": "|", "end": "\r", "quoting": csv.QUOTE_ALL},
}
# What people write in several lines, with quotes and separators; a NUL or a blank text is no ticket.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\r\t\",;|'\\"), min_size=1
).map(lambda text: f"Q {text}")
FEW = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(texts=st.lists(TEXTS, min_size=1, max_size=8), dialect=st.sampled_from(sorted(DIALECTS)))
def test_any_text_comes_back_from_csv(tmp_path: Path, texts: list[str], dialect: str) -> None:
    """Lines, quotes and separators within a request are part of it, in every dialect."""
    rows = [ticket(number, request=text) for number, text in enumerate(texts, 1)]
    (tmp_path / "t.csv").write_bytes(as_csv(rows, **DIALECTS[dialect]).encode())

    good, bad, _ = read(tmp_path / "t.csv", Reading())

    assert ([one.request for one in good], bad) == (texts, {})


@FEW
@given(texts=st.lists(TEXTS, min_size=1, max_size=8), indent=st.sampled_from([None, 0, 1, 4]))
def test_any_text_comes_back_from_a_json_array(tmp_path: Path, texts: list[str], indent: int | None) -> None:
    """Brackets, quotes and backslashes within a request end no object."""
    rows = [ticket(number, request=f'{text} }}, {{ " [') for number, text in enumerate(texts, 1)]
    (tmp_path / "t.json").write_text(json.dumps(rows, indent=indent))

    good, bad, _ = read(tmp_path / "t.json", Reading())

    assert ([one.request for one in good], bad) == ([row["request"] for row in rows], {})


@FEW
@given(
    breaks=st.lists(
        st.tuples(st.integers(1, 10), st.floats(0, 1, exclude_max=True), st.sampled_from(['"', ",", "\0", '"x', "é"])),
        max_size=6,
    )
)
def test_no_line_of_a_broken_csv_is_left_out(tmp_path: Path, breaks: list[tuple[int, float, str]]) -> None:
    """With quotes, separators and bytes put anywhere, each line is a row of its own: sent or reported."""
    lines = CSV.splitlines()
    for number, where, what in breaks:
        at = int(where * len(lines[number]))
        lines[number] = lines[number][:at] + what + lines[number][at:]
    (tmp_path / "t.csv").write_text("\n".join(lines))

    good, bad, account = read(tmp_path / "t.csv", Reading())

    assert (account.rows, len(good) + len(bad)) == (10, 10)
    untouched = {TICKETS[number - 1]["ticket_id"] for number in range(1, 11)} - {
        TICKETS[number - 1]["ticket_id"] for number, _, _ in breaks
    }
    assert untouched <= {one.ticket_id for one in good}


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json", "t.parquet"])
def test_the_limit_is_the_same_for_every_format(tmp_path: Path, name: str) -> None:
    """A request of a megabyte is read from all of them, and one of 17 million bytes is reported by all of them."""
    rows = [ticket(1), ticket(2, request="é" * 500_000), ticket(3, request="x" * 17_000_000), ticket(4)]
    content: dict[str, Callable[[], bytes]] = {
        "t.csv": lambda: as_csv(rows).encode(),
        "t.jsonl": lambda: as_lines(rows).encode(),
        "t.json": lambda: json.dumps(rows, ensure_ascii=False).encode(),
        "t.parquet": lambda: parquet(pa.Table.from_pylist(rows)),
    }
    (tmp_path / name).write_bytes(content[name]())

    good, bad, _ = read(tmp_path / name, Reading())

    assert [one.client_id for one in good] == [1001, 1002, 1004]
    [reason] = bad.values()
    assert reason.endswith("longer than 16,777,216 bytes")


@pytest.mark.parametrize(
    ("clock", "found"),
    [
        ("2026-07-01 10:00:00", "2026-07-01T08:00:00+00:00"),
        ("2026-10-25 02:30:00", "came twice in Europe/Paris"),
        ("2026-03-29 02:30:00", "came never in Europe/Paris"),
    ],
)
def test_hours_that_clocks_repeat_or_skip_are_not_guessed(tmp_path: Path, clock: str, found: str) -> None:
    """With a zone, a date is read in summer and winter time; in the hour of a change the row is reported."""
    (tmp_path / "t.csv").write_text(as_csv([ticket(1, creation_date=clock)]))

    good, bad, _ = read(tmp_path / "t.csv", Reading.said(zone="Europe/Paris"))

    assert found in (good[0].creation_date.isoformat() if good else bad[2])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"encoding": "klingon"}, "There is no text encoding klingon"),
        ({"encoding": "rot13"}, "There is no text encoding rot13"),
        ({"assume_zone": "Mars/Olympus"}, "There is no time zone Mars/Olympus"),
        ({"assume_zone": "../etc/passwd"}, "There is no time zone"),
        ({"epoch": "h"}, "--epoch is one of s, ms, us, ns, not h"),
    ],
)
def test_options_that_mean_nothing(said: dict[str, str], sentence: str) -> None:
    """An encoding, zone or unit that does not exist is named."""
    with pytest.raises(ReplayRefused, match=sentence):
        reading_of(said)


def test_a_wrong_encoding_is_not_believed(tmp_path: Path) -> None:
    """UTF-8 read as cp1252 would be sent garbled: it is refused."""
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")

    with pytest.raises(ReplayRefused, match="is UTF-8, and cp1252 would garble it"):
        list(read_lines(tmp_path / "t.csv", Reading("cp1252")))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_comes_before_a_break_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """The rows of a packed file that is followed by something else are returned before the sentence."""
    name = "t\x1b[31m.csv"
    (tmp_path / name).write_bytes(pack(CSV.encode()) + pack(b"")[:6])
    numbers: list[int] = []

    with pytest.raises(ReplayRefused, match=r"cannot be read after line 11\. What came before was sent: .*") as refused:
        numbers.extend(number for number, _ in read_lines(tmp_path / name))

    assert numbers == list(range(2, 12))
    assert str(refused.value).isprintable()


def test_lines_of_which_none_is_json(tmp_path: Path) -> None:
    """A file that says that it has an object a line has one a line, be they all broken."""
    (tmp_path / "t.jsonl").write_text('{"ticket_id": \n' * 3)

    good, bad, account = read(tmp_path / "t.jsonl", Reading())

    assert (good, bad, account.word) == ([], dict.fromkeys((1, 2, 3), "malformed JSON"), "line")


def test_utf16_without_its_mark_is_not_believed(tmp_path: Path) -> None:
    """Which end comes first must be known."""
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")

    with pytest.raises(ReplayRefused, match="does not begin with the mark of utf-16"):
        list(read_lines(tmp_path / "t.csv", Reading("utf-16")))


def test_what_was_skipped_is_said(tmp_path: Path) -> None:
    """A preamble is named as what it is, and pandas' floats get a hint."""
    (tmp_path / "t.csv").write_text("Export du 2 mars\n\n" + CSV.replace(",1003,", ",1003.0,"))

    _, bad, account = read(tmp_path / "t.csv", Reading())

    assert list(bad) == [6]
    assert (account.lines, account.head_lines, account.lines_in_rows) == (13, 3, 10)
    assert [note.split(":")[0] for note in account.notes] == [
        "The column names are in line 3",
        "client_id is written like 1001.0, which is no integer",
    ]


def test_a_row_that_is_lost_is_noticed(tmp_path: Path) -> None:
    """The account compares lines read with lines returned, so a reader that forgets one is stopped."""
    account = Account(lines=10, lines_in_rows=8, head_lines=1)

    with pytest.raises(ReplayRefused, match=r"has 10 lines, but only 9 of them"):
        account.check(tmp_path / "t.csv")


def test_the_figures_of_the_document() -> None:
    """docs/replay.md says the limits that the code has."""
    text = (PROJECT / "docs" / "replay.md").read_text()

    assert f"One row may have {LINE_AT_MOST >> 20} MiB" in text
    assert f"a preamble in the first {LOOKED_AT} lines" in text
    assert f"seen in the first {LOOKED_AT_ROWS} rows" in text
