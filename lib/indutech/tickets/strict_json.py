"""Strict JSON (RFC 8259): reads the bytes of a message as the pairs of one object, or says why they hold none."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Unicode's White_Space, then the zero-width space, the word joiner and the byte order mark, which look like nothing.
BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\u2060\ufeff"
)
JSON_BLANKS = " \t\n\r"
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
MAX_DEPTH = 64  # far below the limits of Python's parser and of Spark's, which differ
MAX_DIGITS, MAX_KEY = 1_000, 50_000  # of a number, of a key in UTF-16: Jackson's limits, so Python keeps them too
ECHO_CHARACTERS = 40  # a reason quotes at most this much of a value

# Every pattern means the same to Python and to Java, so Spark validates with the very same text. Possessive, so that a
# megabyte of anything costs neither time nor stack.
STRINGS = r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"'
NOT_BRACKETS = r"[^\[\]{}]++"
# Each consumes what is right and then asks for one character more: it finds something only if something is wrong.
LONE_SURROGATE = (
    r"\A(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+[\s\S]"
)
ESCAPED_NUL = r"\A(?:[^\\]++|\\(?!u0000)[\s\S])*+[\s\S]"
CONTROLS = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"


class Number(str):
    """The text of a JSON number, as written: 1234.0 is not 1234."""


class Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object, as written: a repeated key is still there."""


@dataclass(frozen=True)
class Rejected:
    """Why a message is not a ticket, and, where it can be told, the byte at which that shows."""

    reason: str
    position: int | None = field(default=None, compare=False)  # Spark gives the same reason, and no position


@dataclass(frozen=True)
class Member:
    """One key of an object with its value: where both stand, counted in characters of the text."""

    key: str
    key_at: int
    value_at: int
    end: int


def echo(text: str) -> str:
    """Quote the beginning of a value in a reason, on one line."""
    return re.sub(CONTROLS, "?", text.strip(BLANKS)[:ECHO_CHARACTERS])


def pairs_of(value: bytes | None) -> Pairs | Rejected:
    """Return the pairs of the one JSON object that a message holds, no duplicate keys, or the reason against it."""
    if value is None:
        return Rejected("null value")
    if value.startswith(BYTE_ORDER_MARKS):
        return Rejected("byte order mark", 0)
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        return Rejected("invalid UTF-8", error.start)
    body = text.strip(JSON_BLANKS)
    if not body:
        return Rejected("empty value")

    def rejected(reason: str, at: int | None) -> Rejected:
        return Rejected(reason, None if at is None else byte_of(text, at))

    if not body.startswith("{"):
        return rejected("not a JSON object", 0)
    if (too_deep := _too_deep(body)) is not None:
        return rejected(f"nested deeper than {MAX_DEPTH} levels", too_deep)
    try:
        pairs, end = _DECODER.raw_decode(body)
    except ValueError as error:
        return rejected("malformed JSON", getattr(error, "pos", None))
    if end != len(body):
        return rejected("text after the JSON object", end)
    if found := re.search(LONE_SURROGATE, body):
        return rejected("lone surrogate", found.end() - 1)
    if found := re.search(ESCAPED_NUL, body):
        return rejected("NUL character", found.end() - 1)
    if (repeated := _first_repeated([key for key, _ in pairs])) is not None:
        return rejected(f"duplicate key: {echo(pairs[repeated][0])}", list(members(body))[repeated].key_at)
    return Pairs(pairs)


def byte_of(text: str, at: int) -> int:
    """Return the byte of a message at which a character of its text stands, counted without the blanks around it."""
    before = len(text) - len(text.lstrip(JSON_BLANKS))
    return len(text[: before + at].encode())


def members(body: str) -> Iterator[Member]:
    """Yield where each key of a well-formed object and its value stand; the text has no blanks around the object."""
    at = _after_blanks(body, 1)
    while body[at] != "}":
        key, end = _DECODER.raw_decode(body, at)
        value_at = _after_blanks(body, _after_blanks(body, end) + 1)  # over the colon
        _, end = _DECODER.raw_decode(body, value_at)
        yield Member(key, at, value_at, end)
        at = _after_blanks(body, end)
        if body[at] == ",":
            at = _after_blanks(body, at + 1)


def _after_blanks(body: str, at: int) -> int:
    while body[at] in JSON_BLANKS:
        at += 1
    return at


def _first_repeated(keys: list[str]) -> int | None:
    seen: set[str] = set()
    for place, key in enumerate(keys):
        if key in seen:
            return place
        seen.add(key)
    return None


def _too_deep(body: str) -> int | None:
    """Return the place of the first bracket that opens a level too many."""
    if body.count("{") + body.count("[") <= MAX_DEPTH:
        return None
    depth = 0
    for found in re.finditer(STRINGS + r"|[\[\]{}]", body):
        bracket = found[0]
        depth += 1 if bracket in ("{", "[") else -1 if bracket in ("}", "]") else 0
        if depth > MAX_DEPTH:
            return found.start()
    return None


def _number(written: str) -> Number:
    if sum(map(str.isdigit, written)) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    return Number(written)


def _pairs(found: list[tuple[str, Any]]) -> Pairs:
    if any(len(key.encode("utf-16-le", "surrogatepass")) > 2 * MAX_KEY for key, _ in found):
        raise ValueError(f"a key of more than {MAX_KEY} characters")
    return Pairs(found)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    parse_int=_number, parse_float=_number, parse_constant=_no_constant, object_pairs_hook=_pairs
)
