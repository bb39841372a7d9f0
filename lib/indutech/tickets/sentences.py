"""Makes the texts of generated tickets: fills the templates of `vocabulary` with Faker's French names and numbers.

A text is a problem and, mostly, a context: half sentences that are rendered once per seed and combined per ticket.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray

from indutech.tickets import vocabulary as words
from indutech.tickets.contract import TicketType

_PROBLEMS, _CONTEXTS, _NAMES = 3_000, 1_500, 400
_NO_CONTEXT = 0.4  # of the clients say what is wrong and nothing else


@dataclass(frozen=True)
class HalfSentences:
    """What is wrong and what goes with it, by type in the order of `TicketType`; as bytes of JSON, without quotes."""

    problems: NDArray[np.object_]
    contexts: NDArray[np.object_]


@lru_cache(maxsize=4)
def half_sentences(seed: int) -> HalfSentences:
    """Return the half sentences of a seed: any problem of a type and any of its contexts make a ticket's request."""
    draws = np.random.Generator(np.random.PCG64([seed, 0, 0]))
    slots = _slots(seed, draws)
    problems = tuple(_rendered(words.PROBLEMS[type_], _PROBLEMS, slots, draws, "") for type_ in TicketType)
    said = round(_CONTEXTS * (1 - _NO_CONTEXT))
    silence = (b"",) * (_CONTEXTS - said)
    contexts = tuple(_rendered(words.CONTEXTS[type_], said, slots, draws, " ") + silence for type_ in TicketType)
    return HalfSentences(np.array(problems, object), np.array(contexts, object))


def _slots(seed: int, draws: np.random.Generator) -> Mapping[str, Sequence[str]]:
    from faker import Faker  # here: it takes as long as all else that a replay of a file reads

    fake = Faker("fr_FR")
    fake.seed_instance(seed)
    names = [fake.last_name() for _ in range(_NAMES)]

    def numbers(low: int, high: int) -> list[int]:
        return [int(number) for number in draws.integers(low, high, _NAMES)]

    def amounts() -> list[str]:
        return [f"{cents // 100:,}".replace(",", " ") + f",{cents % 100:02d}" for cents in numbers(4_000, 2_500_000)]

    return {
        "person": [f"{('M.', 'Mme')[i % 2]} {name}" for i, name in enumerate(names)],
        "company": [fake.company() for _ in range(_NAMES)],
        "phone": [
            f"0{n // 10**8} " + " ".join(re.findall("..", f"{n % 10**8:08d}")) for n in numbers(10**8, 6 * 10**8)
        ],
        "product": words.PRODUCTS.split("|"),
        "module": words.MODULES.split("|"),
        "service": words.SERVICES.split("|"),
        "site": words.SITES.split("|"),
        "day": words.DAYS.split("|"),
        "month": words.MONTHS.split("|"),
        "dayofmonth": ["1er", *(str(day) for day in range(2, 29))],
        "minutes": [str(minutes) for minutes in range(2, 91)],
        "workshop": [f"{letter}{number}" for letter in "ABCD" for number in range(1, 10)],
        "code": [f"{letter}-{number}" for letter, number in zip("EFHX" * 100, numbers(100, 10_000), strict=True)],
        "asset": [f"MX-{number:04d}" for number in numbers(1, 10_000)],
        "invoice": [f"FA-2026-{number:05d}" for number in numbers(1, 100_000)],
        "order": [f"CMD-{number}" for number in numbers(10_000, 100_000)],
        "amount": amounts(),
        "amount2": amounts(),
    }


def _rendered(
    templates: Sequence[str], count: int, slots: Mapping[str, Sequence[str]], draws: np.random.Generator, before: str
) -> tuple[bytes, ...]:
    chosen = {slot: draws.integers(0, len(values), count).tolist() for slot, values in slots.items()}
    sentences = []
    for i in range(count):
        filled = templates[i % len(templates)].format_map({slot: slots[slot][chosen[slot][i]] for slot in slots})
        sentence = _contracted(filled)
        sentences.append(before + (sentence if sentence[-1] in ".?" else sentence + "."))
    return tuple(orjson.dumps(sentence)[1:-1] for sentence in sentences)


def _contracted(sentence: str) -> str:
    """Say "du convoyeur", "d'hier" and "d'avril", as one does."""
    sentence = sentence.replace(" de le ", " du ")
    return re.sub(r" de (?=[aeiouéèAEIOUÉÈ]|hier)", " d'", sentence)
