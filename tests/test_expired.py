"""Offsets that nobody can read: deleted before they were stored, or behind a transaction that is still open."""

from collections.abc import Callable

import pytest
from confluent_kafka import Producer, TopicPartition

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.kafka.readiness import asking
from indutech.lake import expired, identity, layout
from indutech.lake.expired import Expired, OffsetsExpired
from indutech.lake.identity import Identity
from indutech.lake.layout import DataFile
from indutech.producer import produce
from indutech.proof import doctor, reconcile
from indutech.system.settings import Settings
from tests import lakes
from tests.topics_filled import send

NewSettings = Callable[..., Settings]


@pytest.fixture
def half_stored(broker: Broker, new_settings: NewSettings, request: pytest.FixtureRequest) -> Settings:
    """A topic with 20 records in partition 0, of which a lake has committed the first 10."""
    settings = new_settings(f"expired-{abs(hash(request.node.name))}")
    topic = topics.ensure_topic(broker, settings)
    known = identity.admit(settings, topic, topics.start_offsets(broker, topic.name))
    places = send(broker, settings, [(b"1234", b"x")] * 20)
    partition = places[0][0]
    lakes.store(settings, "tickets", "2026-01-01", 0, range(10), partition)
    lakes.commit(settings, 0, {p: 10 if p == partition else 0 for p in range(4)})
    identity.claim(settings, known)
    return settings


def delete_before(broker: Broker, settings: Settings, offset: int) -> int:
    """Let the broker delete what retention would, and return the partition."""
    [partition] = [p for p, end in topics.end_offsets(broker, settings.topic).items() if end]
    with asking(broker) as admin:
        [deleted] = admin.delete_records([TopicPartition(settings.topic, partition, offset)]).values()
        deleted.result(timeout=30)
    return partition


def known_of(settings: Settings) -> Identity:
    """The lake's identity."""
    known = identity.read(settings)
    assert known
    return known


def test_what_expired_is_named_until_it_is_accepted(broker: Broker, half_stored: Settings) -> None:
    """First and last offset; accepting notes them once, and what expires later is refused again."""
    partition = delete_before(broker, half_stored, 14)
    known = known_of(half_stored)
    found = expired.find(half_stored, known, topics.start_offsets(broker, half_stored.topic))

    assert found == [Expired(partition, 10, 13)]
    with pytest.raises(OffsetsExpired, match=f"deleted 4 messages .*: partition {partition}, offsets 10 to 13"):
        expired.refuse(half_stored, found)
    expired.accept(half_stored, found)
    expired.accept(half_stored, found)
    expired.refuse(half_stored, found)
    assert len(expired.accepted(half_stored)) == 1
    with pytest.raises(OffsetsExpired, match="deleted 6 messages"):
        expired.refuse(half_stored, [Expired(partition, 10, 15)])


def test_a_damaged_note_is_refused(half_stored: Settings) -> None:
    """It is the only thing that tells accepted offsets from lost ones."""
    expired.expired_file(half_stored).write_text("{")
    with pytest.raises(OffsetsExpired, match="restore it from a copy"):
        expired.accepted(half_stored)


def test_the_proof_counts_expired_as_lost_until_they_are_accepted(broker: Broker, half_stored: Settings) -> None:
    """Deleted before they were stored: lost, and not pending; accepted and passed: expired."""
    partition = delete_before(broker, half_stored, 14)

    before = reconcile.prove(half_stored, broker)
    assert (before.exit_code, before.lost, before.pending) == (1, 4, 6)

    known = known_of(half_stored)
    expired.accept(half_stored, expired.find(half_stored, known, topics.start_offsets(broker, half_stored.topic)))
    lakes.store(half_stored, "tickets", "2026-01-01", 1, range(14, 20), partition)
    lakes.commit(half_stored, 1, {p: 20 if p == partition else 0 for p in range(4)})
    after = reconcile.prove(half_stored, broker)
    assert (after.exit_code, after.lost, after.expired, after.unverifiable, after.pending) == (0, 0, 4, 0, 0)
    assert "4 expired and accepted" in after.sentence


def test_what_is_stored_and_deleted_during_the_proof_is_not_lost(
    broker: Broker, half_stored: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream commits and the topic lets go of it while the files are listed: none of it counts as lost."""
    [partition] = [p for p, end in topics.end_offsets(broker, half_stored.topic).items() if end]
    listed = layout.all_files

    def listed_meanwhile(settings: Settings, kind: str) -> list[DataFile]:
        if kind == "quarantine":
            lakes.store(half_stored, "tickets", "2026-01-01", 1, range(10, 16), partition)
            lakes.commit(half_stored, 1, {p: 16 if p == partition else 0 for p in range(4)})
            delete_before(broker, half_stored, deleted_to)
        return listed(settings, kind)

    monkeypatch.setattr(layout, "all_files", listed_meanwhile)
    deleted_to = 16
    during = reconcile.prove(half_stored, broker)
    assert (during.exit_code, during.stored, during.lost, during.pending) == (2, 10, 0, 4)

    deleted_to = 18  # two more than the stream had stored by then
    assert reconcile.prove(half_stored, broker).lost == 2


def test_what_is_sent_during_the_proof_is_not_lost(
    broker: Broker, half_stored: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A producer goes on after the end of the topic was asked: its delivery reports are not beyond that end."""
    produce.produce(half_stored, broker, count=8, seed=1, progress=False)
    asked = topics.end_offsets

    def asked_then_sent(broker: Broker, name: str) -> dict[int, int]:
        ends = asked(broker, name)
        monkeypatch.undo()
        produce.produce(half_stored, broker, count=400, seed=2, progress=False)
        return ends

    monkeypatch.setattr(topics, "end_offsets", asked_then_sent)
    assert reconcile.prove(half_stored, broker).lost == 0


def test_a_hole_in_what_has_expired_since_is_said(broker: Broker, half_stored: Settings) -> None:
    """A row that is missing where the broker has nothing any more may have been a marker: it is no plain gap."""
    for file in half_stored.tickets_dir.rglob("*.parquet"):
        file.unlink()
    partition = delete_before(broker, half_stored, 10)
    lakes.store(half_stored, "tickets", "2026-01-01", 0, [*range(4), *range(5, 10)], partition)

    proof = reconcile.prove(half_stored, broker)

    assert (proof.lost, proof.gaps, proof.unverifiable) == (0, 0, 1)
    assert "1 unverifiable" in proof.sentence


def test_an_open_transaction_is_said(broker: Broker, half_stored: Settings) -> None:
    """Proof, backlog and doctor say what waits for it, and stop saying so when it has ended."""
    producer = Producer({**confluent_config(broker), "transactional.id": half_stored.topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    [partition] = [p for p, end in topics.end_offsets(broker, half_stored.topic).items() if end]
    producer.produce(half_stored.topic, b"x", b"1234", partition)
    assert producer.flush(30) == 0
    send(broker, half_stored, [(b"1234", b"x")] * 2)

    proof = reconcile.prove(half_stored, broker)
    assert (proof.exit_code, proof.pending, proof.held_back) == (2, 13, 3)
    assert "13 pending (3 behind an open transaction)" in proof.sentence
    backlog = identity.backlog(half_stored, broker)  # what the monitor and the stream's display show
    assert backlog
    assert (backlog.waiting, backlog.held_back) == (13, 3)
    said = {one.subject: one.says for one in doctor.examine(half_stored).findings if "transaction" in one.says}
    assert "a transaction is open at offset 20" in said["offsets"]

    producer.abort_transaction(30)
    assert reconcile.prove(half_stored, broker).held_back == 0
