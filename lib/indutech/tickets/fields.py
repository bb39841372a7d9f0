"""The kinds of field a message may have: which values each takes, why it refuses one, and its bytes in compact JSON.

A kind is named once, in the contract. Python's validator stands here; Spark's rules, the column types, the fast path
and the generator go by the kind and never by a field's name, so a further field of a known kind needs none of them.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from indutech.tickets.strict_json import BLANKS, Number, echo

# Every pattern below means the same to Python and to Java, so Spark validates with the very same text.
UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
INTEGER = r"-?(?:0|[1-9][0-9]*+)"
NUMBER = INTEGER + r"(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
LOCAL_TIME = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"

# For the fast path, characters are listed, not given as ranges: Java looks a list up in a table, in half the time.
_HEX, _DIGIT = "[0123456789abcdef]", "[0123456789]"
_ESCAPED = "".join(rf"\x{code:02x}" for code in (*range(32), ord('"'), ord("\\")))  # what JSON cannot hold as it is
ESCAPED = f"[{_ESCAPED}]"


@dataclass(frozen=True)
class Kind(ABC):
    """One kind of field; used as an annotation of the contract's model, where pydantic finds the validator."""

    quoted: ClassVar[bool] = True  # whether JSON writes its values between quotes
    width: ClassVar[int | None] = None  # bytes of every value of the fast path, without quotes; None: they differ

    @abstractmethod
    def read(self, field: str, value: object) -> object:
        """Return the value to store; raises PydanticCustomError with the reason against it."""

    @property
    @abstractmethod
    def fast_pattern(self) -> str:
        """Values that are right for certain and stored as they are written: a regular expression for their bytes."""

    @property
    def is_sure(self) -> bool:
        """Whether that pattern says it all; if not, the value's type has to be asked besides."""
        return True

    @property
    def json_rule(self) -> Mapping[str, object]:
        """What JSON Schema says about the values, beside their type."""
        return {}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Validate before pydantic does; in a field that may be None, null is the same as absent."""
        optional = type(None) in get_args(source)

        def checked(value: object, info: core_schema.ValidationInfo) -> object:
            return None if value is None and optional else self.read(str(info.field_name), value)

        return core_schema.with_info_before_validator_function(checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add this kind's rule to what pydantic knows from the type."""
        return {**handler(schema), **self.json_rule}


@dataclass(frozen=True)
class Uuid(Kind):
    """A UUID in its canonical form, stored in lower case."""

    width: ClassVar[int | None] = 36

    def read(self, field: str, value: object) -> str:
        """Return it in lower case."""
        text = _text(field, value)
        if not re.fullmatch(UUID, text):
            raise _refuse(f"{field} is not a UUID: {echo(text)}")
        return text.lower()

    @property
    def fast_pattern(self) -> str:
        """Only lower case, because it is stored so."""
        return rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"

    @property
    def json_rule(self) -> Mapping[str, object]:
        """The shape, upper or lower case."""
        return {"pattern": f"^{UUID}$"}


