"""Full validation in Spark's built-in functions: a message of any shape, and the row that it holds, or why none."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from indutech.tickets import fields, schema, strict_json
from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.fields import Code, FreeText, Integer, Kind, Moment, Real, Uuid, Word
from indutech.tickets.product import Product
from indutech.tickets.strict_json import BLANKS, BYTE_ORDER_MARKS, ECHO_CHARACTERS, JSON_BLANKS, MAX_DEPTH

_RFC_8259 = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_MANY_BRACKETS = rf"\A(?:[^\[{{]*+[\[{{]){{{MAX_DEPTH + 1}}}"  # so few messages have them that depth is seldom counted


@lru_cache
def composed(product: Product[Any]) -> Mapping[str, str]:
    """Return other spellings that Unicode calls equal to a letter of the vocabularies, as a pattern, and that letter.

    Spark has no NFC, and needs no more of it than the letters of the vocabularies.
    """
    words = [kind.words for kind in product.kinds.values() if isinstance(kind, Word)]
    letters = sorted({letter for vocabulary in words for letter in "".join(vocabulary)})
    equal: dict[str, str] = {}
    for other in map(chr, range(0x3000)):  # beyond, no character is equal to a letter of an alphabet
        if unicodedata.decomposition(other):
            apart = unicodedata.normalize("NFD", other)
            equal[apart] = equal.get(apart, "") + other

    def pattern(letter: str) -> str:
        apart = unicodedata.normalize("NFD", letter)
        marks = "".join(f"[{mark}{equal[mark]}]" if mark in equal else re.escape(mark) for mark in apart)
        others = equal.get(apart, "").replace(letter, "") if len(apart) > 1 else ""
        return f"(?:{marks}|[{others}])" if others else marks

    patterns = {pattern(letter): letter for letter in letters}
    return {found: letter for found, letter in patterns.items() if found != re.escape(letter)}


def validation(product: Product[Any] = TICKETS) -> Callable[[Column], Column]:
    """Return what makes of a value a struct of `reason` (null: valid) and the fields, null where there is a reason.

    Higher-order functions hold it together on purpose: Spark interprets them, so that this long expression is neither
    compiled into the fast path nor evaluated for rows that do not ask for it, and each `_let` is evaluated once.
    """
    return _Validation(product).of_value


class _Validation:
    """The rules of one product; those that need no field stand below."""

    def __init__(self, product: Product[Any]) -> None:
        self._fields, self._kinds, self._required = product.fields, product.kinds, product.required
        self._composed = composed(product)
        types = schema.columns(schema.of(product).message, schema.SPARK_TYPES)
        self._types = {name: type_.lower() for name, type_ in types.items()}

    def of_value(self, value: Column) -> Column:
        """Return the struct for a value."""
        return _let(
            _unreadable(value),
            lambda reason: F.when(reason.isNull(), self._read(value)).otherwise(self._refused(reason)),
        )

    def _read(self, value: Column) -> Column:
        text = value.cast("string")
        padded = text.rlike(rf"\A[{JSON_BLANKS}]|[{JSON_BLANKS}]\z")  # cheaper than to trim, and seldom so
        return _let(F.when(padded, F.btrim(text, F.lit(JSON_BLANKS))).otherwise(text), self._read_body)

    def _read_body(self, body: Column) -> Column:
        # from_json stops at the end of the first value. In a list whose last element only the text itself can name,
        # whatever stands after the object shows: the mark is not there, or it is not the second element.
        mark = F.sha2(body, 256)
        listed = F.concat(F.lit("["), body, F.lit(',{"":"'), mark, F.lit('"}]'))
        wrong = (
            F.when(body == "", "empty value")
            .when(~body.startswith("{"), "not a JSON object")
            .when(body.rlike(_MANY_BRACKETS) & (_depth(body) > MAX_DEPTH), f"nested deeper than {MAX_DEPTH} levels")
        )

        def checked(found: Column) -> Column:
            whole = (F.size(found) == 2) & (F.try_element_at(found[1], F.lit("")) == mark)
            reason = F.coalesce(
                F.when(
                    ~F.coalesce(whole, F.lit(False)),
                    F.when(_first_object(body).isNull(), "malformed JSON").otherwise("text after the JSON object"),
                ),
                F.when(body.contains("\\u"), _escape(body)),
                _duplicate(F.map_keys(found[0])),
            )
            return _let(
                reason, lambda why: F.when(why.isNull(), self._row(body, found[0])).otherwise(self._refused(why))
            )

        return _let(
            wrong,
            lambda reason: F.when(
                reason.isNull(), _let(F.from_json(listed, "array<map<string,string>>", _RFC_8259), checked)
            ).otherwise(self._refused(reason)),
        )

    def _row(self, body: Column, found: Column) -> Column:
        """Validate field after field: `found` holds the raw texts, and the variants tell "1234" from 1234."""
        variants = ", ".join(f"{field} variant" for field in self._fields)
        raw_texts = F.struct(*(F.try_element_at(found, F.lit(field)).alias(field) for field in self._fields))
        kinds = F.from_json(body, variants, _RFC_8259)
        return _let(raw_texts, lambda raw: _let(kinds, lambda kind: self._validated(found, raw, kind)))

    def _validated(self, found: Column, raw: Column, kind: Column) -> Column:
        reasons, values = [], []
        for field in self._fields:
            reason, value = self._rule(field, self._kinds[field], raw[field], _is_text(kind[field]))
            null = F.when(F.map_contains_key(found, field), f"{field} is null").otherwise(f"missing field: {field}")
            absent = F.when(raw[field].isNull(), null if field in self._required else F.lit(None))
            reasons.append(absent.otherwise(reason))
            values.append(value)
        row = self._struct(F.lit(None), values)
        return _let(F.coalesce(*reasons), lambda reason: F.when(reason.isNull(), row).otherwise(self._refused(reason)))

    def _rule(self, field: str, kind: Kind, raw: Column, is_text: Column) -> tuple[Column, Column]:
        """Return the reason against a value that is there (null: none), and what is stored: `Kind.read` in Spark."""
        not_text = F.when(~is_text, f"{field} is not text")
        match kind:
            case Uuid():
                return not_text.when(~raw.rlike(_whole(fields.UUID)), _quoting(f"{field} is not a UUID", raw)), F.lower(
                    raw
                )
            case Integer(allowed):
                return _integer_reason(field, allowed, raw, is_text), raw.try_cast(self._types[field])
            case Code():
                return not_text.when(
                    ~raw.rlike(_whole(kind.fast_pattern)), _quoting(f"{field} is not {kind.shape}", raw)
                ), raw
            case Real(low, high):
                number = raw.try_cast("double") + F.lit(0.0)  # a zero has no sign
                return _number_reason(field, low, high, raw, is_text, number), number
            case Moment(years):
                moment = raw.try_cast("timestamp")
                return not_text.otherwise(_moment_reason(field, years, raw, moment)), moment
            case FreeText():
                return not_text.when(raw.rlike(_whole(f"[{BLANKS}]*+")), f"{field} is blank"), raw
            case Word():
                word = _word(kind.words, raw, self._composed)
                return not_text.when(word.isNull(), _quoting(f"unknown {field}", raw)), word
        raise NotImplementedError(f"Spark has no rule for {field}: add {type(kind).__name__} here")

    def _refused(self, reason: Column) -> Column:
        return self._struct(reason, [F.lit(None)] * len(self._fields))

    def _struct(self, reason: Column, values: list[Column]) -> Column:
        columns = [
            value.cast(self._types[field]).alias(field) for field, value in zip(self._fields, values, strict=True)
        ]
        return F.struct(reason.cast("string").alias("reason"), *columns)


def _let(value: Column, body: Callable[[Column], Column]) -> Column:
    return F.transform(F.array(value), body)[0]


def _unreadable(value: Column) -> Column:
    text = value.cast("string")
    marks = [value.startswith(F.lit(mark)) for mark in BYTE_ORDER_MARKS]
    return (
        F.when(value.isNull(), "null value")
        .when(marks[0] | marks[1] | marks[2], "byte order mark")
        .when(~F.is_valid_utf8(text), "invalid UTF-8")
    )


def _escape(body: Column) -> Column:
    return F.when(body.rlike(strict_json.LONE_SURROGATE), "lone surrogate").when(
        body.rlike(strict_json.ESCAPED_NUL), "NUL character"
    )


def _first_object(body: Column) -> Column:
    return F.from_json(body, "map<string,string>", _RFC_8259)


def _depth(body: Column) -> Column:
    brackets = F.regexp_replace(F.regexp_replace(body, strict_json.STRINGS, ""), strict_json.NOT_BRACKETS, "")

    def step(state: Column, bracket: Column) -> Column:
        depth = state.depth + F.when(bracket.isin("{", "["), 1).when(bracket.isin("}", "]"), -1).otherwise(0)
        return F.struct(depth.alias("depth"), F.greatest(state.deepest, depth).alias("deepest"))

    start = F.struct(F.lit(0).alias("depth"), F.lit(0).alias("deepest"))
    return F.aggregate(F.split(brackets, ""), start, step, lambda state: state.deepest)


def _duplicate(keys: Column) -> Column:
    """Return the reason for the first key that was there before; sorted, because a message may hold 100,000 keys."""

    def first_repeated(ordered: Column) -> Column:
        repeated = F.filter(ordered, lambda one, i: (i > 0) & (F.get(ordered, i - 1)["key"] == one["key"]))
        place = F.array_min(F.transform(repeated, lambda one: one["place"]))
        return F.concat(F.lit("duplicate key: "), _echo(F.get(keys, place)))

    numbered = F.transform(keys, lambda key, place: F.struct(key.alias("key"), place.alias("place")))
    return F.when(F.size(F.array_distinct(keys)) < F.size(keys), _let(F.array_sort(numbered), first_repeated))


def _is_text(kind: Column) -> Column:
    return F.coalesce(F.schema_of_variant(kind) == "STRING", F.lit(False))


def _integer_reason(field: str, allowed: range, raw: Column, is_text: Column) -> Column:
    within = F.coalesce(raw.try_cast("bigint").between(allowed[0], allowed[-1]), F.lit(False))
    return F.when(is_text | ~raw.rlike(_whole(fields.INTEGER)), f"{field} is not an integer").when(
        ~within, _quoting(f"{field} out of range", raw)
    )


def _number_reason(field: str, low: float, high: float, raw: Column, is_text: Column, number: Column) -> Column:
    # Spark's parser gives a number as Java would write it: one too large for it stands as a text in quotes of its own.
    too_large = raw.isin('"Infinity"', '"-Infinity"')
    within = F.coalesce(number.between(F.lit(float(low)), F.lit(float(high))), F.lit(False))
    return F.when(is_text | ~(too_large | raw.rlike(_whole(fields.NUMBER))), f"{field} is not a number").when(
        ~within, f"{field} out of range"
    )


def _moment_reason(field: str, years: range, raw: Column, moment: Column) -> Column:
    first, end = (F.lit(f"{year}-01-01T00:00:00Z").cast("timestamp") for year in (years[0], years[-1] + 1))
    out_of_range = _quoting(f"{field} out of range", raw)
    return (
        F.when(raw.rlike(_whole(fields.LOCAL_TIME)), _quoting(f"{field} has no offset", raw))
        .when(
            ~raw.rlike(_whole(fields.LOCAL_TIME + fields.OFFSET)),
            _quoting(f"{field} is not ISO 8601 with seconds and an offset", raw),
        )
        .when(~F.substring(raw, 1, 4).try_cast("int").between(years[0], years[-1]), out_of_range)
        .when(moment.isNull(), _quoting(f"{field} is not a real date", raw))
        .when((moment < first) | (moment >= end), out_of_range)
    )


def _word(words: list[str], raw: Column, composed: Mapping[str, str]) -> Column:
    word = raw
    for apart, letter in composed.items():
        word = F.regexp_replace(word, apart, letter)
    word = F.btrim(word, F.lit(BLANKS))
    return F.when(raw.isin(words), raw).when(word.isin(words), word)


def _quoting(reason: str, raw: Column) -> Column:
    return F.concat(F.lit(f"{reason}: "), _echo(raw))


def _echo(raw: Column) -> Column:
    return F.regexp_replace(F.substring(F.btrim(raw, F.lit(BLANKS)), 1, ECHO_CHARACTERS), strict_json.CONTROLS, "?")


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"
