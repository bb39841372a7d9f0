"""Somebody's file of tickets becomes messages; what is no ticket is listed by its line, and stops nothing."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.kafka.connection import Broker
from indutech.producer.audit import read_audit
from indutech.producer.produce import produce
from indutech.system.settings import Settings
from indutech.tickets import generator
from indutech.tickets.files import ReplayRefused, read_lines
from tests.topic_reader import records, start_cli

NewSettings = Callable[..., Settings]

COUNT = 60
HEADER = "ticket_id,client_id,creation_date,request,type,priority"
GOOD = '11111111-2222-4333-8444-55555555555{},1234,2026-03-02T09:00:00+01:00,"Bonjour, ça coince",Connexion,HAUTE'


def tickets() -> pd.DataFrame:
    """The tickets of a seed, as a table."""
    return generator.make_tickets(COUNT, seed=11)


def messages() -> list[tuple[bytes, bytes]]:
    """The same tickets as (key, JSON), sorted."""
    return sorted(message for batch in generator.ticket_messages(COUNT, seed=11) for message in batch)


def as_json_lines() -> bytes:
    """The same tickets, one JSON object a line."""
    return b"".join(value + b"\n" for batch in generator.ticket_messages(COUNT, seed=11) for _, value in batch)


def written(name: str, folder: Path) -> Path:
    """The same tickets in the format that a name asks for."""
    path = folder / name
    if name.endswith(".jsonl"):
        path.write_bytes(as_json_lines())
    elif name.endswith(".ndjson.gz"):
        path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + as_json_lines()))
    elif name.endswith(".PARQUET"):
        tickets().assign(something_else=1).to_parquet(path)
    else:
        table = tickets()
        table["creation_date"] = [moment.isoformat() for moment in table["creation_date"]]
        french = name.startswith("tableur")
        table.to_csv(path, index=False, sep=";" if french else ",", encoding="utf-8-sig" if french else "utf-8")
    return path


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson.gz", "t.csv", "t.csv.gz", "tableur.csv", "T.PARQUET"])
def test_each_format(broker: Broker, new_settings: NewSettings, tmp_path: Path, name: str) -> None:
    """Whatever the format, the same tickets are sent, key and value, as the generator sends them."""
    settings = new_settings(f"replay-{name}")

    result = produce(settings, broker, source=written(name, tmp_path), load=name == "t.csv")

    assert sorted((record.key, record.value) for record in records(broker, settings.topic)) == messages()
    assert (result.sent, result.acknowledged, result.bad_lines, result.seed) == (COUNT, COUNT, 0, None)
    audit = read_audit(settings)
    assert audit is not None
    assert (audit.generated, audit.replayed, audit.seeds) == (0, COUNT, ())


def test_bad_lines_are_listed_and_the_rest_is_sent(broker: Broker, new_settings: NewSettings, tmp_path: Path) -> None:
    """Each bad line is named with its number and reason; the good ones around it arrive; the exit code says so."""
    settings = new_settings("replay-bad")
    source = tmp_path / "mixed.csv"
    lines = [
        HEADER,
        GOOD.format(1),
        GOOD.format(2).replace("Connexion", "Hologramme"),
        "a,b",
        "",
        GOOD.format(3).replace("ça coince", "ça\ncoince"),
        GOOD.format(4).replace(",1234,", ",1234.0,"),
        GOOD.format(5).replace("+01:00", ""),
        GOOD.format(6),
    ]
    source.write_bytes("\n".join(lines).encode() + b"\n" + GOOD.format(7).encode("latin-1"))

    running = start_cli(settings, "produce", "--from", str(source), "--json")
    out, err = running.communicate(timeout=60)

    result = json.loads(out)
    assert running.returncode == 1
    assert (result["sent"], result["acknowledged"], result["failed"], result["bad_lines"]) == (3, 3, 0, 5)
    assert (result["rows_read"], result["unaccounted"]) == (8, 0)
    assert [note[:9] for note in result["notes"]] == ["client_id"]  # a hint on 1234.0
    assert err.splitlines() == [
        "indutech: line 3: unknown type: Hologramme",
        "indutech: line 4: 2 cells where the header has 6",
        "indutech: line 8: client_id is not an integer",
        "indutech: line 9: creation_date has no offset: 2026-03-02T09:00:00",
        "indutech: line 11: invalid UTF-8",
    ]
    listed = [json.loads(line) for line in Path(result["bad_lines_file"]).read_text().splitlines()]
    assert [bad["line"] for bad in listed] == [3, 4, 8, 9, 11]
    assert len(records(broker, settings.topic)) == 3


def test_many_bad_lines(broker: Broker, new_settings: NewSettings, tmp_path: Path) -> None:
    """Twenty bad lines are shown, and all of them are in the file next to the audit."""
    settings = new_settings("replay-many-bad")
    source = tmp_path / "mostly.jsonl"
    source.write_bytes(b"nonsense\n" * 50 + as_json_lines())

    result = produce(settings, broker, source=source)

    assert (result.acknowledged, result.bad_lines, len(result.errors)) == (COUNT, 50, 20)
    assert result.errors[-1] == "line 20: not a JSON object"
    assert result.bad_lines_file is not None
    assert len(Path(result.bad_lines_file).read_text().splitlines()) == 50


@pytest.mark.parametrize("load", [False, True])
def test_message_over_the_limit(broker: Broker, new_settings: NewSettings, tmp_path: Path, load: bool) -> None:
    """A ticket larger than the topic takes fails with both sizes; the tickets before and after it arrive."""
    settings = new_settings(f"replay-large-{load}")
    first, second = as_json_lines().splitlines()[:2]
    large = {**json.loads(first), "request": "x" * 2_000_000}
    fits = {**json.loads(first), "request": "é" * 520_000}
    source = tmp_path / "large.jsonl"
    source.write_bytes(
        b"\n".join([first, json.dumps(large).encode(), second, json.dumps(fits, ensure_ascii=False).encode()])
    )

    result = produce(settings, broker, source=source, load=load)

    assert (result.sent, result.acknowledged, result.failed, result.complete) == (4, 3, 1, False)
    [error] = result.errors
    assert re.fullmatch(r"line 2: 2,000,\d{3} bytes is more than the 1,048,388 that .* \(max\.message\.bytes\)", error)
    assert len(records(broker, settings.topic)) == 3


def test_count_takes_the_first(broker: Broker, new_settings: NewSettings, tmp_path: Path) -> None:
    """With a count, that many tickets of the file are sent, and no more."""
    settings = new_settings("replay-count")

    result = produce(settings, broker, source=written("t.jsonl", tmp_path), count=25)

    assert (result.rows_read, result.unaccounted) == (25, 0)
    assert "25 rows read = 25 sent + 0 refused" in result.sentence
    assert {record.value for record in records(broker, settings.topic)} == set(as_json_lines().splitlines()[:25])


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """A table without a column of the contract is refused before anything is sent."""
    table = tickets().drop(columns=["priority", "type"])
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")

    for name in ("t.csv", "t.parquet"):
        with pytest.raises(ReplayRefused, match="has no column type, priority: it has ticket_id"):
            list(read_lines(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("nowhere.jsonl", None, "There is no file"),
        ("tickets.xlsx", b"x", r"must end in one of \.jsonl, \.ndjson, \.csv, \.parquet"),
        ("tickets.parquet.gz", b"x", "is of no kind"),
        ("tickets.parquet", b"PAR1 but not really", "cannot be read at its beginning"),
        ("cut.jsonl.gz", gzip.compress(b"{}\n" * 99_999)[:-20], "cannot be read after line"),
        ("empty.csv", b"", "is empty"),
    ],
)
def test_files_that_cannot_be_replayed(tmp_path: Path, name: str, content: bytes | None, why: str) -> None:
    """A file that is missing, of another kind, damaged or empty is refused with its name and the reason."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ReplayRefused, match=why):
        list(read_lines(path))


