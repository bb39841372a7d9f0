"""Whatever arrives is a ticket or has one reason against it, and what is made of it says the same; no Java needed.

`tests/test_transforms.py` compares the contract, the fast path and Spark on the same kinds of messages.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indutech.producer.replay import as_json
from indutech.show.printable import excerpt, printable
from indutech.tickets.contract import FIELDS, Rejected, Ticket, all_faults, validate
from indutech.tickets.mending import as_json_value, with_fields
from indutech.tickets.strict_json import pairs_of
from tests.hostile_messages import KINDS, tickets

often = settings(max_examples=150, derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ticket_or_one_reason(kind: str) -> None:
    """Any bytes: never an exception, never both, and the reason is one line; all faults begin with that very reason."""

    @often
    @given(KINDS[kind])
    def holds(value: bytes) -> None:
        result, faults = validate(value), all_faults(value)
        if isinstance(result, Ticket):
            assert faults == []
        else:
            assert result.reason == faults[0].reason
            assert len(result.reason.splitlines()) == 1
        assert all(fault.position is None or 0 <= fault.position <= len(value) for fault in faults)
        assert len({fault.field for fault in faults}) == len(faults)

    holds()


@often
@given(st.sampled_from([b"", b" \n"]), st.one_of(*KINDS.values()))
def test_a_position_is_where_the_wrong_value_begins(blanks: bytes, value: bytes) -> None:
    """At the byte that is named for a field stands its value, with accents and blanks before it."""
    message = blanks + value
    for fault in all_faults(message):
        if fault.field is not None and fault.position is not None:
            found, _ = json.JSONDecoder().raw_decode(message[fault.position :].decode())
            assert found == json.loads(message)[fault.field]


@often
@given(tickets())
def test_a_valid_ticket_comes_back_field_by_field(drawn: tuple[dict[str, object], bytes]) -> None:
    """However it was written; and as the producer writes it, it comes back once more."""
    stored, message = drawn
    ticket = validate(message)

    assert isinstance(ticket, Ticket), ticket
    assert ticket.model_dump() == stored
    assert validate(as_json(ticket)) == ticket


@often
@given(st.one_of(*KINDS.values()), st.sampled_from(FIELDS))
def test_mending_changes_one_field(value: bytes, field: str) -> None:
    """An object has the new value then and all others as before; what is no object cannot be mended, for its reason."""
    before = pairs_of(value)
    mended = with_fields(value, {field: as_json_value(field, "1234")})
    if isinstance(before, Rejected):
        assert mended == before
        return
    assert isinstance(mended, bytes)
    after = pairs_of(mended)
    assert not isinstance(after, Rejected)
    assert dict(after)[field] == "1234"
    assert [pair for pair in after if pair[0] != field] == [pair for pair in before if pair[0] != field]


@often
@given(st.one_of(*KINDS.values()), st.integers(0, 300))
def test_no_byte_acts_upon_a_terminal(value: bytes, at: int) -> None:
    """Escape sequences, line ends, marks that turn the direction of writing: all stand there as hexadecimal."""
    assert printable(value).isprintable()
    assert excerpt(value, at).isprintable()


def test_what_can_be_printed_stays_readable() -> None:
    """Accents and quotes as they are; the others by their bytes."""
    assert printable("é\x1b[2J\u202e".encode() + b"\xe9\n") == "é‹1b›[2J‹e2 80 ae e9 0a›"
