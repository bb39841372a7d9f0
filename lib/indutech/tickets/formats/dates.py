"""Dates that a file writes without a zone or as a count since 1970, read as the user says: never guessed."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from indutech.tickets.contract import KINDS
from indutech.tickets.fields import Moment
from indutech.tickets.formats.row import ReplayRefused, Unreadable, printable

Unit = Literal["s", "ms", "us", "ns"]
UNITS: tuple[Unit, ...] = get_args(Unit)
PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_IN_WORDS: dict[Unit, str] = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S = 10**11  # seconds of a date in the year 5138: a larger count is in a smaller unit

# How databases and spreadsheets write a moment: a blank for the T, and an offset in one of several ways.
WRITTEN = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[ T](?P<clock>\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
    r" ?(?P<offset>Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
COUNT = re.compile(r"-?\d{6,20}(?:\.\d+)?", re.ASCII)
_MOMENTS = "|".join(re.escape(field) for field, kind in KINDS.items() if isinstance(kind, Moment))
IN_JSON = re.compile(rf'"({_MOMENTS})"\s*:\s*(?:"([^"\\]*)"|(-?\d+(?:\.\d+)?)(?=\s*[,}}]))'.encode())


@dataclass(frozen=True)
class Reading:
    """What the user says about a file that the file does not say itself."""

    encoding: str | None = None
    zone: ZoneInfo | None = None
    epoch: Unit | None = None

    @classmethod
    def said(cls, encoding: str | None = None, zone: str | None = None, epoch: str | None = None) -> "Reading":
        """Return the options as they were typed, understood.

        Raises:
            ReplayRefused: there is no such encoding, zone or unit.
        """
        if encoding is not None:
            try:
                b"a".decode(encoding, "replace")
            except (LookupError, ValueError):
                raise ReplayRefused(
                    f"There is no text encoding {printable(encoding)}: --encoding takes names like cp1252, utf-16."
                ) from None
        if epoch is not None and epoch not in UNITS:
            raise ReplayRefused(f"--epoch is one of {', '.join(UNITS)}, not {printable(epoch)}.")
        known = None if zone is None else zone_called(zone)
        if zone is not None and known is None:
            raise ReplayRefused(
                f"There is no time zone {printable(zone)}: --assume-zone takes names like Europe/Paris or UTC."
            )
        return cls(encoding, known, next((unit for unit in UNITS if unit == epoch), None))


def zone_called(name: str) -> ZoneInfo | None:
    """Return the time zone of that name, if there is one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there, no name at all, or a folder of zones
        return None


def from_text(text: str, reading: Reading, field: str) -> str | Unreadable:
    """Return a date as ISO 8601 if it is written in a way that databases do; otherwise as it stands."""
    text = text.strip()
    if reading.epoch and COUNT.fullmatch(text):
        return from_count(Decimal(text), reading.epoch, field)
    written = WRITTEN.fullmatch(text)
    if not written:
        return text
    day, clock, offset = written.group("day", "clock", "offset")
    if offset:
        return f"{day}T{clock}{_with_minutes(offset)}"
    if not reading.zone:
        return f"{day}T{clock}"
    return from_clock(f"{day}T{clock}", reading.zone, field)


def _with_minutes(offset: str) -> str:
    if offset[0] not in "+-":
        return "Z"
    digits = offset[1:].replace(":", "")
    return f"{offset[0]}{digits[:2]}:{digits[2:] or '00'}"


def from_clock(local: str, zone: ZoneInfo, field: str) -> str | Unreadable:
    """Return the moment at which clocks of a zone showed that; a time that came twice or never is not guessed."""
    try:
        shown = datetime.fromisoformat(local)
        first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        return Unreadable(f"{field} is not a real date: {printable(local[:40])}")
    if first == second:
        return first.isoformat()
    how_often = "never" if first.astimezone(zone).replace(tzinfo=None) != shown else "twice"
    return Unreadable(f"{field} {local} came {how_often} in {zone.key}, where clocks changed: give an offset")


def from_count(value: int | float | Decimal, unit: Unit, field: str) -> str | Unreadable:
    """Return the moment so long after 1970 in UTC."""
    try:
        moment = FIRST + timedelta(microseconds=int(Decimal(value) * 1_000_000) // PER_SECOND[unit])
    except (OverflowError, ValueError, ArithmeticError):
        return Unreadable(f"{field} out of range: {value} {unit} after 1970")
    return moment.isoformat()


def clock_at(count: int, unit: str, field: str) -> str | Unreadable:
    """Return what a clock shows so long after midnight of 1 January 1970, in no zone."""
    moment = from_count(count, next(known for known in UNITS if known == unit), field)
    return moment if isinstance(moment, Unreadable) else moment.removesuffix("+00:00")


def likely_unit(value: int | float | Decimal) -> Unit:
    """Return the unit in which a count is a date of our time."""
    return next((unit for unit in UNITS if value < _LATEST_S * PER_SECOND[unit]), "ns")


def in_json(body: bytes, reading: Reading) -> bytes | Unreadable:
    """Return a ticket with its dates read as the user says; a ticket that says all by itself stays as it is."""
    if not (reading.zone or reading.epoch):
        return body
    found = list(IN_JSON.finditer(body))
    if len({one[1] for one in found}) < len(found):  # the contract refuses a field that comes twice
        return body
    for one in reversed(found):  # from the end, so that the places of the others stay
        field, text = one[1].decode(), _text_of(one)
        if not (COUNT if one[2] is None else WRITTEN).fullmatch(text) and not COUNT.fullmatch(text):
            continue
        moment = from_text(text, reading, field)
        if isinstance(moment, Unreadable):
            return moment
        if moment != text:
            body = body[: one.start()] + f'"{field}":"{moment}"'.encode() + body[one.end() :]
    return body


def _text_of(found: re.Match[bytes]) -> str:
    return (found[2] if found[2] is not None else found[3]).decode("utf-8", "replace")


def what_is_missing(bodies: Iterable[bytes]) -> Callable[[str], str] | None:
    """Return what to say of a file in which no date has an offset, or every one is a count; None if all is well."""
    naive, counts, others = [], [], 0
    for body in bodies:
        for found in IN_JSON.finditer(body):
            field, text = found[1].decode(), _text_of(found)
            written = WRITTEN.fullmatch(text)
            if COUNT.fullmatch(text):
                counts.append((field, text))
            elif written and not written["offset"]:
                naive.append((field, text))
            elif written:
                others += 1
    if others or bool(naive) == bool(counts):
        return None
    field, text = (naive or counts)[0]
    return lambda path: no_zone(path, field, text) if naive else no_unit(path, field, Decimal(text))


def no_zone(path: object, field: str, example: object) -> str:
    """Say that a file's dates have no offset, and which option helps."""
    return (
        f"{path}: {field} has no offset in any row ({example}): say which clock it was read from, "
        "for instance --assume-zone Europe/Paris or --assume-zone UTC."
    )


def no_unit(path: object, field: str, example: int | float | Decimal) -> str:
    """Say that a file's dates are counts since 1970, and which option helps."""
    unit = likely_unit(example)
    return (
        f"{path}: {field} is a number ({example}), not a date: if it counts "
        f"{_IN_WORDS[unit]} since 1970, "
        f"say --epoch {unit}."
    )
