"""Generates French tickets from a seed, realistic rather than uniform; the same on any machine."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby, product
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from indutech.tickets.compact_json import BEFORE, END, HEAD_BYTES, STARTS, TAIL, TEXT, WIDTHS
from indutech.tickets.contract import CLIENT_IDS, FIELDS, KINDS, Priority, TicketType
from indutech.tickets.fields import FreeText, Integer, Kind, Moment, Uuid, Word
from indutech.tickets.product import ContractUnusable
from indutech.tickets.sentences import HalfSentences, half_sentences
from indutech.tickets.vocabulary import DAY_WEIGHTS, HOUR_WEIGHTS, PRIORITY_WEIGHTS, TYPE_WEIGHTS

if TYPE_CHECKING:  # to send tickets takes no table, and without pandas `indutech produce` starts in half the time
    import pandas as pd

DEMO_START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Paris, a Monday
SPACING_S = 1.0  # seconds between two tickets, on average, when no period is asked for
_BLOCK = 8_192  # tickets drawn together, each block from a generator of its own: a ticket depends on its number only
_PAIRS = [(type_, priority) for type_ in TicketType for priority in Priority]
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)

# The values of one field in a block: for a UUID a row of 36 characters per ticket, for an integer the number, for a
# moment datetime64[s], for a text its bytes between the quotes of JSON, for a word its place in the vocabulary.
_Values = NDArray[Any]
_Block = Mapping[str, _Values]


def make_tickets(
    count: int, seed: int, start: datetime = DEMO_START, period: timedelta | None = None
) -> "pd.DataFrame":
    """Return `count` tickets as a table with the contract's columns; `creation_date` is a UTC timestamp."""
    import pandas as pd

    parts = [
        pd.DataFrame({name: _column(kind, block[name]) for name, kind in KINDS.items()})
        for block in _blocks(count, seed, start, period)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(FIELDS))


