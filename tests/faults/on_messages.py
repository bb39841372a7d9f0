"""Faults of messages: what is no ticket, what is one twice, and whose clock or version is another. Families 1 to 8."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from indutech.lake import reader as lake
from indutech.tickets import generator
from indutech.tickets.cases import Case, malformed_cases
from tests.faults.laboratory import Laboratory
from tests.faults.table import fault
from tests.topics_filled import Place

USUAL = 500


def tickets(count: int = USUAL, seed: int = 1) -> list[tuple[bytes, bytes]]:
    """Generated tickets, as messages."""
    return [message for block in generator.ticket_messages(count, seed) for message in block]


def changed(message: tuple[bytes, bytes], **fields: object) -> tuple[bytes, bytes]:
    """The same ticket with other fields; a field that is None is left out."""
    told = {**json.loads(message[1]), **fields}
    return message[0], json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def among_usual_ones(laboratory: Laboratory, odd: Iterable[bytes | None]) -> list[Place]:
    """Send these messages in the midst of tickets, and let them be stored; return where they are."""
    odd, usual = list(odd), tickets()
    places = laboratory.send([*usual[: USUAL // 2], *((b"1234", value) for value in odd), *usual[USUAL // 2 :]])
    laboratory.hurt(len(odd))
    assert laboratory.stream_once().code == 0
    return places[USUAL // 2 :][: len(odd)]


def reasons(laboratory: Laboratory) -> dict[Place, str]:
    """The quarantine: place and reason."""
    rows = lake.query(laboratory.settings, "SELECT kafka_partition, kafka_offset, reason FROM quarantine")
    return {(int(row.kafka_partition), int(row.kafka_offset)): str(row.reason) for row in rows.itertuples()}


def send_cases(laboratory: Laboratory, chosen: Callable[[Case], bool]) -> dict[Place, Case]:
    """Send the cases of the committed table that are chosen; each must be where the table says, with its reason."""
    cases = [case for case in malformed_cases() if chosen(case)]
    assert cases
    placed = dict(zip(among_usual_ones(laboratory, [case.value for case in cases]), cases, strict=True))
    assert reasons(laboratory) == {place: case.reason for place, case in placed.items() if case.reason}
    return placed


UNREADABLE = "null value|empty value|byte order|invalid UTF|not a JSON|malformed|text after|NUL char|(lone )?surrogate"
FORM = "missing field|duplicate key|nested deeper"
VALUES = "unknown (type|priority)"


@fault(1, "bytes that are no JSON", promised="quarantined with bytes, reason and offset; replayed after mending")
def no_json(laboratory: Laboratory) -> None:
    """Null, empty, invalid UTF-8, a byte order mark, broken JSON; one of them is mended and sent again."""
    placed = send_cases(laboratory, lambda case: bool(re.match(UNREADABLE, case.reason or "")))
    partition, offset = next(iter(placed))
    mended = Path(laboratory.settings.data_dir, "mended.json")
    mended.write_bytes(changed(tickets(1, seed=99)[0])[1])
    again = ("quarantine", "replay", f"{partition}:{offset}", "--with", str(mended))
    assert laboratory.indutech(*again).code == 0
    assert laboratory.indutech(*again).code == 0, "the second call sends nothing and is no error"


@fault(2, "wrong types and numbers out of range", promised="quarantined, never null")
def wrong_types(laboratory: Laboratory) -> None:
    """Text, 1e400, 2^63, true, an array, NaN where an integer belongs; numbers where a text belongs."""
    others = "|".join((UNREADABLE, FORM, VALUES))
    send_cases(laboratory, lambda case: case.name == "NaN" or bool(case.reason and not re.match(others, case.reason)))
    columns = ["client_id", "creation_date", "request", "type", "priority", "ticket_id"]
    nulls = " OR ".join(f"{name} IS NULL" for name in columns)
    assert lake.query(laboratory.settings, f"SELECT count(*) AS n FROM tickets WHERE {nulls}")["n"].item() == 0


@fault(3, "missing, extra and duplicate fields, deep nesting", promised="extra ones ignored, the others quarantined")
def another_form(laboratory: Laboratory) -> None:
    """An extra field is no fault; all the others have their reason."""
    send_cases(laboratory, lambda case: bool(re.match(FORM, case.reason or "")) or case.name.startswith("extra field"))


@fault(4, "unknown words; accents, case and spaces", promised="normalised, or quarantined; no default team")
def other_words(laboratory: Laboratory) -> None:
    """NFD accents and blanks around a word are normalised; a word that nobody knows is quarantined."""
    placed = send_cases(
        laboratory,
        lambda case: bool(re.match(VALUES, case.reason or "") or {"type", "priority"} & set(case.becomes)),
    )
    stored = lake.query(laboratory.settings, "SELECT kafka_partition, kafka_offset, type, priority FROM tickets")
    rows = {(row.kafka_partition, row.kafka_offset): row for row in stored.itertuples()}
    for place, case in placed.items():
        for name, value in case.becomes.items():
            if name in ("type", "priority"):
                assert getattr(rows[place], name) == value


@fault(5, "a message over the size limit", promised="refused with its size and the limit; the others are sent")
def too_large(laboratory: Laboratory) -> None:
    """One line of a file is larger than a broker takes; one that just fits is stored."""
    usual = [json.loads(value) for _, value in tickets(20)]
    usual[3]["request"], usual[7]["request"] = "é" * 1_000_000, "é" * 200_000
    file = laboratory.settings.data_dir / "large.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in usual), "utf-8")
    done = laboratory.indutech("produce", "--from", str(file), "--json")
    laboratory.hurt()
    told = json.loads(done.out)
    assert (done.code, told["acknowledged"], told["failed"]) == (1, 19, 1)
    assert re.search(r"line 4: 2,000,\d{3} bytes is more than the 1,048,\d{3}", " ".join(told["errors"]))


@fault(6, "the same tickets again: same batch, later batch, after a restart", promised="one curated row; counted")
def again(laboratory: Laboratory) -> None:
    """Three times the same seed."""
    for _ in range(2):
        laboratory.produce("--count", str(USUAL), "--seed", "7")
    laboratory.hurt(2)
    assert laboratory.stream_once().code == 0
    laboratory.produce("--count", str(USUAL), "--seed", "7")
    laboratory.hurt()
    assert laboratory.stream_once().code == 0
    curated = lake.query(laboratory.settings, "SELECT count(*) AS n FROM curated")["n"].item()
    assert curated == USUAL
    proof = json.loads(laboratory.indutech("reconcile", "--json").out)
    assert proof["duplicate_tickets"] == 2 * USUAL


@fault(7, "clocks a day and ten years off, out of order, no zone", promised="no explosion of folders")
def other_clocks(laboratory: Laboratory) -> None:
    """The folders go by the broker's clock, whatever the tickets say; a date without a zone is quarantined."""
    now = datetime.now(UTC).replace(microsecond=0)
    shifts = [timedelta(days=days) for days in (-3650, -1, 1, 3650, *range(-400, 400, 2))]
    usual = tickets(len(shifts) + 1)
    messages = [
        changed(message, creation_date=(now + shift).isoformat()) for message, shift in zip(usual, shifts, strict=False)
    ]
    laboratory.draws.shuffle(messages)
    [*_, zoneless] = laboratory.send([*messages, changed(usual[-1], creation_date="2026-03-02T08:15:30")])
    laboratory.hurt(len(shifts) + 1)
    assert laboratory.stream_once().code == 0
    folders = {path.name for path in laboratory.settings.tickets_dir.glob("ingest_date=*")}
    assert len(folders) <= 2, folders  # two around midnight
    assert set(reasons(laboratory)) == {zoneless}


@fault(8, "producers and files a version ahead and behind", promised="old rows stay readable; stated both ways")
def other_versions(laboratory: Laboratory) -> None:
    """A producer ahead sends a field more, one behind a field less; a file of before has a column less."""
    usual = tickets()
    laboratory.send(usual[:100])
    assert laboratory.stream_once().code == 0
    for file in laboratory.settings.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"):
        pq.write_table(pq.ParquetFile(file).read().drop_columns(["support_team"]), file)
        Path(file.parent, f".{file.name}.crc").unlink(missing_ok=True)
    ahead = [changed(message, site="Lyon") for message in usual[100:200]]
    behind = [changed(message, priority=None) for message in usual[200:210]]
    places = laboratory.send([*ahead, *behind])
    laboratory.hurt(len(places) + 1)
    assert laboratory.stream_once().code == 0
    teams = lake.query(laboratory.settings, "SELECT count(*) AS n, count(support_team) AS teams FROM tickets").iloc[0]
    assert (teams["n"], teams["teams"]) == (200, 100)
    assert reasons(laboratory) == dict.fromkeys(places[100:], "missing field: priority")
