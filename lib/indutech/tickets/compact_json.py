"""A ticket as compact JSON, piece by piece: what the generator writes and what the stream's fast path reads.

The contract's fields stand in its order without blanks: first those of fixed width, at known places, then a text, then
the others (the tail).
"""

from collections.abc import Mapping

from indutech.tickets.contract import FIELDS, KINDS, ContractUnusable
from indutech.tickets.fields import FreeText


def _before(place: int) -> str:
    """What stands between the value of the field before and the value of this one; after the last one, the end."""
    closing = "" if not place else '"' if KINDS[FIELDS[place - 1]].quoted else ""
    if place == len(FIELDS):
        return f"{closing}}}"
    opening = '"' if KINDS[FIELDS[place]].quoted else ""
    return f'{closing}{"," if place else "{"}"{FIELDS[place]}":{opening}'


def _text_place() -> int:
    place = next((i for i, name in enumerate(FIELDS) if KINDS[name].width is None), None)
    if place is None or not isinstance(KINDS[FIELDS[place]], FreeText) or place + 1 == len(FIELDS):
        raise ContractUnusable(
            "The fast path needs fields of fixed width, then a free text, then at least one other field: "
            f"move {FIELDS[place or 0]} in the contract. A new field goes to its end."
        )
    return place


BEFORE: Mapping[str, str] = {name: _before(place) for place, name in enumerate(FIELDS)}
END = _before(len(FIELDS))
_AT = _text_place()
TEXT = FIELDS[_AT]
TAIL = FIELDS[_AT + 1 :]
WIDTHS: Mapping[str, int] = {name: KINDS[name].width or 0 for name in FIELDS[:_AT]}


def _starts() -> dict[str, int]:
    starts, at = {}, 0
    for name in (*WIDTHS, TEXT):
        starts[name] = at = at + len(BEFORE[name].encode())
        at += WIDTHS.get(name, 0)
    return starts


STARTS: Mapping[str, int] = _starts()  # the first byte of each value up to the text, counted from 0
HEAD_BYTES = STARTS[TEXT]