def test_file_that_breaks_off_keeps_what_was_sent(broker: Broker, new_settings: NewSettings, tmp_path: Path) -> None:
    """The tickets before the break are acknowledged and audited, although the run ends with an error."""
    settings = new_settings("replay-cut")
    source = tmp_path / "cut.jsonl.gz"
    [batch] = generator.ticket_messages(1_000, 1)
    source.write_bytes(gzip.compress(b"\n".join(value for _, value in batch) + b"\n") + b"and then nonsense")

    with pytest.raises(ReplayRefused, match=r"after line 1,000.*What came before was sent"):
        produce(settings, broker, source=source)

    audit = read_audit(settings)
    assert audit is not None
    assert audit.acknowledged == audit.sent == len(records(broker, settings.topic)) == 1_000


OLD_ROW = "11111111-2222-4333-8444-555555555551;1234;{};Ça coince à l'arrêt;Connexion;HAUTE\n"
OF_OLD = HEADER.replace(",", ";") + "\n" + OLD_ROW


@pytest.mark.parametrize(
    ("content", "said", "created"),
    [
        (
            OF_OLD.format("2026-07-01 09:00:00+02:00").encode("cp1252"),
            ["--encoding", "cp1252"],
            "2026-07-01T09:00:00+02:00",
        ),
        (OF_OLD.format("2026-07-01 09:00:00").encode(), ["--assume-zone", "Europe/Paris"], "2026-07-01T09:00:00+02:00"),
        (OF_OLD.format("1782889200").encode(), ["--epoch", "s"], "2026-07-01T07:00:00+00:00"),
    ],
    ids=["encoding", "zone", "epoch"],
)
def test_the_command_is_told_what_the_file_does_not_say(
    broker: Broker, new_settings: NewSettings, tmp_path: Path, content: bytes, said: list[str], created: str
) -> None:
    """Without the option nothing is sent and the sentence names it; with it the ticket arrives as it was meant."""
    settings = new_settings(f"replay-told{said[0]}")
    file = tmp_path / "ancien.csv"
    file.write_bytes(content)

    asked = start_cli(settings, "produce", "--from", str(file), "--json")
    out, err = asked.communicate(timeout=60)
    assert (asked.returncode, out) == (1, "")
    assert said[0] in err

    told = start_cli(settings, "produce", "--from", str(file), *said, "--json")
    out, err = told.communicate(timeout=60)
    assert told.returncode == 0, err
    assert json.loads(out)["acknowledged"] == 1
    [record] = records(broker, settings.topic)
    sent = json.loads(record.value)
    assert datetime.fromisoformat(sent["creation_date"]) == datetime.fromisoformat(created)
    assert sent["request"] == "Ça coince à l'arrêt"


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (["--encoding", "latin-99"], "There is no text encoding latin-99: --encoding takes names like"),
        (["--assume-zone", "Europe/Lyon"], "There is no time zone Europe/Lyon: --assume-zone takes names like"),
        (["--epoch", "weeks"], "--epoch is one of s, ms, us, ns, not weeks"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(said: list[str], names: str, tmp_path: Path) -> None:
    """Before a broker is started, and in one sentence."""
    file = tmp_path / "t.csv"
    file.write_text(HEADER)

    answer = CliRunner().invoke(app, ["produce", "--from", str(file), *said])

    assert isinstance(answer.exception, ReplayRefused)
    assert names in str(answer.exception)


@pytest.mark.parametrize("said", [["--encoding", "cp1252"], ["--assume-zone", "UTC"], ["--epoch", "ms"]])
def test_how_to_read_without_a_file(said: list[str]) -> None:
    """A usage error: there is nothing to read."""
    answer = CliRunner().invoke(app, ["produce", *said])

    assert answer.exit_code == 2
    assert "--from" in answer.output