def ticket_messages(
    count: int | None,
    seed: int,
    start: datetime = DEMO_START,
    period: timedelta | None = None,
    batch: int = 10_000,
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the tickets of `make_tickets` as lists of (key, JSON), `batch` at a time; no count means without end."""
    # Arrays of bytes, because numpy takes and adds them in C: twice as fast as a loop over tickets.
    keys = np.array([b"%d" % client_id for client_id in CLIENT_IDS], object)
    tails = _tails()
    pending: list[tuple[bytes, bytes]] = []
    for block in _blocks(count, seed, start, period):
        values = _heads(block) + block[TEXT]
        for names, endings in tails:
            values = values + _endings(names, endings, block)
        pending += zip(keys[block["client_id"] - CLIENT_IDS.start].tolist(), values.tolist(), strict=True)
        whole = len(pending) - len(pending) % batch
        yield from (pending[at : at + batch] for at in range(0, whole, batch))
        del pending[:whole]
    if pending:
        yield pending


def _blocks(count: int | None, seed: int, start: datetime, period: timedelta | None) -> Iterator[_Block]:
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
        numbers = np.arange(first, first + wanted)
        if clock is None:
            seconds = (numbers + uniform[0]) * SPACING_S
        else:
            seconds = np.interp((numbers + uniform[0]) / (count or 1), *clock)
        type_, priority = np.divmod(np.searchsorted(pairs, uniform[2] * pairs[-1], side="right"), len(Priority))
        # A further field is one more line. Draw it from a generator of its own, or all other values change:
        # np.random.default_rng([seed, 7, first]).integers(0, len(Words), _BLOCK)[:wanted]
        block = {
            "ticket_id": ids,
            "client_id": CLIENT_IDS.start + np.searchsorted(clients, uniform[1] * clients[-1], side="right"),
            "creation_date": np.datetime64(int(start.timestamp()), "s") + seconds.astype("m8[s]"),
            "request": _requests(halves, type_, uniform[3:]),
            "type": type_,
            "priority": priority,
        }
        if missing := [name for name in FIELDS if name not in block]:
            raise ContractUnusable(f"The generator draws no {', '.join(missing)}: add a line for it in {__name__}.")
        yield block
        first += wanted


def _requests(halves: HalfSentences, types: NDArray[np.int64], uniform: NDArray[np.float64]) -> NDArray[np.object_]:
    problems, contexts = halves.problems, halves.contexts
    which, context = (uniform * [[problems.shape[1]], [contexts.shape[1]]]).astype(int)
    return np.asarray(problems[types, which] + contexts[types, context])


def _client_weights(seed: int) -> NDArray[np.float64]:
    """A few clients write most of the tickets (Zipf, softened at the top); which ones depends on the seed."""
    ranks = np.random.Generator(np.random.PCG64([seed, 1, 1])).permutation(len(CLIENT_IDS))
    return np.asarray(1.0 / (ranks + 12.0))


def _working_clock(start: datetime, period: timedelta) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of tickets that came in (0 to 1) at seconds after the start: the week of an office in Paris."""
    import pandas as pd

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
    """Everything before the text has the same width in every ticket, so it is written for all at once."""
    empty = "".join(BEFORE[name] + " " * WIDTHS.get(name, 0) for name in STARTS)
    heads = np.tile(np.frombuffer(empty.encode(), np.uint8), (len(block[TEXT]), 1))
    for name, width in WIDTHS.items():
        written = _written(KINDS[name], block[name]).astype(f"S{width}")
        heads[:, STARTS[name] : STARTS[name] + width] = written.view(np.uint8).reshape(-1, width)
    return np.ascontiguousarray(heads).view(f"S{HEAD_BYTES}").ravel().astype(object)


def _tails() -> list[tuple[tuple[str, ...], NDArray[np.object_] | None]]:
    """The fields after the text: words that follow one another with all their combinations as bytes, others alone."""
    runs = [(words, tuple(names)) for words, names in groupby(TAIL, key=lambda name: isinstance(KINDS[name], Word))]
    tails: list[tuple[tuple[str, ...], NDArray[np.object_] | None]] = []
    for words, names in runs:
        if not words:
            tails += [((name,), None) for name in names]
            continue
        combinations = product(*(_vocabulary(KINDS[name]) for name in names))
        joined = [
            b"".join(BEFORE[name].encode() + word for name, word in zip(names, one, strict=True))
            + (END.encode() if names[-1] == FIELDS[-1] else b"")
            for one in combinations
        ]
        tails.append((names, np.array(joined, object)))
    return tails


def _endings(names: tuple[str, ...], endings: NDArray[np.object_] | None, block: _Block) -> NDArray[np.object_]:
    if endings is None:
        [name] = names
        values = BEFORE[name].encode() + _written(KINDS[name], block[name]).astype(object)
        return np.asarray(values + END.encode() if name == FIELDS[-1] else values)
    sizes = [len(_vocabulary(KINDS[name])) for name in names]
    return np.asarray(endings[np.ravel_multi_index([block[name] for name in names], sizes)])


def _written(kind: Kind, values: _Values) -> NDArray[Any]:
    """The values as bytes, as they stand in JSON, without quotes."""
    match kind:
        case Uuid():
            return np.ascontiguousarray(values).view(f"S{Uuid.width}").ravel()
        case Moment():
            return np.char.add(values.astype("S19"), b"Z")
        case Word():
            return _vocabulary(kind)[values]
        case Integer():
            return values.astype("S20")
        case _:
            return values


def _column(kind: Kind, values: _Values) -> object:
    """The values as a column of a table."""
    import pandas as pd

    match kind:
        case Integer():
            return values
        case Moment():
            return pd.to_datetime(values, utc=True)
        case FreeText():
            return [orjson.loads(b'"%b"' % text) for text in values]
        case Word():
            return np.array(kind.words, object)[values]
        case _:
            return _written(kind, values).astype(str)


def _vocabulary(kind: Kind) -> NDArray[np.object_]:
    return np.array([orjson.dumps(word)[1:-1] for word in kind.words] if isinstance(kind, Word) else [], object)
