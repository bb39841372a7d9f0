"""Spark judges exactly as the contract does, in one pass, and sorts messages into tickets and quarantine."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from indutech.generator import ticket_messages
from indutech.inspection import COMPOSED
from indutech.malformed import malformed_cases
from indutech.tickets import FIELDS, TEAM_FOR_TYPE, Priority, Rejected, Ticket, TicketType, judge, spark_schema
from indutech.transforms import as_quarantine, as_tickets, judged

KAFKA = "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
USUAL = (
    b'{"ticket_id":"6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90","client_id":4217,"creation_date":"2026-03-02T08:15:30Z",'
    b'"request":"Le VPN ne r\xc3\xa9pond plus.","type":"Connexion","priority":"HAUTE"}'
)


def kafka_rows(spark: SparkSession, values: Sequence[bytes | None], timestamp: datetime | None = NOON) -> DataFrame:
    """Rows as Spark's Kafka source gives them, in one partition, numbered from 0."""
    rows = [(b"4217", value, "t", 0, offset, timestamp) for offset, value in enumerate(values)]
    return spark.createDataFrame(rows, KAFKA)


def verdicts(spark: SparkSession, values: Sequence[bytes | None]) -> list[Ticket | Rejected]:
    """What Spark says of each value, in the words of the Python contract."""
    columns = [F.unix_micros("creation_date").alias("creation_date") if f == "creation_date" else f for f in FIELDS]
    rows = judged(kafka_rows(spark, values)).orderBy("offset").select("reason", *columns).collect()
    return [_verdict(row) for row in rows]


def _verdict(row: Row) -> Ticket | Rejected:
    if row.reason is not None:
        assert all(row[field] is None for field in FIELDS), f"a rejected row has fields: {row}"
        return Rejected(row.reason)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.creation_date)
    return Ticket.model_construct(
        ticket_id=row.ticket_id,
        client_id=row.client_id,
        creation_date=moment,
        request=row.request,
        type=TicketType(row.type),
        priority=Priority(row.priority),
    )


def assert_agree(spark: SparkSession, values: Sequence[bytes | None]) -> list[Ticket | Rejected]:
    """Python and Spark say the same of every value, to the reason and to the field."""
    python = [judge(value) for value in values]
    both = zip(values, python, verdicts(spark, values), strict=True)
    differing = [f"{value!r}\n  Python {ours!r}\n  Spark  {theirs!r}" for value, ours, theirs in both if ours != theirs]
    assert not differing, f"{len(differing)} of {len(values)} differ\n" + "\n".join(differing[:20])
    return python


def test_every_case_of_the_table(spark: SparkSession) -> None:
    """Each case of the committed table gets its verdict and its very reason from Spark, as from Python."""
    cases = malformed_cases()

    found = assert_agree(spark, [case.value for case in cases])

    assert [v.reason if isinstance(v, Rejected) else None for v in found] == [case.reason for case in cases]


def test_generated_tickets_are_all_valid(spark: SparkSession) -> None:
    """What our own producer writes is accepted, field by field as Python reads it."""
    values = [value for batch in ticket_messages(500, seed=3) for _, value in batch]

    assert all(isinstance(verdict, Ticket) for verdict in assert_agree(spark, values))


TOKENS = [
    *(
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\t",
        "\x00",
        "\x01",
        "\x7f",
        "/",
        "'",
        "-",
        "+",
        "0",
        "1.5",
        "e9",
    ),
    *("\\n", "\\u00e9", "\\u0000", "\\ud83d", "\\ude00", "\\\\", "\\'", "\\x", "\\u12", '\\"', "//", "/* */", "#"),
    *("null", "true", "NaN", "Infinity", "{}", "[]", '""', '"a":1,', ',"type":"Connexion"', '"e\u0301"', "e\u0300"),
    *("\u0301", "\u00a0", "\u200b", "\ufeff", "\u2028", "é", "😀", "x" * 50, "[" * 70, '"x":"y",', "}}", "]}", "}{"),
]
VALUES = [
    *("null", "true", "1", "4217", "-4217", "4217.0", "-0", "0", "1e400", "4e3", "9223372036854775808", "9" * 50),
    *('"4217"', '""', '" "', '"null"', '"true"', '"{}"', '"Connexion"', '" BASSE "', '"\\u0042ASSE"', '"basse"'),
    *(
        '"Proble\u0300me Technique"',
        '"Proble\u0340me Technique"',
        '"Panne Mate\u0301\u0323rielle"',
        '"Panne Mat\\u00e9rielle"',
    ),
    *('"2026-02-29T10:00:00Z"', '"2024-02-29T10:00:00.5+05:30"', '"2026-03-02T24:00:00Z"', '"2026-03-02T10:00:60Z"'),
    *('"2026-13-02T10:00:00Z"', '"2026-03-02t10:00:00z"', '"2026-03-02T10:00:00+14:01"', '"2026-03-02T10:00:00-00:00"'),
    *(
        '"2999-12-31T23:59:59-00:01"',
        '"3000-01-01T00:00:00+01:00"',
        '"1970-01-01T00:00:00Z"',
        '"+2026-03-02T10:00:00Z"',
    ),
    *(
        '"2026-03-02T10:00:00.Z"',
        '"2026-03-02T10:00:00.1234567890Z"',
        '"2026-03-02T10:00:00,5Z"',
        '"2026-03-02T10:00:00+0100"',
    ),
    *(
        '{"a":1,"a":2}',
        '{"a":"\\ud800"}',
        "[1,2]",
        '["a",{"b":[]}]',
        '"\\ud83d\\ude00"',
        '"\\ude00\\ud83d"',
        '"a\\u0000"',
    ),
    *(
        '"6F1C2B34-8F0E-4C55-9A3B-0D4B2C1E7F90"',
        '"{6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90}"',
        '"\u00a0x\u00a0"',
        '"\\u2028"',
    ),
]
KEYS = [*FIELDS, "extra", "Type", "type ", "", "\\u0074ype", "ti\\u0063ket_id"]


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message near the contract: fields changed, repeated, moved or missing, then cut and stuffed."""
    fields = dict(pair.split(":", 1) for pair in re.findall(r'"\w+":(?:"[^"]*"|\d+)', USUAL.decode()))
    pairs = [[key, value] for key, value in fields.items()]
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 1, 2]))):
        pair = draw(st.sampled_from(pairs))
        pair[1] = draw(st.sampled_from(VALUES))
    if draw(st.integers(0, 4)) == 0:
        pairs.insert(draw(st.integers(0, 6)), [f'"{draw(st.sampled_from(KEYS))}"', draw(st.sampled_from(VALUES))])
    if draw(st.integers(0, 5)) == 0:
        pairs = draw(st.permutations(pairs))
    colon, comma = draw(st.sampled_from([(":", ","), (":", ","), (": ", ", "), (" :\t", "\r\n,")]))
    text = "{" + comma.join(key + colon + value for key, value in pairs) + "}"
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *TOKENS])) + text[at + draw(st.sampled_from([0, 0, 1, 2, 10])) :]
    value = text.encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.binary(min_size=0, max_size=3)) + value[at + draw(st.integers(0, 2)) :]
    return value


def test_near_misses_are_judged_alike(spark: SparkSession) -> None:
    """Thousands of random messages around the contract get the same verdict, reason and fields from both judges."""
    values: list[bytes] = []

    @hypothesis_settings(
        max_examples=1_000, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(messages())
    def collect(value: bytes) -> None:
        values.append(value)

    collect()
    found = assert_agree(spark, values)

    assert 50 < sum(isinstance(verdict, Ticket) for verdict in found) < len(found) - 500