@dataclass(frozen=True)
class Integer(Kind):
    """A JSON integer within a range; 1234.0 and "1234" are none."""

    allowed: range
    quoted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse what the patterns cannot say."""
        if self.allowed.step != 1 or not self.allowed:
            raise ValueError(f"{self.allowed} is empty or has gaps")

    @property
    def width(self) -> int | None:  # type: ignore[override]
        """The number of characters, where all allowed numbers have as many."""
        widths = {len(str(self.allowed[0])), len(str(self.allowed[-1]))}
        return widths.pop() if len(widths) == 1 and self.allowed[0] >= 0 else None

    def read(self, field: str, value: object) -> int:
        """Return it as an int."""
        if value is None:
            raise _refuse(f"{field} is null")
        written = str(value) if type(value) in (int, Number) else ""
        if not re.fullmatch(INTEGER, written):
            raise _refuse(f"{field} is not an integer")
        if int(written) not in self.allowed:
            raise _refuse(f"{field} out of range: {echo(str(int(written)))}")
        return int(written)

    @property
    def fast_pattern(self) -> str:
        """Exactly the allowed numbers, without a leading zero."""
        low, high = self.allowed[0], self.allowed[-1]
        negative = [f"-{one}" for one in _numbers(max(1, -high), -low)] if low < 0 else []
        return _either([*negative, *(_numbers(max(0, low), high) if high >= 0 else [])])

    @property
    def json_rule(self) -> Mapping[str, object]:
        """The bounds."""
        return {"minimum": self.allowed[0], "maximum": self.allowed[-1]}


@dataclass(frozen=True)
class Code(Kind):
    """A prefix and a fixed number of digits, such as MX-0042; case counts."""

    prefix: str
    digits: int

    def __post_init__(self) -> None:
        """Refuse what JSON would escape, or what two tools would read as two things."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]*", self.prefix) or self.digits < 1:
            raise ValueError(f"{self.prefix!r} is no plain ASCII, or no digit follows")

    @property
    def width(self) -> int | None:  # type: ignore[override]
        """The number of characters, which is always the same."""
        return len(self.prefix) + self.digits

    def read(self, field: str, value: object) -> str:
        """Return it unchanged."""
        text = _text(field, value)
        if not re.fullmatch(self.fast_pattern, text):
            raise _refuse(f"{field} is not {self.shape}: {echo(text)}")
        return text

    @property
    def shape(self) -> str:
        """What such a code looks like, in a reason."""
        return f"{self.prefix} and {self.digits} digits"

    @property
    def fast_pattern(self) -> str:
        """The whole rule."""
        return re.escape(self.prefix) + _digits(self.digits)

    @property
    def json_rule(self) -> Mapping[str, object]:
        """The same for JSON Schema."""
        return {"pattern": f"^{self.prefix}[0-9]{{{self.digits}}}$"}


