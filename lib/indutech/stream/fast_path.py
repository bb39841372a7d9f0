"""The fast path: messages that are right, byte for byte as the producer writes them, are read without parsing JSON.

Such a message has the contract's keys in its order and no blanks, so the fields before the first of varying width have
a known place, and reading bytes there is several times faster than parsing. Whatever does not fit, to the byte, is
validated in full; so this is never a second set of rules.
"""

import re
from collections.abc import Iterator
from itertools import product as combinations
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from indutech.stream.kept_columns import kept
from indutech.tickets import compact_json, schema
from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.fields import ESCAPED, FreeText, Kind, Real, Word
from indutech.tickets.product import Product

KAFKA_COLUMNS = tuple(schema.KAFKA.names)

_ASCII, _ACCENTED = (b"!", b"~"), b"\xc3"  # first bytes of characters that are not blank: any of ASCII, À to ÿ


def fast_path(kafka_rows: DataFrame, product: Product[Any] = TICKETS) -> DataFrame:
    """Add `fast_path_ok` and the contract's fields: if true the message is right, else nothing is known about it.

    Its plan is small: Spark plans it in a fraction of the time that the full validation takes.
    """
    rows = kafka_rows
    for columns in _passes(product):
        rows = rows.select(*columns)
    return rows


@kept
def _passes(product: Product[Any]) -> tuple[list[Column], ...]:
    """The columns of each pass over a row: what one cuts, the next looks at."""
    shape = _Shape(product)
    fits = shape.tail_fits() & F.col("head").rlike(shape.head)
    for name in shape.unsure:
        fits = fits & shape.is_sure(name)
    if shape.text:
        first = F.substring("value", shape.head_bytes + 1, 1)
        fits = (
            fits
            & (F.col("text") != "")
            & (first.between(*map(F.lit, _ASCII)) | (first == F.lit(_ACCENTED)))
            & ~F.col("text").rlike(ESCAPED)
            & F.is_valid_utf8("text")
        )
    fields = [shape.value(name).alias(name) for name in product.fields]
    found = [F.coalesce(fits, F.lit(False)).alias("fast_path_ok"), *fields]
    kafka = [F.col(name) for name in KAFKA_COLUMNS]
    return tuple([*kafka, *columns] for columns in (*shape.places(), found))


class _Shape:
    """Where the values of a product's message are, and what they must look like to be right for certain."""

    def __init__(self, product: Product[Any]) -> None:
        layout = compact_json.of(product)
        self._kinds, self._before, self._end = product.kinds, layout.before, layout.end
        self._widths, self._starts, self._tail = layout.widths, layout.starts, layout.tail
        self._types = schema.columns(schema.of(product).message, schema.SPARK_TYPES)
        self.text, self.head_bytes = layout.text, layout.head_bytes
        # Whether a moment exists, or a number is within its bounds, only a cast can tell.
        self.unsure = [name for name in product.fields if not self._kinds[name].is_sure]
        self.words_only = bool(self.text) and all(isinstance(self._kinds[name], Word) for name in self._tail)
        fixed = "".join(re.escape(self._before[name]) + self._kinds[name].fast_pattern for name in self._widths)
        self.head = rf"\A{fixed}{re.escape(self._before[self.text or self._tail[0]])}\z"

    def places(self) -> tuple[list[Column], list[Column]]:
        """Cut the message into head, text and tail, and cast what only a cast can tell: columns of two passes."""
        tail = F.substring("value", self.head_bytes + 1, F.octet_length("value")).cast("string")
        parts = [F.col("tail"), _bytes(1, self.head_bytes).alias("head"), *self._casts()]
        if self.text:
            first = self._before[self._tail[0]]
            tail = F.substring_index(F.col("value").cast("string"), first, -1)
            tail_at = F.octet_length("value") - F.octet_length("tail") + 1
            text = _bytes(self.head_bytes + 1, tail_at - len(first.encode()) - self.head_bytes - 1)
            parts.append(text.alias("text"))
        return [tail.alias("tail")], parts

    def tail_fits(self) -> Column:
        if self.words_only:
            return F.col("tail").isin(self._tails())
        matches = F.col("tail").rlike(rf"\A{self._tail_pattern()}\z")
        has_text = any(isinstance(self._kinds[name], FreeText) for name in self._tail)
        return matches & F.is_valid_utf8("tail") if has_text else matches

    def is_sure(self, name: str) -> Column:
        match self._kinds[name]:
            case Real(low, high):
                return F.col(f"cast_{name}").between(low, high)
            case _:
                return F.col(f"cast_{name}").isNotNull()

    def value(self, name: str) -> Column:
        if name == self.text:
            return F.col("text")
        if name in self.unsure:
            return F.col(f"cast_{name}")
        written = self._written(name)
        return written if self._types[name] == "STRING" else written.try_cast(self._types[name].lower())

    def _casts(self) -> Iterator[Column]:
        for name in self.unsure:
            cast = self._written(name).try_cast(self._types[name].lower())
            zero_without_sign = cast + F.lit(0.0) if isinstance(self._kinds[name], Real) else cast
            yield zero_without_sign.alias(f"cast_{name}")

    def _tails(self) -> list[str]:
        """Every tail that there can be: words only."""
        words = combinations(*(_words(self._kinds[name]) for name in self._tail))
        keys = ["", *(self._before[name] for name in self._tail[1:])]
        return ["".join(key + word for key, word in zip(keys, one, strict=True)) + self._end for one in words]

    def _tail_pattern(self) -> str:
        """A group for each value, the keys between them and the end."""
        keys = ["", *(re.escape(self._before[name]) for name in self._tail[1:])]
        groups = (f"{key}({self._kinds[name].fast_pattern})" for key, name in zip(keys, self._tail, strict=True))
        return "".join(groups) + re.escape(self._end)

    def _written(self, name: str) -> Column:
        """The value as it stands in the message: bytes at a place, or a part of the tail."""
        if name in self._widths:
            return _bytes(self._starts[name] + 1, self._widths[name])
        if not self.words_only:
            return F.regexp_extract("tail", rf"\A{self._tail_pattern()}\z", self._tail.index(name) + 1)
        # Words and keys are between quotes: four to each field, counted from the end.
        quotes = 4 * (len(self._tail) - 1 - self._tail.index(name)) + 2
        return F.substring_index("tail" if name == self._tail[0] else F.substring_index("tail", '"', -quotes), '"', 1)


def _words(kind: Kind) -> list[str]:
    return kind.words if isinstance(kind, Word) else []


def _bytes(first: int, length: int | Column) -> Column:
    return F.substring("value", first, length).cast("string")
