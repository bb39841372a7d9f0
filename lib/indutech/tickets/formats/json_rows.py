"""Reads JSON: one object a line, or objects over several lines, alone, one after the other, or in an array."""

import io
import re
from collections.abc import Iterator

import orjson

from indutech.tickets.contract import FIELDS
from indutech.tickets.formats.dates import Reading, in_json
from indutech.tickets.formats.encoding import UNKNOWN_BYTES
from indutech.tickets.formats.row import LINE_AT_MOST, TOO_LONG, Account, Row, Unreadable

_PIECE = 1 << 14  # small, because what is left of it is copied for each value
_BLANKS = b" \t\r\n\x1e"  # and the record separator of RFC 7464
_IN_STRING = re.compile(rb'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(["\n]?)', re.DOTALL)
_OUTSIDE = re.compile(rb'["{}\[\]]')
_BETWEEN = re.compile(rb"[\s,\x1e]*+")
_BARE = re.compile(rb"[^\s,{}\[\]]++|[}\]]")
_BEGINS_IN_LINE = re.compile(rb'\{\s*"')
_IS_IN_LINE = re.compile(rb'\{\s*".*\}\s*$', re.DOTALL)
# Where one object ends and the next begins: a broken one is cut there.
_SEAM = re.compile(rb'\}\s*+,?\s*+(?=\{\s*+")')


def is_in_lines(first: bytes, *, said: bool = False) -> bool:
    """Tell from the beginning of a JSON text whether each line is an object of its own."""
    lines = [line for line in first.split(b"\n") if line.strip()]
    if len(lines) > 1 and len(first) == 1 << 20:
        lines.pop()  # cut
    if first.lstrip().startswith(b"[") and not (len(lines) > 1 and _loaded(lines[0]) is not None):
        return False
    if any(_is_ticket_like(line) for line in lines):
        return True
    # None is right by itself: lines that look like objects of their own all the same, or one object over several.
    looks = _BEGINS_IN_LINE if said else _IS_IN_LINE
    return sum(bool(looks.match(line)) for line in lines) > 1


def _is_ticket_like(line: bytes) -> bool:
    loaded = _loaded(line)
    return isinstance(loaded, dict) and (len(loaded.keys() & set(FIELDS)) > 1 or loaded == {})


def _loaded(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def json_lines(file: io.BufferedReader, reading: Reading, account: Account) -> Iterator[Row]:
    """Yield each line that is not blank."""
    with file:
        while line := file.readline(LINE_AT_MOST):
            account.lines += 1
            if len(line) == LINE_AT_MOST and not line.endswith(b"\n"):
                while (rest := file.readline(LINE_AT_MOST)) and not rest.endswith(b"\n"):
                    pass
                yield Row(account.lines, Unreadable(f"line {TOO_LONG}"))
            elif line.strip(_BLANKS):
                yield Row(account.lines, _body(line.strip(_BLANKS), reading))
            else:
                account.blank_lines += 1


def json_values(file: io.BufferedReader, reading: Reading, account: Account) -> Iterator[Row]:
    """Yield each value of a text of JSON values, in an array or not; a broken one does not swallow those after it."""
    account.word = "row"
    with file:
        for number, body in enumerate(_values(_Text(file)), start=1):
            yield Row(number, body if isinstance(body, Unreadable) else _body(body, reading))


def _body(body: bytes, reading: Reading) -> bytes | Unreadable:
    if UNKNOWN_BYTES in body:
        return Unreadable(f"not valid {reading.encoding or 'UTF-16'}")
    return in_json(body, reading)


class _Text:
    """A window on a text that is read on as needed."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.seen = b""

    def more(self) -> bool:
        piece = self._file.read(max(_PIECE, len(self.seen)))
        self.seen += piece
        return bool(piece)


def _values(text: _Text) -> Iterator[bytes | Unreadable]:
    depth = 0  # of arrays around the values
    while True:
        text.seen = text.seen[_BETWEEN.match(text.seen).end() :]  # type: ignore[union-attr]
        if not text.seen:
            if text.more():
                continue
            if depth:
                yield Unreadable("the file ends before the array is closed")
            return
        opening = text.seen[:1]
        if opening == b"[":
            depth, text.seen = depth + 1, text.seen[1:]
        elif opening == b"]" and depth:
            depth, text.seen = depth - 1, text.seen[1:]
        elif opening == b"{":
            yield (body := _one(text))
            if isinstance(body, Unreadable) and not text.seen:
                return  # the file ended in it
        else:
            yield _bare(text)


def _bare(text: _Text) -> bytes | Unreadable:
    while True:
        found = _BARE.match(text.seen)
        end = found.end() if found else 1
        if end < len(text.seen) or not text.more():
            break
        if len(text.seen) > LINE_AT_MOST:
            text.seen = b""
            return Unreadable(f"a value {TOO_LONG}")
    body, text.seen = text.seen[:end], text.seen[end:]
    return body


def _one(text: _Text) -> bytes | Unreadable:
    """Return the object at the beginning of the window, and move the window behind it."""
    end = _end(text)
    body = text.seen[:end] if end else text.seen
    if end and _loaded(body) is not None:
        text.seen = text.seen[end:]
        return body
    if seam := _SEAM.search(body):
        body, text.seen = body[: seam.end()].rstrip(b" \t\r\n,"), text.seen[seam.end() :]
        return body if len(body) <= LINE_AT_MOST else Unreadable(f"a value {TOO_LONG}")
    if end:
        text.seen = text.seen[end:]
        return body
    while not (seam := _SEAM.search(text.seen)):  # too long, or the end of the file
        text.seen = text.seen[-_PIECE:]
        if not text.more():
            text.seen = b""
            return Unreadable("the file ends within this value" if len(body) <= LINE_AT_MOST else f"a value {TOO_LONG}")
    text.seen = text.seen[seam.end() :]
    return Unreadable(f"a value {TOO_LONG}")


def _end(text: _Text) -> int:
    """Return where the brackets that open at the beginning are closed; 0 if not before the end, or too far away."""
    at, depth = 0, 0
    while True:
        found = _OUTSIDE.search(text.seen, at)
        if not found:
            at = len(text.seen)
            if at > LINE_AT_MOST or not text.more():
                return 0
            continue
        at = found.end()
        sign = found[0]
        if sign == b'"':
            at = _end_of_string(text, at)
            if not at:
                return 0
        elif sign in b"{[":
            depth += 1
        else:
            depth -= 1
            if depth <= 0:
                return at


def _end_of_string(text: _Text, at: int) -> int:
    """Return where a string ends: at its quote, or at the line's end, which no string may hold."""
    while True:
        found = _IN_STRING.match(text.seen, at)
        if found and found[1]:
            return found.end()
        if len(text.seen) > LINE_AT_MOST or not text.more():
            return 0
