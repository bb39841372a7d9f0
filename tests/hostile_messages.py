"""Messages that somebody or something could send by mistake or on purpose: hypothesis strategies, one per kind."""

import json
import random
import string
import unicodedata
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indutech.tickets.contract import FIELDS, Priority, TicketType
from indutech.tickets.strict_json import BLANKS

VALID = {
    "ticket_id": '"6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90"',
    "client_id": "4217",
    "creation_date": '"2026-03-02T08:15:30Z"',
    "request": '"Le VPN ne répond plus."',
    "type": '"Connexion"',
    "priority": '"HAUTE"',
}
ODD_CHARACTERS = [*BLANKS, *"\x00\x01\x7f\x85\u0301\u0340\u0345\u200d\u202e\ufffd\ufffe\U0010ffff😀é\\\"/'{}[]:,"]
_FIRST, _LAST = datetime(1970, 1, 3), datetime(2999, 12, 29)
OUT_OF_PLACE = [bytes([byte]) for byte in b"\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xe0\xed\xf0\xf4\xff"]
TELLING = [bytes([byte]) for byte in b'"\\{}[],:0 \x00\xc3\xa9']


def message(changed: dict[str, str], *, blank: str = "", more: str = "") -> str:
    """The valid message with some values replaced, given as JSON; blanks between the tokens, more before the end."""
    pairs = (f'"{key}"{blank}:{blank}{value}' for key, value in {**VALID, **changed}.items())
    return "{" + blank + f",{blank}".join(pairs) + more + blank + "}"


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid message with pieces cut, doubled, swapped, or overwritten."""
    value = message({}, blank=draw(st.sampled_from(["", "", " "]))).encode()
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(value))), draw(st.sampled_from([1, 1, 1, 2, 5, 30]))
        piece = value[at : at + length]
        match draw(st.sampled_from(["cut", "double", "move", "overwrite", "insert"])):
            case "cut":
                value = value[:at] + value[at + length :]
            case "double":
                value = value[:at] + piece + value[at:]
            case "move":
                rest, to = value[:at] + value[at + length :], draw(st.integers(0, len(value)))
                value = rest[:to] + piece + rest[to:]
            case "overwrite":
                value = value[:at] + draw(st.sampled_from(TELLING)) + value[at + 1 :]
            case _:
                value = value[:at] + draw(st.binary(min_size=1, max_size=4)) + value[at:]
    return value


@st.composite
def nested(draw: st.DrawFn) -> bytes:
    """Brackets around the greatest depth: closed or not, mixed, inside a text, beside the fields or instead of one."""
    depth = draw(st.sampled_from([1, 2, 30, 61, 62, 63, 64, 65, 66, 200]))
    kinds = draw(st.sampled_from(["[", "{", "[{"]))
    opening = "".join("[" if kinds[i % len(kinds)] == "[" else '{"a":' for i in range(depth))
    closing = "".join("]" if kinds[i % len(kinds)] == "[" else "}" for i in reversed(range(depth)))
    closing = closing[: draw(st.sampled_from([depth, depth, depth, depth - 1, 0]))] + draw(
        st.sampled_from(["", "", "", "]", "}"])
    )
    inner = draw(st.sampled_from(["1", '"x"', "null", '"[[[[{{{{"', '"\\"[[[["', "", '"]]]]"']))
    value = opening + inner + closing
    if draw(st.booleans()):
        return message({}, more=f',"extra":{value}').encode()
    if draw(st.booleans()):
        return message({draw(st.sampled_from(FIELDS)): value}).encode()
    return message({"request": json.dumps(value)} if draw(st.booleans()) else {}).encode() + value.encode()


@st.composite
def numbers(draw: st.DrawFn) -> bytes:
    """Numbers at their limits, in the field that takes one, in one that takes none, or in an ignored one."""
    whole = draw(
        st.sampled_from(["0", "00", "01", "999", "1000", "4217", "9999", "10000", "2147483648", "9" * 19, "9" * 999])
        | st.integers(-20_000, 20_000).map(str)
        | st.sampled_from(["", "1_000", "٤٢١٧", "４２１７", "0x1000", "NaN", "Infinity", "1000n"])
    )
    sign = draw(st.sampled_from(["", "", "", "-", "+", "--", "- "]))
    fraction = draw(st.sampled_from(["", "", "", ".0", ".5", ".", ".000000000000001", ",5"]))
    exponent = draw(st.sampled_from(["", "", "", "e0", "E3", "e-3", "e+3", "e400", "e", "e1.5"]))
    number = sign + whole + fraction + exponent
    field = draw(st.sampled_from(["client_id", "client_id", "client_id", *FIELDS]))
    return message({field: number}).encode() if draw(st.integers(0, 4)) else message({}, more=f',"n":{number}').encode()


@st.composite
def characters(draw: st.DrawFn) -> bytes:
    """Any character of Unicode in a text or around a word, as it is or escaped, whole or in halves."""
    words = [*map(str, TicketType), *map(str, Priority), "Le VPN ne répond plus.", ""]
    text = draw(st.sampled_from(words))
    for _ in range(draw(st.integers(1, 4))):
        odd = draw(st.sampled_from(ODD_CHARACTERS) | st.characters())
        at = draw(st.sampled_from([0, len(text), draw(st.integers(0, len(text)))]))
        text = text[:at] + odd + text[at:]
    quoted = json.dumps(text, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(1, len(quoted) - 1))
        escape = draw(st.sampled_from(["\\ud83d", "\\ude00", "\\u0000", "\\u00e9", "\\u", "\\x41", "\\", "\\uD8"]))
        quoted = quoted[:at] + escape + quoted[at:]
    field = draw(st.sampled_from(["request", "type", "priority", "ticket_id", "creation_date"]))
    return message({field: quoted}).encode("utf-8", "surrogatepass")


@st.composite
def keys(draw: st.DrawFn) -> bytes:
    """Keys repeated, escaped, in another case, missing, empty, or padded; at the top and inside."""
    pairs = list(VALID.items())
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*FIELDS, "extra", "", "a b"]))
        escaped = [name.replace("e", "\\u0065"), name.replace("i", "\\u0069"), name + "\\u0000"]
        written = draw(st.sampled_from([name, name.upper(), f" {name}", *escaped]))
        value = draw(st.sampled_from(['"x"', "1", "null", '{"a":1,"a":2}', '[{"b":1,"b":1}]', *VALID.values()]))
        pairs.insert(draw(st.integers(0, len(pairs))), (written, value))
    for _ in range(draw(st.sampled_from([0, 0, 1]))):
        pairs.pop(draw(st.integers(0, len(pairs) - 1)))
    return ("{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}").encode()


@st.composite
def moments(draw: st.DrawFn) -> bytes:
    """Dates and times at the limits of the calendar, of the day, of the offset, and of the years that are taken."""
    odd = draw(st.sampled_from(["year", "month", "day", "hour", "minute", "second", "offset", "none"]))

    def part(name: str, usual: range, limits: str) -> str:
        return draw(st.sampled_from(limits.split())) if name == odd else f"{draw(st.sampled_from(usual)):02}"

    year = part("year", range(1970, 3000), "0000 1969 1970 2024 2100 2999 3000 9999 +2026")
    day = f"{part('month', range(1, 13), '00 02 13 1')}-{part('day', range(1, 29), '00 29 30 31 32 1')}"
    clock = f"{part('hour', range(24), '00 23 24 25')}:{part('minute', range(60), '00 59 60')}"
    clock += f":{part('second', range(60), '00 59 60 61')}"
    fraction = draw(st.sampled_from(["", "", "", ".5", ".123456", ".999999999", ".1234567890", ".", ",5"]))
    offsets = ["", *["+00:00", "-00:00", "+14:00", "-14:00", "+14:01", "+13:59", "+1:00", "+0100", "z", "Zz"]]
    offset = draw(st.sampled_from(offsets)) if odd == "offset" else "Z"
    between = draw(st.sampled_from(["T"] * 8 + ["t", " "]))
    return message({"creation_date": json.dumps(f"{year}-{day}{between}{clock}{fraction}{offset}")}).encode()


@st.composite
def cut_utf8(draw: st.DrawFn) -> bytes:
    """Texts of several bytes a character, cut or stuffed in the middle of one."""
    text = draw(st.text(alphabet="é€😀à\u0301漢", min_size=1, max_size=6))
    value = message({"request": json.dumps(text, ensure_ascii=False)}).encode()
    start = value.index(b'"request"') + 11
    at = draw(st.integers(start, start + len(text.encode()) + 1))
    match draw(st.integers(0, 2)):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return value[:at] + draw(st.sampled_from(OUT_OF_PLACE)) + value[at:]
        case _:
            return value[:at]


@st.composite
def long_texts(draw: st.DrawFn) -> bytes:
    """A text of many characters, where a text belongs or where it does not."""
    filler = draw(st.sampled_from(["x", "é", " ", "\\n", "\\\\", "\\u00e9", '\\"', "[", "\u00a0", "a\u0301"]))
    text = filler * draw(st.sampled_from([40, 41, 1_000, 20_000])) + draw(st.sampled_from(["", "x", "\\", "\\ud800"]))
    if draw(st.integers(0, 5)) == 0:
        return message({}, more=f',"{text}":1').encode()
    return message({draw(st.sampled_from(FIELDS)): f'"{text}"'}).encode()


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_values = _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(max_size=3), _scalars, max_size=2)


@st.composite
def any_json(draw: st.DrawFn) -> bytes:
    """Any JSON value in the place of a field; sometimes alone."""
    value = json.dumps(draw(_values), ensure_ascii=draw(st.booleans()))
    field = draw(st.sampled_from([*FIELDS, *FIELDS, None]))
    return (message({field: value}) if field else value).encode("utf-8", "surrogatepass")


@st.composite
def tickets(draw: st.DrawFn) -> tuple[dict[str, object], bytes]:
    """The fields of a ticket as they are stored, and the message that holds it, written in any way that is right."""
    upper = draw(st.booleans())
    ticket_id = str(draw(st.uuids(allow_nil=True)))
    blanks = st.text(alphabet=BLANKS, max_size=2)
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    moment = draw(st.datetimes(min_value=_FIRST, max_value=_LAST)).replace(microsecond=0)
    fraction, microseconds = draw(st.sampled_from([("", 0), (".5", 500_000), (".123456789", 123_456)]))
    offset, hours = draw(st.sampled_from([("Z", 0.0), ("+05:30", 5.5), ("-14:00", -14.0), ("+00:00", 0.0)]))
    stored: dict[str, object] = {
        "ticket_id": ticket_id,
        "client_id": draw(st.integers(1000, 9999)),
        "creation_date": moment.replace(microsecond=microseconds, tzinfo=UTC) - timedelta(hours=hours),
        "request": draw(st.text(characters, max_size=10)) + draw(st.sampled_from([*string.ascii_letters])),
        "type": draw(st.sampled_from(TicketType)),
        "priority": draw(st.sampled_from(Priority)),
    }
    apart = draw(st.sampled_from(["NFC", "NFD"]))
    written = stored | {
        "ticket_id": ticket_id.upper() if upper else ticket_id,
        "creation_date": f"{moment.isoformat()}{fraction}{offset}",
        **{
            name: draw(blanks) + unicodedata.normalize(apart, str(stored[name])) + draw(blanks)
            for name in ("type", "priority")
        },
    }
    order = draw(st.permutations(list(written)))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (",\n\t", " : ")]))
    text = json.dumps({name: written[name] for name in order}, ensure_ascii=draw(st.booleans()), separators=separators)
    return stored, text.encode()


KINDS = {
    "mutated": mutated(),
    "nested": nested(),
    "numbers": numbers(),
    "characters": characters(),
    "keys": keys(),
    "moments": moments(),
    "cut UTF-8": cut_utf8(),
    "long texts": long_texts(),
    "any JSON": any_json(),
    "tickets": tickets().map(lambda drawn: drawn[1]),
    "bytes": st.binary(max_size=40),
}


def hostile(each: int, more: int) -> list[bytes]:
    """The same messages in every run: `each` of each kind from hypothesis, and `more` of each with bytes changed.

    Hypothesis draws a few hundred a second; what differs from them by a byte or two costs nothing.
    """
    values: dict[bytes, None] = {}
    for strategy in KINDS.values():

        @hypothesis_settings(
            max_examples=each, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(strategy)
        def collect(value: bytes) -> None:
            values[value] = None

        collect()
    changes = random.Random(5)  # noqa: S311 - repeatable
    for value in list(values):
        values |= dict.fromkeys(_changed(value, changes) for _ in range(more))
    return list(values)


def _changed(value: bytes, changes: random.Random) -> bytes:
    for _ in range(changes.choice([1, 1, 2])):
        at, length = changes.randrange(len(value) + 1), changes.choice([0, 1, 1, 4])
        value = (
            value[:at]
            + changes.choice([b"", *TELLING[:-2]] if changes.random() < 0.8 else OUT_OF_PLACE)
            + value[at + length :]
        )
    return value
