"""The whole contract in Spark's built-ins: for a message of any shape, the ticket it holds or why it holds none."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from pyspark.sql import Column
from pyspark.sql import functions as F

from indutech.tickets import contract, strict_json
from indutech.tickets.contract import CLIENT_IDS, FIELDS, Priority, TicketType
from indutech.tickets.strict_json import BLANKS, BYTE_ORDER_MARKS, ECHO_CHARACTERS, JSON_BLANKS, MAX_DEPTH

# What a vocabulary word may be made of when its accents are written apart: Spark has no NFC, and needs no more of it.
COMPOSED: Mapping[str, str] = {"e[\u0300\u0340]": "è", "e[\u0301\u0341]": "é"}
_RFC_8259 = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_MANY_BRACKETS = rf"\A(?:[^\[{{]*+[\[{{]){{{MAX_DEPTH + 1}}}"  # so few messages have them that depth is seldom counted


def inspected(value: Column) -> Column:
    """Return a struct of `reason` (null: valid) and the contract's fields, null where there is a reason.

    Higher-order functions hold it together on purpose: Spark interprets them, so that this long expression is neither
    compiled into the fast path nor evaluated for rows that do not ask for it, and each `_let` is evaluated once.
    """
    return _let(_unreadable(value), lambda reason: F.when(reason.isNull(), _read(value)).otherwise(_rejected(reason)))


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


def _read(value: Column) -> Column:
    text = value.cast("string")
    padded = text.rlike(rf"\A[{JSON_BLANKS}]|[{JSON_BLANKS}]\z")  # cheaper than to trim, and seldom so
    return _let(F.when(padded, F.btrim(text, F.lit(JSON_BLANKS))).otherwise(text), _read_body)


def _read_body(body: Column) -> Column:
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
        return _let(reason, lambda why: F.when(why.isNull(), _ticket(body, found[0])).otherwise(_rejected(why)))

    return _let(
        wrong,
        lambda reason: F.when(
            reason.isNull(), _let(F.from_json(listed, "array<map<string,string>>", _RFC_8259), checked)
        ).otherwise(_rejected(reason)),
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


def _ticket(body: Column, found: Column) -> Column:
    """Validate field after field: `found` holds the raw texts, and the variants tell "1234" from 1234."""
    variants = ", ".join(f"{field} variant" for field in FIELDS)
    raw_texts = F.struct(*(F.try_element_at(found, F.lit(field)).alias(field) for field in FIELDS))
    kinds = F.from_json(body, variants, _RFC_8259)
    return _let(raw_texts, lambda raw: _let(kinds, lambda kind: _validated(found, raw, kind)))


def _validated(found: Column, raw: Column, kind: Column) -> Column:
    moment = raw["creation_date"].try_cast("timestamp")
    rules = {
        "ticket_id": _ticket_id(raw["ticket_id"]),
        "client_id": _client_id(raw["client_id"], _is_text(kind["client_id"])),
        "creation_date": _creation_date(raw["creation_date"], moment),
        "request": F.when(raw["request"].rlike(_whole(f"[{BLANKS}]*+")), "request is blank"),
        "type": _unknown("type", TicketType, raw["type"]),
        "priority": _unknown("priority", Priority, raw["priority"]),
    }
    reasons = []
    for field, rule in rules.items():
        absent = F.when(F.map_contains_key(found, field), f"{field} is null").otherwise(f"missing field: {field}")
        present = F.when(raw[field].isNull(), absent)
        if field != "client_id":
            present = present.when(~_is_text(kind[field]), f"{field} is not text")
        reasons.append(present.otherwise(rule))
    values = [
        F.lower(raw["ticket_id"]),
        raw["client_id"].try_cast("int"),
        moment,
        raw["request"],
        _word(TicketType, raw["type"]),
        _word(Priority, raw["priority"]),
    ]
    ticket = _struct(F.lit(None), values)
    return _let(F.coalesce(*reasons), lambda reason: F.when(reason.isNull(), ticket).otherwise(_rejected(reason)))


def _is_text(kind: Column) -> Column:
    return F.coalesce(F.schema_of_variant(kind) == "STRING", F.lit(False))


def _ticket_id(raw: Column) -> Column:
    return F.when(~raw.rlike(_whole(contract.UUID)), _quoting("ticket_id is not a UUID", raw))


def _client_id(raw: Column, is_text: Column) -> Column:
    number = F.coalesce(raw.try_cast("bigint"), F.lit(-1))
    return F.when(is_text | ~raw.rlike(_whole(contract.INTEGER)), "client_id is not an integer").when(
        ~number.between(CLIENT_IDS.start, CLIENT_IDS.stop - 1), _quoting("client_id out of range", raw)
    )


def _creation_date(raw: Column, moment: Column) -> Column:
    years = contract.YEARS
    first, end = (F.lit(f"{year}-01-01T00:00:00Z").cast("timestamp") for year in (years.start, years.stop))
    out_of_range = _quoting("creation_date out of range", raw)
    return (
        F.when(raw.rlike(_whole(contract.LOCAL_TIME)), _quoting("creation_date has no offset", raw))
        .when(
            ~raw.rlike(_whole(contract.LOCAL_TIME + contract.OFFSET)),
            _quoting("creation_date is not ISO 8601 with seconds and an offset", raw),
        )
        .when(~F.substring(raw, 1, 4).try_cast("int").between(years.start, years.stop - 1), out_of_range)
        .when(moment.isNull(), _quoting("creation_date is not a real date", raw))
        .when((moment < first) | (moment >= end), out_of_range)
    )


def _unknown(field: str, vocabulary: type[StrEnum], raw: Column) -> Column:
    return F.when(_word(vocabulary, raw).isNull(), _quoting(f"unknown {field}", raw))


def _word(vocabulary: type[StrEnum], raw: Column) -> Column:
    words, word = [known.value for known in vocabulary], raw
    for apart, composed in COMPOSED.items():
        word = F.regexp_replace(word, apart, composed)
    word = F.btrim(word, F.lit(BLANKS))
    return F.when(raw.isin(words), raw).when(word.isin(words), word)


def _quoting(reason: str, raw: Column) -> Column:
    return F.concat(F.lit(f"{reason}: "), _echo(raw))


def _echo(raw: Column) -> Column:
    return F.regexp_replace(F.substring(F.btrim(raw, F.lit(BLANKS)), 1, ECHO_CHARACTERS), strict_json.CONTROLS, "?")


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _rejected(reason: Column) -> Column:
    return _struct(reason, [F.lit(None)] * len(FIELDS))


def _struct(reason: Column, values: list[Column]) -> Column:
    types = [column.split()[1] for column in contract.spark_schema().split(", ")]
    fields = [value.cast(type_).alias(field) for field, value, type_ in zip(FIELDS, values, types, strict=True)]
    return F.struct(reason.cast("string").alias("reason"), *fields)
