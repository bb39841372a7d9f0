"""The fast path: messages that are tickets, byte for byte as the producer writes them, are read without parsing JSON.

Such a message has the contract's keys in its order and no blanks, so every field but the text has a known place, and
reading bytes there is several times faster than parsing. Whatever does not fit, to the byte, is validated in full; so
this is never a second set of rules.
"""

import re
from itertools import product

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from indutech.tickets import schema
from indutech.tickets.compact_json import BEFORE, END, HEAD_BYTES, STARTS, TAIL, TEXT, WIDTHS
from indutech.tickets.contract import FIELDS, KINDS
from indutech.tickets.fields import ESCAPED, FreeText, Kind, Moment, Word

KAFKA_COLUMNS = tuple(schema.KAFKA.names)

_SPARK_TYPES = schema.columns(schema.TICKET, schema.SPARK_TYPES)
_HEAD = (
    rf"\A{''.join(re.escape(BEFORE[name]) + KINDS[name].fast_pattern for name in WIDTHS)}{re.escape(BEFORE[TEXT])}\z"
)
_WORDS_ONLY = all(isinstance(KINDS[name], Word) for name in TAIL)
_ASCII, _ACCENTED = (b"!", b"~"), b"\xc3"  # first bytes of characters that are not blank: any of ASCII, À to ÿ


def fast_path(kafka_rows: DataFrame) -> DataFrame:
    """Add `fast_path_ok` and the contract's fields: if true the message is a ticket, else nothing is known about it.

    Its plan is small: Spark plans it in a fraction of the time that the full validation takes.
    """
    text = F.col("value").cast("string")
    tail_at = F.octet_length("value") - F.octet_length("tail") + 1
    places = kafka_rows.select(*KAFKA_COLUMNS, F.substring_index(text, BEFORE[TAIL[0]], -1).alias("tail")).select(
        *KAFKA_COLUMNS,
        "tail",
        _bytes(1, HEAD_BYTES).alias("head"),
        # Whether a moment exists only a cast can tell: done here, once, for the condition and for the value.
        *(_moment(name).alias(f"moment_{name}") for name in FIELDS if isinstance(KINDS[name], Moment)),
        _bytes(HEAD_BYTES + 1, tail_at - len(BEFORE[TAIL[0]].encode()) - HEAD_BYTES - 1).alias("text"),
    )
    first = F.substring("value", HEAD_BYTES + 1, 1)
    moments = [F.col(f"moment_{name}").isNotNull() for name in FIELDS if isinstance(KINDS[name], Moment)]
    fits = _tail_fits() & F.col("head").rlike(_HEAD)
    for exists in moments:
        fits = fits & exists
    fits = (
        fits
        & (F.col("text") != "")
        & (first.between(*map(F.lit, _ASCII)) | (first == F.lit(_ACCENTED)))
        & ~F.col("text").rlike(ESCAPED)
        & F.is_valid_utf8("text")
    )
    return places.select(
        *KAFKA_COLUMNS,
        F.coalesce(fits, F.lit(False)).alias("fast_path_ok"),
        *(_value(name).alias(name) for name in FIELDS),
    )


def _tail_fits() -> Column:
    if _WORDS_ONLY:
        return F.col("tail").isin(_tails())
    matches = F.col("tail").rlike(rf"\A{_tail_pattern()}\z")
    return matches & F.is_valid_utf8("tail") if any(isinstance(KINDS[name], FreeText) for name in TAIL) else matches


def _tails() -> list[str]:
    """Every tail that there can be: words only."""
    words = product(*(_words(KINDS[name]) for name in TAIL))
    keys = ["", *(BEFORE[name] for name in TAIL[1:])]
    return ["".join(key + word for key, word in zip(keys, one, strict=True)) + END for one in words]


def _tail_pattern() -> str:
    """A group for each value, the keys between them and the end."""
    keys = ["", *(re.escape(BEFORE[name]) for name in TAIL[1:])]
    groups = (f"{key}({KINDS[name].fast_pattern})" for key, name in zip(keys, TAIL, strict=True))
    return "".join(groups) + re.escape(END)


def _value(name: str) -> Column:
    if name == TEXT:
        return F.col("text")
    if isinstance(KINDS[name], Moment):
        return F.col(f"moment_{name}")
    written = _written(name)
    return written if _SPARK_TYPES[name] == "STRING" else written.try_cast(_SPARK_TYPES[name].lower())


def _moment(name: str) -> Column:
    return _written(name).try_cast("timestamp")


def _written(name: str) -> Column:
    """The value as it stands in the message: bytes at a place, or a part of the tail."""
    if name in WIDTHS:
        return _bytes(STARTS[name] + 1, WIDTHS[name])
    if not _WORDS_ONLY:
        return F.regexp_extract("tail", rf"\A{_tail_pattern()}\z", TAIL.index(name) + 1)
    # Words and keys are between quotes: four to each field, counted from the end.
    quotes = 4 * (len(TAIL) - 1 - TAIL.index(name)) + 2
    return F.substring_index("tail" if name == TAIL[0] else F.substring_index("tail", '"', -quotes), '"', 1)


def _words(kind: Kind) -> list[str]:
    return kind.words if isinstance(kind, Word) else []


def _bytes(first: int, length: int | Column) -> Column:
    return F.substring("value", first, length).cast("string")
