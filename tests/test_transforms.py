"""Spark validates exactly as the contract does, in one pass, and sorts messages into tickets and quarantine."""

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from py4j.clientserver import JavaClient
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from indutech.stream.fast_path import fast_path
from indutech.stream.transforms import as_quarantine, as_rows, ingest_date, validated
from indutech.stream.validation import composed
from indutech.tickets.cases import malformed_cases
from indutech.tickets.contract import (
    FIELDS,
    KINDS,
    PRODUCT,
    TEAM_FOR_TYPE,
    Priority,
    Rejected,
    Ticket,
    TicketType,
    validate,
)
from indutech.tickets.fields import Word
from indutech.tickets.generator import ticket_messages
from indutech.tickets.schema import KAFKA, spark_schema
from indutech.tickets.strict_json import BLANKS
from tests.hostile_messages import hostile

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
COMPACT = (
    b'{"ticket_id":"6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90","client_id":4217,"creation_date":"2026-03-02T08:15:30Z",'
    b'"request":"Le VPN ne r\xc3\xa9pond plus.","type":"Connexion","priority":"HAUTE"}'
)


# A date goes to Python in UTC, not in the zone of this process.
COMPARABLE = ["unix_micros(creation_date) AS creation_date" if name == "creation_date" else name for name in FIELDS]


def kafka_rows(spark: SparkSession, values: Sequence[bytes | None], timestamp: datetime | None = NOON) -> DataFrame:
    """Rows as Spark's Kafka source gives them, in one partition, numbered from 0."""
    rows = [
        {"key": b"4217", "value": value, "topic": "t", "partition": 0, "offset": offset, "timestamp": timestamp}
        for offset, value in enumerate(values)
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=KAFKA))


def spark_results(spark: SparkSession, values: Sequence[bytes | None]) -> list[Ticket | Rejected]:
    """What Spark says of each value, in the words of the Python contract."""
    rows = validated(kafka_rows(spark, values)).orderBy("offset").selectExpr("reason", *COMPARABLE).collect()
    return [_result(row) for row in rows]


def _result(row: Row) -> Ticket | Rejected:
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
    fields = dict(pair.split(":", 1) for pair in re.findall(r'"\w+":(?:"[^"]*"|\d+)', COMPACT.decode()))
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


