"""The generator: the same seed gives the same tickets, and they look like a support desk's week."""

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

import orjson
import pandas as pd
import pytest

from indutech.tickets.contract import FIELDS, Priority, Ticket, TicketType, validate
from indutech.tickets.generator import DEMO_START, make_tickets, ticket_messages
from indutech.tickets.product import drawn_seed

FIRST_TICKETS_OF_SEED_7 = "257ded4c03f81d8d"


def messages(count: int, seed: int = 7, batch: int = 1_000, **more: object) -> list[tuple[bytes, bytes]]:
    """All messages of a run, whatever the batches."""
    return list(chain.from_iterable(ticket_messages(count, seed, batch=batch, **more)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    """Enough tickets to see the shares."""
    return make_tickets(30_000, seed=7)


@pytest.fixture(scope="module")
def four_weeks() -> pd.DataFrame:
    """Tickets over four weeks, in the local time of the people who write them."""
    tickets = make_tickets(20_000, seed=7, period=timedelta(weeks=4))
    return tickets.assign(local=tickets["creation_date"].dt.tz_convert("Europe/Paris"))


def test_same_seed_same_tickets_on_any_machine() -> None:
    """The bytes of the first tickets of a seed are pinned: a new version of a library must not change them unseen."""
    digest = hashlib.sha256(b"\n".join(value for _, value in messages(10_000))).hexdigest()

    assert digest[:16] == FIRST_TICKETS_OF_SEED_7


def test_a_ticket_depends_on_seed_and_number_only() -> None:
    """Asking for more tickets, or for other batches, changes none of the first ones."""
    first = messages(100)

    assert messages(20_000, batch=7_000)[:100] == messages(100, batch=1) == first
    assert list(islice(chain.from_iterable(ticket_messages(None, 7)), 100)) == first
    assert messages(100, seed=8) != first


def test_batches_have_the_size_that_was_asked_for() -> None:
    """Every batch is full but the last, across the blocks that the generator draws."""
    assert [len(batch) for batch in ticket_messages(20_000, 7, batch=6_000)] == [6_000, 6_000, 6_000, 2_000]
    assert list(ticket_messages(0, 7)) == []


def test_messages_are_the_tickets_as_json() -> None:
    """Table and messages are the same tickets: compact JSON in the order of the contract, keyed by the client."""
    table = make_tickets(9_000, seed=7)
    written = table.assign(creation_date=table["creation_date"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dict("records")

    assert list(table.columns) == list(FIELDS)
    assert messages(9_000) == [(str(row["client_id"]).encode(), orjson.dumps(row)) for row in written]


def test_every_message_keeps_the_contract() -> None:
    """Each message is a ticket."""
    assert all(isinstance(validate(value), Ticket) for _, value in messages(3_000))


def test_a_message_has_the_usual_size() -> None:
    """About 247 bytes on average, as the tickets that the published figures were measured with."""
    sizes = [len(value) for _, value in messages(20_000)]

    assert 240 < sum(sizes) / len(sizes) < 255


def test_identifiers_are_random_uuids() -> None:
    """Version 4, the right variant, and none twice, across blocks and seeds."""
    ids = pd.concat([make_tickets(20_000, seed=seed)["ticket_id"] for seed in (7, 8)])

    assert ids.is_unique
    assert ids.str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").all()


def test_types_and_priorities_have_plausible_shares(tickets: pd.DataFrame) -> None:
    """All twenty combinations occur; a broken machine is critical far more often than a question."""
    shares = pd.crosstab(tickets["type"], tickets["priority"], normalize="index")

    assert set(tickets["type"]) == {t.value for t in TicketType}
    assert set(tickets["priority"]) == {p.value for p in Priority}
    critical = shares["CRITIQUE"]
    assert critical["Panne Matérielle"] > 3 * critical["Problème Technique"] > 0
    assert critical["Demande Info"] < 0.02


def test_some_clients_are_far_noisier(tickets: pd.DataFrame) -> None:
    """One client in a hundred writes a large part of the tickets, and most clients write some."""
    per_client = tickets["client_id"].value_counts()

    assert per_client.head(90).sum() > 0.25 * len(tickets)
    assert per_client.iloc[0] > 50 * per_client.median()
    assert len(per_client) > 6_000


def test_noisy_clients_differ_from_seed_to_seed(tickets: pd.DataFrame) -> None:
    """Which clients are noisy is drawn as well."""
    other = make_tickets(30_000, seed=8)["client_id"].value_counts()

    assert set(other.head(10).index) != set(tickets["client_id"].value_counts().head(10).index)


WORDS_OF_A_TYPE = {
    TicketType.CONNECTION: "conne|joindre|mot de passe|compte|session|accès|vpn|réseau|certificat|vérification",
    TicketType.BILLING: "factur|fa-|tva|avoir|prélèvement|pénalité|réglée|frais",
    TicketType.INFORMATION: r"\?",
    TicketType.HARDWARE: "panne|fuite|arrêt|bruit|moteur|cassé|alimentation|disjoncteur|capteur|courroie|fumée|pièce",
}


@pytest.mark.parametrize("type_", WORDS_OF_A_TYPE)
def test_sentences_fit_their_type(tickets: pd.DataFrame, type_: TicketType) -> None:
    """A request is about what its type says."""
    requests = tickets.loc[tickets["type"] == type_, "request"].str.lower()

    assert requests.str.contains(WORDS_OF_A_TYPE[type_]).mean() == 1.0


def test_sentences_are_french(tickets: pd.DataFrame) -> None:
    """Finished sentences with accents, contracted articles and no slot left open."""
    requests = tickets["request"]

    assert requests.nunique() > 15_000
    assert requests.str.fullmatch(r"[A-ZÀ-Ý].*[.?]").all()
    assert requests.str.contains("[éèêàçù]").mean() > 0.6
    wrong = re.compile(r"[{}]|\bde le\b|\bde les\b|\bde (?:hier|avril|août|octobre)\b|  ")
    assert not [request for request in requests if wrong.search(request)]


def test_tickets_follow_the_start_second_by_second() -> None:
    """Without a period there is one ticket a second, in order, from the start, in UTC."""
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)

    seconds = (make_tickets(1_000, seed=7, start=start)["creation_date"] - start).dt.total_seconds()

    assert seconds.is_monotonic_increasing
    assert ((seconds - seconds.index).abs() <= 1).all()


def test_a_period_has_office_hours_and_weekends(four_weeks: pd.DataFrame) -> None:
    """Tickets are spread over the period: busy mornings, a lunch break, quiet nights and weekends, Monday first."""
    by_hour, by_day = Counter(four_weeks["local"].dt.hour), Counter(four_weeks["local"].dt.dayofweek)

    assert four_weeks["creation_date"].is_monotonic_increasing
    assert four_weeks["creation_date"].min() >= DEMO_START
    assert DEMO_START + timedelta(days=27) < four_weeks["creation_date"].max() < DEMO_START + timedelta(weeks=4)
    assert by_hour[10] > 1.5 * by_hour[12] > 3 * by_hour[3]
    assert by_day[0] == max(by_day.values()) > 4 * max(by_day[5], by_day[6])


def test_period_must_have_a_count() -> None:
    """Nobody can spread tickets without end over a month."""
    with pytest.raises(ValueError, match="needs a count"):
        next(ticket_messages(None, 7, period=timedelta(days=1)))


def test_start_must_have_an_offset() -> None:
    """A start without an offset would mean another moment on each machine."""
    with pytest.raises(ValueError, match="no offset"):
        make_tickets(1, seed=7, start=datetime(2026, 3, 2))


def test_drawn_seeds_differ_and_can_be_typed() -> None:
    """A seed for those who gave none: small enough to be copied by hand."""
    seeds = {drawn_seed() for _ in range(20)}

    assert len(seeds) > 1
    assert all(0 <= seed < 2**31 for seed in seeds)
