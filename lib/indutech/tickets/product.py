"""A data product: one declaration, from which schema, both validators, fast path, lake, quarantine and proof follow.

The pipeline knows no product by name. Settings name one (INDUTECH_PRODUCT), and `of` loads the module that declares it.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache
from importlib import import_module
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from indutech.system.errors import InduTechError
from indutech.system.settings import PRODUCTS, Settings
from indutech.tickets.fields import Kind
from indutech.tickets.strict_json import JSON_BLANKS, Rejected, byte_of, members, pairs_of

Row = TypeVar("Row", bound=BaseModel)
Messages = Iterator[list[tuple[bytes, bytes]]]


class ContractUnusable(InduTechError):
    """The contract declares a field in a way that the rest of the project cannot follow."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a message: the reason, the field, and the byte where the wrong value begins."""

    reason: str
    field: str | None
    position: int | None


@dataclass(frozen=True, eq=False)
class Product(Generic[Row]):
    """What the pipeline has to know of one kind of message; the model's fields are validated in their order.

    `name` is the folder of its rows in the lake and the view over them, `key` the field that keeps messages in order,
    `unique` the fields that no two rows should share. `generator` is MODULE:FUNCTION, loaded when messages are made.
    `derived` has columns that the stream adds: the field they come from, and what each of its words becomes.
    """

    name: str
    model: type[Row]
    key: str
    unique: tuple[str, ...]
    generator: str
    derived: Mapping[str, tuple[str, Mapping[Any, str]]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(self.model.model_fields)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """Field → its kind.

        Raises:
            ContractUnusable: a field has none, or a default that Spark does not know.
        """
        return {name: self._kind(name) for name in self.fields}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that no message may lack."""
        return tuple(name for name in self.fields if self.model.model_fields[name].is_required())

    @property
    def duplicates(self) -> str:
        """SQL of DuckDB: how many rows have unique fields that another row has as well."""
        fields = ", ".join(self.unique)
        return f"count(*) - count(DISTINCT {fields if len(self.unique) == 1 else f'({fields})'})"

    def json_schema(self) -> dict[str, Any]:
        """Return the contract as JSON Schema: what a producer in another language checks before it sends."""
        return self.model.model_json_schema()

    def validate(self, value: bytes | None) -> Row | Rejected:
        """Return the row that a message holds, or the first reason why it holds none."""
        pairs = pairs_of(value)
        if isinstance(pairs, Rejected):
            return pairs
        try:
            return self.model.model_validate(dict(pairs))
        except ValidationError as error:
            return Rejected(_wrong_fields(error)[0][1])

    def all_faults(self, value: bytes | None) -> list[Fault]:
        """Return everything that is wrong with a message, the reason of `validate` first; nothing if it is right.

        A message that is not one JSON object without duplicate keys has one fault; otherwise each wrong field has one.
        """
        pairs = pairs_of(value)
        if isinstance(pairs, Rejected):
            return [Fault(pairs.reason, None, pairs.position)]
        try:
            self.model.model_validate(dict(pairs))
            return []
        except ValidationError as error:
            text = (value or b"").decode()
            at = {member.key: byte_of(text, member.value_at) for member in members(text.strip(JSON_BLANKS))}
            return [Fault(reason, name, at.get(name)) for name, reason in _wrong_fields(error)]

    def key_of(self, row: BaseModel) -> bytes:
        """Return the key of the message that holds this row."""
        return str(getattr(row, self.key)).encode()

    def messages(self, count: int | None, seed: int, period: timedelta | None, batch: int) -> Messages:
        """Yield generated messages as lists of (key, JSON), `batch` at a time; no count means without end."""
        module, _, function = self.generator.partition(":")
        made: Messages = getattr(import_module(module), function)(count, seed, period=period, batch=batch)
        return made

    def _kind(self, name: str) -> Kind:
        declared = self.model.model_fields[name]
        if not declared.is_required() and declared.default is not None:
            raise ContractUnusable(
                f"{name} has the default {declared.default!r}: null is the only one that Spark knows too."
            )
        if len(kinds := [mark for mark in declared.metadata if isinstance(mark, Kind)]) != 1:
            raise ContractUnusable(f"{name} is declared without a kind: write Annotated[type, a kind of `fields`].")
        return kinds[0]


def drawn_seed() -> int:
    """Draw a seed for a run that was given none; print it, and the run can be repeated."""
    return secrets.randbelow(2**31)


@lru_cache
def named(name: str) -> Product[Any]:
    """Return the product that a module of the settings' list declares as PRODUCT."""
    product = import_module(PRODUCTS[name].module).PRODUCT
    if not isinstance(product, Product) or product.name != name:
        raise ContractUnusable(f"{PRODUCTS[name].module} declares no product {name} as PRODUCT.")
    return product


def of(settings: Settings) -> Product[Any]:
    """Return the product of these settings."""
    return named(settings.product)


def _wrong_fields(error: ValidationError) -> list[tuple[str, str]]:
    """Return each wrong field and why it is refused, in the contract's order."""
    return [
        (str(one["loc"][0]), f"missing field: {one['loc'][0]}" if one["type"] == "missing" else one["ctx"]["reason"])
        for one in error.errors(include_url=False, include_input=False)
    ]