def near_misses() -> list[bytes]:
    """The same thousand messages in every run."""
    values: list[bytes] = []

    @hypothesis_settings(
        max_examples=1_000, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(messages())
    def collect(value: bytes) -> None:
        values.append(value)

    collect()
    return values


def one_byte_off() -> list[bytes]:
    """The compact message with each of its bytes replaced by each of those that mean something, or removed."""
    telling = b'\x00\n "\\{},:09aAzZ\x7f\xa9\xc3\xff'
    changed = {COMPACT[:at] + bytes([byte]) + COMPACT[at + 1 :] for at in range(len(COMPACT)) for byte in telling}
    removed = {COMPACT[:at] + COMPACT[at + 1 :] for at in range(len(COMPACT))}
    return sorted(changed | removed)


def megabytes() -> list[bytes]:
    """Messages of a megabyte that cost a careless validator its stack or its afternoon."""
    compact, million = COMPACT.decode(), 1_000_000
    keys = ",".join(f'"k{i}":1' for i in range(90_000))
    fillers = ("V" * million, "\\n" * 500_000, "\\\\" * 500_000, "[" * million, "\\ud83d\\ude00" * 80_000)
    texts = [
        *(compact.replace("VPN", filler) for filler in fillers),
        compact.replace("Le VPN ne répond plus.", " " * million),
        compact.replace("Connexion", " " * 500_000 + "Connexion" + " " * 500_000),
        *("{" * million, '{"a":' + '"' * million, '{"a":"' + "\\" * million, "[" * million),
        compact[:-1] + ',"extra":' + "[" * 500_000 + "]" * 500_000 + "}",
        "{" + keys + ',"k7":2,' + compact[1:],
    ]
    return [text.encode() for text in texts]


def at_the_limits() -> list[bytes]:
    """Numbers of a thousand digits, keys of fifty thousand characters, and one more; in the message or ignored."""
    compact = COMPACT.decode()
    digits = [sign + "9" * count for sign in ("", "-", "1e", "1.") for count in (999, 1_000, 1_001)]
    keys = [letter * count for letter, count in product("ké", (50_000, 50_001))] + ["😀" * 25_000, "😀" * 25_001]
    texts = [compact[:-1] + f',"extra":{number}}}' for number in digits]
    texts += [compact.replace("4217", number) for number in digits]
    texts += [compact[:-1] + f',"{key}":1}}' for key in keys]
    texts += [compact[:-1] + f',"extra":{{"{key}":1}}}}' for key in keys]
    texts += [compact[:-1] + f',"extra":{"[" * depth}{"]" * depth}}}' for depth in (62, 63, 64, 65)]
    return [text.encode() for text in texts]


def every_blank() -> list[bytes]:
    """Each character that counts as blank, alone, around a word, and before a request, as it is and escaped."""
    compact, request = COMPACT.decode(), "Le VPN ne répond plus."
    written = [blank for blank in BLANKS if blank >= " "] + [f"\\u{ord(blank):04x}" for blank in BLANKS]
    texts = [compact.replace(request, blank) for blank in written]
    texts += [compact.replace(request, blank + request) for blank in written]
    texts += [compact.replace("Connexion", f"{blank}Connexion{blank}") for blank in written]
    texts += [compact.replace("HAUTE", f"HAU{blank}TE") for blank in written]
    return [text.encode() for text in texts]


GROUPS: dict[str, Callable[[], Sequence[bytes | None]]] = {
    "the committed table": lambda: [case.value for case in malformed_cases()],
    "generated tickets": lambda: [value for batch in ticket_messages(500, seed=3) for _, value in batch],
    "near misses": near_misses,
    "one byte off": one_byte_off,
    "every blank": every_blank,
    "at the limits": at_the_limits,
    "megabytes": megabytes,
    "hostile": lambda: hostile(each=300, more=3),
}
GENERATED_AT_LEAST = 10_000
MOST_CALLS = 400  # of a plan that is made for every micro-batch


@dataclass(frozen=True)
class Results:
    """One message, and what each validator says of it."""

    value: bytes | None
    python: Ticket | Rejected
    spark: Ticket | Rejected


@pytest.fixture(scope="module")
def compared(spark: SparkSession) -> dict[str, list[Results]]:
    """Every message of every group, validated by Python and, in a single job, by Spark."""
    values = {name: list(group()) for name, group in GROUPS.items()}
    by_spark = iter(spark_results(spark, [value for group in values.values() for value in group]))
    return {name: [Results(v, validate(v), next(by_spark)) for v in group] for name, group in values.items()}


@pytest.mark.parametrize("group", GROUPS)
def test_python_and_spark_validate_alike(compared: dict[str, list[Results]], group: str) -> None:
    """Both give every message the same result, to the wording of the reason and to the last field."""
    differing = [
        f"{str(one.value)[:300]}\n  Python {str(one.python)[:300]}\n  Spark  {str(one.spark)[:300]}"
        for one in compared[group]
        if one.python != one.spark
    ]

    assert not differing, f"{len(differing)} of {len(compared[group])} differ\n" + "\n".join(differing[:10])


def test_spark_gives_the_reason_of_the_table(compared: dict[str, list[Results]]) -> None:
    """Each case of the committed table is accepted or refused for the very reason that stands there."""
    found = [one.spark.reason if isinstance(one.spark, Rejected) else None for one in compared["the committed table"]]

    assert found == [case.reason for case in malformed_cases()]


def test_random_messages_are_near_the_border(compared: dict[str, list[Results]]) -> None:
    """Agreement is worth something only if the messages fall on both sides, and for most reasons there are."""
    generated = compared["near misses"] + compared["hostile"]
    near = [one.python for one in generated + compared["one byte off"]]
    reasons = {one.reason.split(":")[0] for one in near if isinstance(one, Rejected)}

    assert len({one.value for one in generated}) >= GENERATED_AT_LEAST
    assert sum(isinstance(one, Ticket) for one in near) > 100
    assert len(reasons) > 30


def test_fast_path_agrees(spark: SparkSession, compared: dict[str, list[Results]]) -> None:
    """What the fast path takes is a ticket of the contract, field by field; it takes all that our producer writes."""
    everything = [(name, one) for name, group in compared.items() for one in group]
    rows = (
        fast_path(kafka_rows(spark, [one.value for _, one in everything]))
        .where("fast_path_ok")
        .selectExpr("offset", "null AS reason", *COMPARABLE)
        .collect()
    )
    taken = {row.offset: _result(row) for row in rows}

    assert [everything[place][1] for place, ticket in taken.items() if everything[place][1].python != ticket] == []
    assert {place for place, (name, _) in enumerate(everything) if name == "generated tickets"} <= taken.keys()
    assert sum(everything[place][0] == "hostile" for place in taken) > 10


def test_accents_written_apart_are_all_known() -> None:
    """Spark has no NFC: the replacements it gets instead cover everything that Unicode calls equal to our words."""
    decomposing = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.decomposition(chr(code))]

    def spellings(text: str) -> str:
        equal = {character for character in decomposing if unicodedata.normalize("NFD", character) == text}
        return "".join(sorted({text, *equal} if len(text) == 1 else equal))

    vocabularies = [kind.words for kind in KINDS.values() if isinstance(kind, Word)]
    assert len(vocabularies) > 1
    for letter in {letter for words in vocabularies for word in words for letter in word}:
        apart = unicodedata.normalize("NFD", letter)
        assert spellings(apart) == letter, "one more character means the same as this one"
        if apart != letter:
            assert composed(PRODUCT)[f"{spellings(apart[0])}[{spellings(apart[1])}]"] == letter