@dataclass(frozen=True)
class Real(Kind):
    """A JSON number between two bounds, both included; stored in double precision, "21.5" is none."""

    low: float
    high: float
    quoted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse bounds between which no number is."""
        if not self.low <= self.high:
            raise ValueError(f"there is no number from {self.low} to {self.high}")

    def read(self, field: str, value: object) -> float:
        """Return it as a float."""
        if value is None:
            raise _refuse(f"{field} is null")
        written = repr(value) if type(value) in (int, float) else str(value) if isinstance(value, Number) else ""
        if not re.fullmatch(NUMBER, written):
            raise _refuse(f"{field} is not a number")
        if not self.low <= float(written) <= self.high:
            raise _refuse(f"{field} out of range")  # without the value: Spark knows it only as it would write it
        return float(written) + 0.0  # a zero has no sign

    @property
    def fast_pattern(self) -> str:
        """Plain decimals; whether they are within the bounds, only a cast can tell."""
        return rf"-?(?:0|[123456789]{_DIGIT}{{0,14}})(?:\.{_DIGIT}{{1,15}})?"

    @property
    def is_sure(self) -> bool:
        """The pattern does not know the bounds."""
        return False

    @property
    def json_rule(self) -> Mapping[str, object]:
        """The bounds."""
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Moment(Kind):
    """ISO 8601 with seconds and an offset, in a range of years; stored in UTC, to the microsecond.

    `decimals` are those of a second that the producer writes, and the fast path takes; any number of them is right.
    """

    years: range
    decimals: int = 0

    @property
    def width(self) -> int | None:  # type: ignore[override]
        """The number of characters that the producer writes."""
        return 20 + (self.decimals and 1 + self.decimals)

    def read(self, field: str, value: object) -> datetime:
        """Return it in UTC."""
        text = value.isoformat() if isinstance(value, datetime) else _text(field, value)
        if re.fullmatch(LOCAL_TIME, text):
            raise _refuse(f"{field} has no offset: {echo(text)}")
        if not re.fullmatch(LOCAL_TIME + OFFSET, text):
            raise _refuse(f"{field} is not ISO 8601 with seconds and an offset: {echo(text)}")
        if int(text[:4]) not in self.years:
            raise _refuse(f"{field} out of range: {echo(text)}")
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            raise _refuse(f"{field} is not a real date: {echo(text)}") from None
        if moment.year not in self.years:
            raise _refuse(f"{field} out of range: {echo(text)}")
        return moment

    @property
    def fast_pattern(self) -> str:
        """In UTC, to the decimals that are written; whether there is such a day, only a cast can tell."""
        years = _either(_numbers(self.years[0], self.years[-1]))
        day = rf"-[01]{_DIGIT}-[0123]{_DIGIT}"
        part = rf"\.{_digits(self.decimals)}" if self.decimals else ""
        return rf"{years}{day}T(?:[01]{_DIGIT}|2[0123]):[012345]{_DIGIT}:[012345]{_DIGIT}{part}Z"

    @property
    def is_sure(self) -> bool:
        """The pattern does not know the calendar."""
        return False


@dataclass(frozen=True)
class FreeText(Kind):
    """Any text that is not blank, kept as received."""

    def read(self, field: str, value: object) -> str:
        """Return it unchanged."""
        text = _text(field, value)
        if not text.strip(BLANKS):
            raise _refuse(f"{field} is blank")
        return text

    @property
    def fast_pattern(self) -> str:
        r"""No escapes, and a first character that is not blank: ASCII from ! to ~, or À to ÿ."""
        return rf"(?!{ESCAPED})[!-~\u00c0-\u00ff][^{_ESCAPED}]*+"

    @property
    def json_rule(self) -> Mapping[str, object]:
        """Something other than a blank."""
        return {"pattern": r"\S"}


@dataclass(frozen=True)
class Word(Kind):
    """A word of a vocabulary, compared after NFC and without the blanks around it."""

    vocabulary: type[StrEnum]

    def __post_init__(self) -> None:
        """Refuse words that no message could hold, or that the fast path would have to unescape."""
        for word in self.words:
            if word != unicodedata.normalize("NFC", word).strip(BLANKS) or re.search(ESCAPED, word) or not word:
                raise ValueError(f"{word!r} is empty, not NFC, padded with blanks, or escaped in JSON")

    @property
    def words(self) -> list[str]:
        """The vocabulary, in its order."""
        return [known.value for known in self.vocabulary]

    def read(self, field: str, value: object) -> str:
        """Return it as the vocabulary writes it."""
        text = _text(field, value)
        word = unicodedata.normalize("NFC", text).strip(BLANKS)
        if word not in self.words:
            raise _refuse(f"unknown {field}: {echo(text)}")
        return word

    @property
    def fast_pattern(self) -> str:
        """The words themselves."""
        return _either([re.escape(word) for word in self.words])


def _refuse(reason: str) -> PydanticCustomError:
    # A reason goes in whole as context: one that quotes braces would otherwise be read as a template.
    return PydanticCustomError("ticket", "{reason}", {"reason": reason})


def _text(field: str, value: object) -> str:
    if value is None:
        raise _refuse(f"{field} is null")
    if not isinstance(value, str) or isinstance(value, Number):
        raise _refuse(f"{field} is not text")
    return value


def _either(patterns: list[str]) -> str:
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"


def _numbers(low: int, high: int) -> list[str]:
    """Patterns that together match the numbers from `low` to `high`, none negative, without leading zeros."""
    found = []
    for width in range(len(str(low)), len(str(high)) + 1):
        first, last = (0 if width == 1 else 10 ** (width - 1)), 10**width - 1
        found += _same_width(str(max(low, first)), str(min(high, last)))
    return found


def _same_width(low: str, high: str) -> list[str]:
    if not low:
        return [""]
    rest = len(low) - 1
    first, last = int(low[0]), int(high[0])
    if first == last:
        return [low[0] + tail for tail in _same_width(low[1:], high[1:])]
    found = []
    if low[1:] != "0" * rest:
        found += [low[0] + tail for tail in _same_width(low[1:], "9" * rest)]
        first += 1
    upper = []
    if high[1:] != "9" * rest:
        upper = [high[0] + tail for tail in _same_width("0" * rest, high[1:])]
        last -= 1
    if first <= last:
        digits = "".join(str(digit) for digit in range(first, last + 1))
        found.append((digits if len(digits) == 1 else f"[{digits}]") + _digits(rest))
    return found + upper


def _digits(count: int) -> str:
    return _DIGIT if count == 1 else f"{_DIGIT}{{{count}}}" if count else ""
