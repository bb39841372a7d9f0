"""The columns of the lake and what is derived from them; the patterns of the kinds of fields."""

import random
import re
from datetime import UTC, datetime
from enum import StrEnum

import pyarrow as pa
import pytest

from indutech.lake import ddl, layout
from indutech.system.settings import PROJECT
from indutech.tickets import compact_json, schema
from indutech.tickets.contract import FIELDS, KINDS, validate
from indutech.tickets.fields import FreeText, Integer, Moment, Word
from indutech.tickets.generator import ticket_messages


@pytest.mark.parametrize("statement", [ddl.athena, ddl.redshift], ids=["Athena", "Redshift"])
def test_the_document_shows_the_statements(statement) -> None:
    """The DDL in docs/lake.md is rendered from the schema."""
    assert statement() in (PROJECT / "docs" / "lake.md").read_text("utf-8")


def test_every_column_has_a_type_everywhere() -> None:
    """Each Arrow type in use has its name in Spark, DuckDB, Hive and Redshift."""
    schemas = [schema.KAFKA, schema.VALIDATED, schema.FOLDERS, *schema.LAKE.values()]

    for one in schemas:
        for types in (schema.SPARK_TYPES, schema.DUCKDB_TYPES, schema.HIVE_TYPES):
            assert list(schema.columns(one, types)) == one.names
        assert list(schema.redshift_columns(one)) == one.names


def test_binary_columns_are_varbyte_in_redshift() -> None:
    """What docs/lake.md says about the quarantine."""
    hive = schema.columns(schema.LAKE["quarantine"], schema.HIVE_TYPES)

    assert {name for name, type_ in hive.items() if type_ == "binary"} == {"raw", "kafka_key"}
    assert schema.redshift_columns(schema.LAKE["quarantine"])["raw"].startswith("varbyte")


def test_columns_of_the_lake_are_a_promise() -> None:
    """Others read these names; a column is added, never renamed."""
    place = ["kafka_partition", "kafka_offset", "kafka_timestamp", "processed_at"]

    assert schema.LAKE["tickets"].names == [*FIELDS, "support_team", *place]
    assert schema.LAKE["quarantine"].names == ["raw", "reason", "kafka_key", "kafka_topic", *place]
    assert set(layout.KINDS) == set(schema.LAKE)


def test_large_integers_get_a_large_type() -> None:
    """A range beyond 32 bits is not cut."""
    assert schema._arrow_type(Integer(range(2**31))) == pa.int32()
    assert schema._arrow_type(Integer(range(2**31 + 1))) == pa.int64()


def test_patterns_of_integers_are_exact() -> None:
    """The fast path takes a number if and only if it is in the range: 400 random ranges, negative ones too."""
    draws = random.Random(1)  # noqa: S311
    for _ in range(400):
        low = draws.choice([0, draws.randint(-1_200, 12_000)])
        kind = Integer(range(low, low + draws.choice([1, 2, 10, draws.randint(1, 11_000)])))
        edges = {end + step for end in (kind.allowed[0], kind.allowed[-1], 0, 9, 99, 999) for step in range(-12, 13)}
        for number in {*edges, *draws.sample(range(-2_000, 25_000), 100)}:
            assert bool(re.fullmatch(kind.fast_pattern, str(number))) == (number in kind.allowed), (kind, number)
        assert not any(re.fullmatch(kind.fast_pattern, text) for text in ("", "-", "-0", f"0{low}", f"{low}.0", "1e3"))
        assert kind.width is None or {len(str(number)) for number in kind.allowed} == {kind.width}


@pytest.mark.parametrize("years", [range(1970, 3000), range(1975, 2051), range(2026, 2027)])
def test_patterns_of_moments_keep_to_the_years(years: range) -> None:
    """Every year of four digits, and shapes near ISO 8601."""
    pattern = Moment(years).fast_pattern

    for year in range(1, 10_000):
        text = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC).strftime("-%m-%dT%H:%M:%SZ")
        assert bool(re.fullmatch(pattern, f"{year:04d}{text}")) == (year in years)
    for wrong in ("2026-02-03T24:00:00Z", "2026-02-03 04:05:06Z", "2026-02-03T04:05:06+00:00", "2026-02-03T04:05:60Z"):
        assert not re.fullmatch(pattern, wrong)


@pytest.mark.parametrize("allowed", [range(0), range(0, 10, 2)])
def test_ranges_with_gaps_are_refused(allowed: range) -> None:
    """No pattern can tell them."""
    with pytest.raises(ValueError, match="is empty or has gaps"):
        Integer(allowed)


@pytest.mark.parametrize("word", ["", " Web", 'Web"', "We\\b", "Te\u0301le\u0301phone", "Web\u200b"])
def test_words_that_no_message_could_hold_are_refused(word: str) -> None:
    """Words are compared after NFC and trimming, and the fast path compares them as JSON writes them."""
    with pytest.raises(ValueError, match="is empty, not NFC, padded with blanks, or escaped in JSON"):
        Word(StrEnum("Words", {"ONE": word}))


@pytest.mark.parametrize("text", ["", " a", "\u00a0a", 'a"b', "a\\b", "a\tb", "a\x00"])
def test_texts_that_need_a_parser_are_not_taken(text: str) -> None:
    """Escapes, and a first character that may be blank, are for the full validation."""
    assert not re.fullmatch(FreeText().fast_pattern, text)


def test_the_layout_is_that_of_the_messages() -> None:
    """The places of the fields in compact JSON, checked against what the generator writes."""
    for _, value in next(ticket_messages(50, seed=1)):
        ticket = validate(value)
        for name, width in compact_json.WIDTHS.items():
            start = compact_json.STARTS[name]
            assert re.fullmatch(KINDS[name].fast_pattern, value[start : start + width].decode())
        assert value[compact_json.HEAD_BYTES :].startswith(ticket.request.encode())
        assert value.endswith(compact_json.END.encode())