def test_spark_and_python_agree_on_what_utf8_is(spark: SparkSession) -> None:
    """Every two bytes, and the edges of three and four: overlong forms, surrogates, beyond the last code point."""
    edges = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    texts = [bytes(pair) for pair in product(range(256), repeat=2)]
    texts += [bytes((lead, *more)) for lead in range(0xE0, 0xF0) for more in product(edges, repeat=2)]
    texts += [bytes((lead, *more)) for lead in range(0xF0, 0xF9) for more in product(edges, repeat=3)]
    table = spark.createDataFrame(pa.table({"value": pa.array(texts, pa.binary())}))

    valid = table.select(F.is_valid_utf8(F.col("value").cast("string"))).toArrow().column(0).to_pylist()

    assert valid == [_decodes(text) for text in texts]


def _decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_valid_messages_become_tickets(spark: SparkSession) -> None:
    """A ticket of the lake has the contract's columns, its team, its place in Kafka and the day it came in."""
    rows = validated(kafka_rows(spark, [COMPACT, b"{}"]))

    tickets = as_rows(rows, F.lit("2026-03-02T12:00:05Z").cast("timestamp"))
    latency = F.unix_seconds("processed_at") - F.unix_seconds("kafka_timestamp")
    [ticket] = tickets.withColumn("latency", latency).collect()

    assert tickets.columns == [
        *FIELDS,
        *("support_team", "kafka_partition", "kafka_offset", "kafka_timestamp", "processed_at", "ingest_date"),
    ]
    assert ", ".join(f"{name} {kind.upper()}" for name, kind in tickets.dtypes[: len(FIELDS)]) == spark_schema()
    assert (ticket.request, ticket.support_team) == ("Le VPN ne répond plus.", "Support Réseau")
    assert (ticket.kafka_partition, ticket.kafka_offset, ticket.latency) == (0, 0, 5)
    assert ticket.ingest_date == date(2026, 3, 2)


def test_columns_are_built_once(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is the same in every micro-batch is not asked of Java again: building it takes longer than a small batch."""
    asked: list[str] = []
    send = JavaClient.send_command

    def counted(client: JavaClient, command: str, *others: object) -> object:
        asked.append(command)
        return send(client, command, *others)

    monkeypatch.setattr(JavaClient, "send_command", counted)
    rows, now = kafka_rows(spark, [COMPACT]), F.current_timestamp()
    as_rows(validated(rows), now)
    asked.clear()

    as_rows(validated(rows), now)

    assert 0 < len(asked) < MOST_CALLS


def test_every_type_has_its_team(spark: SparkSession) -> None:
    """Spark gives each type the team that the contract names."""
    messages = [COMPACT.replace(b"Connexion", type_.encode()) for type_ in TicketType]

    rows = as_rows(validated(kafka_rows(spark, messages)), F.current_timestamp()).collect()

    assert {row.type: row.support_team for row in rows} == TEAM_FOR_TYPE


def test_other_messages_are_quarantined_as_received(spark: SparkSession) -> None:
    """A row of the quarantine has the bytes, the reason and everything needed to find or send the message again."""
    quarantine = as_quarantine(validated(kafka_rows(spark, [COMPACT, b"\xff\x00", None])), F.current_timestamp())

    rows = sorted(quarantine.collect(), key=lambda row: row.kafka_offset)

    assert [(row.raw, row.reason, row.kafka_offset) for row in rows] == [
        (b"\xff\x00", "invalid UTF-8", 1),
        (None, "null value", 2),
    ]
    assert {(bytes(row.kafka_key), row.kafka_topic, row.kafka_partition) for row in rows} == {(b"4217", "t", 0)}
    assert quarantine.columns == [
        *("raw", "reason", "kafka_key", "kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"),
        *("processed_at", "ingest_date"),
    ]


@pytest.mark.parametrize(
    ("timestamp", "day"),
    [
        (None, date(2020, 1, 1)),
        (datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), date(2020, 1, 1)),  # Kafka's -1: no timestamp
        (datetime(9999, 1, 1, tzinfo=UTC), date(2099, 12, 31)),
        (datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), date(2026, 3, 2)),
    ],
)
def test_folders_have_bounded_days(spark: SparkSession, timestamp: datetime | None, day: date) -> None:
    """A missing or mad timestamp of the broker makes no folder outside the years 2020 to 2099."""
    rows = kafka_rows(spark, [COMPACT], timestamp).select(ingest_date().alias("day"))

    assert [row.day for row in rows.collect()] == [day]
