"""A message as compact JSON, piece by piece: what the generator writes and what the stream's fast path reads.

The contract's fields stand in its order without blanks: first those of fixed width, at known places, then a text if the
product has one, then the others (the tail). The names in capitals are those of the tickets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.fields import FreeText
from indutech.tickets.product import ContractUnusable, Product


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the fields of a product stand in its compact JSON.

    `before` is what stands before each value, `end` what follows the last. `widths` has the fields at known places and
    their width in bytes, `text` is the free text after them, `tail` the fields after that. `starts` has the first byte
    of each value at a known place, the text's too, counted from 0.
    """

    before: Mapping[str, str]
    end: str
    widths: Mapping[str, int]
    text: str | None
    tail: tuple[str, ...]
    starts: Mapping[str, int]

    @property
    def head_bytes(self) -> int:
        """The bytes before the text, or before the first value of the tail."""
        return self.starts[self.text or self.tail[0]]


@lru_cache
def of(product: Product[Any]) -> Layout:
    """Return the layout of a product.

    Raises:
        ContractUnusable: its text does not stand between the fields of fixed width and at least one other field.
    """
    fields, kinds = product.fields, product.kinds
    at = next((i for i, name in enumerate(fields) if kinds[name].width is None), len(fields) - 1)
    is_text = isinstance(kinds[fields[at]], FreeText)
    has_text = any(isinstance(kind, FreeText) for kind in kinds.values())
    if (is_text and at + 1 == len(fields)) or (has_text and not is_text):
        raise ContractUnusable(
            "The fast path needs fields of fixed width, then a free text, then at least one other field: "
            f"move {fields[at]} in the contract. A new field goes to its end."
        )
    before = {name: _before(product, place) for place, name in enumerate(fields)}
    widths = {name: kinds[name].width or 0 for name in fields[:at]}
    starts, byte = {}, 0
    for name in (*widths, fields[at]):
        starts[name] = byte = byte + len(before[name].encode())
        byte += widths.get(name, 0)
    text = fields[at] if is_text else None
    return Layout(before, _before(product, len(fields)), widths, text, fields[at + 1 if is_text else at :], starts)


def _before(product: Product[Any], place: int) -> str:
    """What stands between the value of the field before and the value of this one; after the last one, the end."""
    fields, kinds = product.fields, product.kinds
    closing = "" if not place else '"' if kinds[fields[place - 1]].quoted else ""
    if place == len(fields):
        return f"{closing}}}"
    opening = '"' if kinds[fields[place]].quoted else ""
    return f'{closing}{"," if place else "{"}"{fields[place]}":{opening}'


_TICKET = of(TICKETS)
BEFORE, END, WIDTHS, TAIL = _TICKET.before, _TICKET.end, _TICKET.widths, _TICKET.tail
TEXT: str = _TICKET.text or ""
STARTS, HEAD_BYTES = _TICKET.starts, _TICKET.head_bytes
