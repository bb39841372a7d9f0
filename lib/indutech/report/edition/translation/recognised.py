"""What a run has printed, in another language: a text is recognised by its message, and its values are put in again.

A sentence in the outputs of a notebook is in English, with its figures. The catalogue has the message that it was made
from; where the message has places for values, what stands there is taken over, each value in the form of the language.
So both editions come from one run, and say the same figures.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from indutech.report.edition.translation.sentences import PLACE, reads_as_words
from indutech.show import language

# Messages that no source shows whole: parts of sentences of counts, which say only what there is, words of two
# letters, and what would be read as another message.
PARTS = (
    language.marked("reconciled"), language.marked("{n} sent"), language.marked("{n} acknowledged"),
    language.marked("{n} stored"), language.marked("{n} set aside"), language.marked("{n} set aside with the reason"),
    language.marked("{n} replayed"), language.marked("{n} lost"), language.marked("{n} twice"),
    language.marked("{n} pending"), language.marked("{n} not read yet"), language.marked("{n} duplicate"),
    language.marked("{n} missing"), language.marked("{n} rows"), language.marked("nothing was sent"),
    language.marked("sent again and acknowledged by topic {topic}."),
    language.marked("sent again and acknowledged by topic {topic}; {before} had been sent again before."),
    language.marked("On-premise: {n}"), language.marked("Boundary: {n}"), language.marked("AWS: {n}"),
    language.marked("By"), language.marked("as"), language.marked("to"), language.marked("no"), language.marked("no."),
    language.marked("Ours"), language.marked("micro-batches committed"),
    language.marked("A JSON integer from 1000 to 9999; 1234.0 is not one."),
)  # fmt: skip
LONGEST_LIST = 200  # characters: what is longer is a sentence
NUMBERED = re.compile(r"n\d*")  # a place for a number and nothing else
NUMERALS = r"[-+−$€]*\d[\d.,]*(?:\s?%)?"
RAW = ("request", "topic", "command")  # ends of names of places whose values are nobody's words to translate
# What lists and comparisons are put together with, and how the other language writes it.
JOINTS = (("; ", " ; "), (" → ", " → "), (", ", ", "), (" and ", " et "), (": ", " : "), (" – ", " – "))
_SPACED = re.compile(r"(?<=\S) (?=[:;!?»])|(?<=«) ")


@dataclass(frozen=True)
class Template:
    """A message with places for values, and how it is recognised."""

    message: str
    string: str
    literal: str  # the longest piece of text between its places: a text without it is another
    weight: int
    raw: frozenset[str]  # the places in `code` and those of tickets, whose values stay as they are
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Reading:
    """A text in the other language: how much of it was known, what was not, and by which messages."""

    text: str
    weight: int
    unknown: tuple[str, ...] = ()
    used: tuple[str, ...] = ()


@dataclass
class Reader:
    """Recognises texts by the messages of a language, and notes what it did not know."""

    known: dict[str, str]
    templates: Sequence[Template]
    unknown: list[str] = field(default_factory=list)
    _read: dict[str, Reading | None] = field(default_factory=dict)

    def said(self, text: str) -> str | None:
        """The text in the other language; None if neither it nor a part of it is known."""
        found = self.read(text)
        if found is None:
            return None
        self.unknown += found.unknown
        return found.text

    def value(self, text: str) -> str:
        """A text in the other language; if it is not known, as it is but for its numbers."""
        found = self._value(text)
        self.unknown += found.unknown
        return found.text

    def read(self, text: str) -> Reading | None:
        """The best way to read a text: the one by which most of it is known."""
        plain = " ".join(text.split())
        if plain not in self._read:
            self._read[plain] = None  # while it is being read
            self._read[plain] = self._best(plain)
        return self._read[plain]

    def _best(self, text: str) -> Reading | None:
        if text in self.known:
            return Reading(self.known[text], 2 * len(text), used=(text,))
        if not reads_as_words(text):
            return Reading(language.numbers(text), 0)
        if (moment := language.moment(text)) is not None:
            return Reading(moment, 0)
        found = [*self._by_templates(text), *self._by_parts(text)]
        if not found and text.endswith(".") and (said := self.read(text[:-1])):
            return replace(said, text=f"{said.text}.")  # a sentence that a cell has put the full stop to
        return max(found, key=lambda one: (one.weight, -len(one.unknown)), default=None)

    def _by_templates(self, text: str) -> Iterator[Reading]:
        for one in self.templates:
            if one.literal in text and (found := one.pattern.fullmatch(text)):
                values = {
                    name: Reading(value, 0) if name in one.raw else self._value(value)
                    for name, value in found.groupdict().items()
                }
                said = PLACE.sub(lambda place: values[place[1]].text, one.string)  # noqa: B023, used at once
                yield _together(said, one.weight, values.values(), (one.message,))

    def _by_parts(self, text: str) -> Iterator[Reading]:
        """A list is said item by item, if all of its items are known: half a sentence helps nobody."""
        if ". " in text or len(text) > LONGEST_LIST:
            return
        for joint, other in JOINTS:
            parts = text.split(joint)
            said = [self.read(part) for part in parts] if len(parts) > 1 else []
            values = [one for one in said if one is not None]
            if values and len(values) == len(said):
                yield _together(other.join(one.text for one in values), 0, values, ())

    def _value(self, text: str) -> Reading:
        if not text.strip():
            return Reading(text, 0)
        found = self.read(text)
        if found is None:
            is_word = re.search(r"\b[a-z]{3,}\b", re.sub(r"`[^`]*`", "", text))
            return Reading(language.numbers(text), 0, (text,) if is_word else ())
        return found


def _together(text: str, weight: int, parts: Iterable[Reading], used: tuple[str, ...]) -> Reading:
    parts = list(parts)
    return Reading(
        text,
        weight + sum(part.weight for part in parts),
        tuple(word for part in parts for word in part.unknown),
        used + tuple(message for part in parts for message in part.used),
    )


def template(message: str, string: str) -> Template:
    """A message with places, ready to be recognised."""
    seen: set[str] = set()
    pieces = []
    texts = PLACE.split(message)
    for at, piece in enumerate(texts):
        if at % 2 == 0:
            pieces.append(re.escape(piece))
        else:
            values = NUMERALS if NUMBERED.fullmatch(piece) else ".*?"
            pieces.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>{values})")
            seen.add(piece)
    literals = texts[::2]
    raw = frozenset([*re.findall(r"`\{(\w+)\}", message), *(name for name in seen if name.endswith(RAW))])
    pattern = re.compile("".join(pieces), re.DOTALL)
    return Template(message, string, max(literals, key=len), sum(map(len, literals)), raw, pattern)


def usable(message: str) -> bool:
    """Whether the values of a message can be told apart: two places side by side cannot."""
    literals = PLACE.split(message)[::2]
    return all(literals[1:-1])


def says_something(message: str) -> bool:
    """Whether a message has a word of its own, so that it fits no text by chance."""
    is_numbers = all(map(NUMBERED.fullmatch, PLACE.findall(message)))
    word = r"[A-Za-z]{2,}" if is_numbers else r"[A-Za-z]{4,}|\b[A-Z]{3}\b"
    return usable(message) and bool(re.search(word, PLACE.sub(" ", message)))


def speaks(file: str) -> bool:
    """Whether what a file says is in the language at once, so that it is in no output of a run."""
    return file.startswith("lib/indutech/show/")


def reader(messages: Sequence[tuple[str, str]]) -> Reader:
    """A reader for these messages with their translations; the message with most words of its own comes first."""
    known = {" ".join(message.split()): string for message, string in messages if not PLACE.search(message)}
    made = [
        template(message, string) for message, string in messages if PLACE.search(message) and says_something(message)
    ]
    return Reader(known, sorted(made, key=lambda one: (-one.weight, one.message)))


@cache
def _of(spoken: str) -> Reader:
    return reader(
        [
            (str(message.id), str(message.string))
            for message in language.messages(spoken)
            if not all(map(speaks, (file for file, _ in message.locations)))
        ]
    )


def current() -> Reader:
    """The reader for the language that is being written in."""
    return _of(language.active())


def said(text: str) -> str:
    """A text in the language that is being written in; as it is where the catalogue does not know it."""
    return text if language.active() == language.SOURCE else current().value(text)
