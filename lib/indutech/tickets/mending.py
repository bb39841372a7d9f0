"""Changes fields of a refused message: the new value goes into its bytes, and everything else stays as received."""

import json
from collections.abc import Mapping
from typing import Any

from indutech.system.errors import InduTechError
from indutech.tickets.contract import PRODUCT as TICKETS
from indutech.tickets.product import Product
from indutech.tickets.strict_json import JSON_BLANKS, Rejected, members, pairs_of


class UnknownField(InduTechError):
    """The contract has no such field."""


def as_json_value(field: str, text: str, product: Product[Any] = TICKETS) -> str:
    """Return a value for a field, given as text, as JSON writes it: quoted unless the field is a number.

    Raises:
        UnknownField: naming the fields that there are.
    """
    if field not in product.kinds:
        raise UnknownField(f"The contract has no field {field!r}: set one of {', '.join(product.fields)}.")
    return json.dumps(text, ensure_ascii=False) if product.kinds[field].quoted else text


def with_fields(value: bytes | None, new: Mapping[str, str]) -> bytes | Rejected:
    """Return the message with these fields set to JSON values, or why it has no fields that could be set."""
    pairs = pairs_of(value)
    if isinstance(pairs, Rejected):
        return pairs
    text = (value or b"").decode()
    body = text.strip(JSON_BLANKS)
    found = list(members(body))
    for member in reversed(found):  # from the end, so that the places before stay right
        if member.key in new:
            body = body[: member.value_at] + new[member.key] + body[member.end :]
    added = [f"{json.dumps(name)}:{one}" for name, one in new.items() if name not in {m.key for m in found}]
    if added:
        body = body[:-1] + ("," if found else "") + ",".join(added) + "}"
    return body.encode("utf-8", "surrogatepass")
