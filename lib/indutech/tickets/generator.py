"""Seeded French tickets, realistic rather than uniform: the same seed gives the same tickets on any machine."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from indutech.tickets.contract import CLIENT_IDS, FIELDS, Priority, TicketType
from indutech.tickets.sentences import HalfSentences, half_sentences
from indutech.tickets.vocabulary import DAY_WEIGHTS, HOUR_WEIGHTS, PRIORITY_WEIGHTS, TYPE_WEIGHTS

Text = Literal["realistic", "pooled", "incompressible"]

DEMO_START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Paris, a Monday
SPACING_S = 1.0  # seconds between two tickets, on average, when no period is asked for
_BLOCK = 8_192  # tickets drawn together, each block from a generator of its own: a ticket depends on its number only
_PAIRS = [(type_, priority) for type_ in TicketType for priority in Priority]
_POOLED = 40  # sentences per type that `text="pooled"` repeats
_INCOMPRESSIBLE_LENGTH = 82  # characters, the realistic average
_HEAD = f'{{"ticket_id":"{"u" * 36}","client_id":{"c" * 4},"creation_date":"{"d" * 20}","request":"'
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)


@dataclass(frozen=True)
class _Block:
    """Tickets as columns; `pairs` numbers the combinations of type and priority."""

    ticket_ids: NDArray[np.uint8]  # one row of 36 characters per ticket
    client_ids: NDArray[np.int64]
    moments: NDArray[np.datetime64]
    requests: NDArray[np.object_]  # bytes, as they stand between the quotes of JSON
    pairs: NDArray[np.int64]


def drawn_seed() -> int:
    """Draw a seed for a run that was given none; print it, and the run can be repeated."""
    return secrets.randbelow(2**31)


def make_tickets(
    count: int, seed: int, start: datetime = DEMO_START, period: timedelta | None = None, text: Text = "realistic"
) -> pd.DataFrame:
    """Return `count` tickets as a table with the contract's columns; `creation_date` is a UTC timestamp."""
    parts = []
    for block in _blocks(count, seed, start, period, text):
        columns = {
            "ticket_id": _rows(block.ticket_ids).astype(str),
            "client_id": block.client_ids,
            "creation_date": pd.to_datetime(block.moments, utc=True),
            "request": [orjson.loads(b'"%b"' % request) for request in block.requests],
            "type": [_PAIRS[pair][0].value for pair in block.pairs],
            "priority": [_PAIRS[pair][1].value for pair in block.pairs],
        }
        parts.append(pd.DataFrame(columns)[list(FIELDS)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(FIELDS))


def ticket_messages(
    count: int | None,
    seed: int,
    start: datetime = DEMO_START,
    period: timedelta | None = None,
    batch: int = 10_000,
    text: Text = "realistic",
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the tickets of `make_tickets` as lists of (key, JSON), `batch` at a time; no count means without end."""
    # Arrays of bytes, because numpy takes and adds them in C: twice as fast as a loop over tickets.
    keys = np.array([b"%d" % client_id for client_id in CLIENT_IDS], object)
    ends = [orjson.dumps({"": "", "type": type_, "priority": priority})[5:] for type_, priority in _PAIRS]
    tails = np.array(ends, object)
    pending: list[tuple[bytes, bytes]] = []
    for block in _blocks(count, seed, start, period, text):
        values = _heads(block) + block.requests + tails[block.pairs]
        pending += zip(keys[block.client_ids - CLIENT_IDS.start].tolist(), values.tolist(), strict=True)
        whole = len(pending) - len(pending) % batch
        yield from (pending[at : at + batch] for at in range(0, whole, batch))
        del pending[:whole]
    if pending:
        yield pending


def _blocks(count: int | None, seed: int, start: datetime, period: timedelta | None, text: Text) -> Iterator[_Block]:
    if start.tzinfo is None:
        raise ValueError(f"start has no offset: {start.isoformat()}")
    if period is not None and count is None:
        raise ValueError("a period needs a count: tickets are spread over it")
    halves = half_sentences(seed)
    clients = np.cumsum(_client_weights(seed))
    pairs = np.cumsum([TYPE_WEIGHTS[type_] * PRIORITY_WEIGHTS[type_][priority] for type_, priority in _PAIRS])
    clock = None if period is None or not count else _working_clock(start, period)
    first = 0
    while count is None or first < count:
        draws = np.random.Generator(np.random.PCG64([seed, first // _BLOCK]))
        wanted = _BLOCK if count is None else min(_BLOCK, count - first)
        # Always a whole block, then its beginning: what ticket 5 looks like must not depend on how many follow.
        ids = _uuids(draws)[:wanted]
        uniform = draws.random((5, _BLOCK))[:, :wanted]
        letters = draws.integers(0, 64, (_BLOCK, _INCOMPRESSIBLE_LENGTH)) if text == "incompressible" else None
        numbers = np.arange(first, first + wanted)
        if clock is None:
            seconds = (numbers + uniform[0]) * SPACING_S
        else:
            seconds = np.interp((numbers + uniform[0]) / (count or 1), *clock)
        moments = np.datetime64(int(start.timestamp()), "s") + seconds.astype("m8[s]")
        pair = np.searchsorted(pairs, uniform[2] * pairs[-1], side="right")
        requests = (
            _requests(halves, pair // len(Priority), uniform[3:], text)
            if letters is None
            else _rows(_LETTERS[letters[:wanted]]).astype(object)
        )
        client = CLIENT_IDS.start + np.searchsorted(clients, uniform[1] * clients[-1], side="right")
        yield _Block(ids, client, moments, requests, pair)
        first += wanted


def _requests(
    halves: HalfSentences, types: NDArray[np.int64], uniform: NDArray[np.float64], text: Text
) -> NDArray[np.object_]:
    problems, contexts = halves.problems, halves.contexts
    which = (uniform[0] * (_POOLED if text == "pooled" else problems.shape[1])).astype(int)
    context = which if text == "pooled" else (uniform[1] * contexts.shape[1]).astype(int)
    return np.asarray(problems[types, which] + contexts[types, context])


def _client_weights(seed: int) -> NDArray[np.float64]:
    """A few clients write most of the tickets (Zipf, softened at the top); which ones depends on the seed."""
    ranks = np.random.Generator(np.random.PCG64([seed, 1, 1])).permutation(len(CLIENT_IDS))
    return np.asarray(1.0 / (ranks + 12.0))


def _working_clock(start: datetime, period: timedelta) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of tickets that came in (0 to 1) at seconds after the start: the week of an office in Paris."""
    hours = pd.date_range(start, start + period, freq="h", inclusive="left")
    local = hours.tz_convert("Europe/Paris")
    weights = np.array(DAY_WEIGHTS)[local.dayofweek] * np.array(HOUR_WEIGHTS)[local.hour]
    edges = np.append(np.arange(len(hours)) * 3600.0, period.total_seconds())
    shares = np.append(0.0, np.cumsum(weights * np.diff(edges)))
    return shares / shares[-1], edges


def _uuids(draws: np.random.Generator) -> NDArray[np.uint8]:
    raw = np.frombuffer(draws.bytes(16 * _BLOCK), np.uint8).reshape(_BLOCK, 16).copy()
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40  # version 4 and the variant, as RFC 9562 numbers random UUIDs
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    digits = _HEX[np.stack([raw >> 4, raw & 0x0F], axis=2).reshape(_BLOCK, 32)]
    written = np.full((_BLOCK, 36), ord("-"), np.uint8)
    written[:, [i for i in range(36) if i not in (8, 13, 18, 23)]] = digits
    return written


def _heads(block: _Block) -> NDArray[np.object_]:
    """Everything before the request has the same width in every ticket, so it is written for all at once."""
    heads = np.tile(np.frombuffer(_HEAD.encode(), np.uint8), (len(block.requests), 1))
    heads[:, _HEAD.index("u" * 36) :][:, :36] = block.ticket_ids
    heads[:, _HEAD.index("cccc") :][:, :4] = _characters(block.client_ids.astype("S4"))
    heads[:, _HEAD.index("d" * 20) :][:, :20] = _characters(np.char.add(block.moments.astype("S19"), b"Z"))
    return _rows(heads).astype(object)


def _characters(texts: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    return texts.view(np.uint8).reshape(len(texts), -1)


def _rows(characters: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    return np.ascontiguousarray(characters).view(f"S{characters.shape[1]}").ravel()
