"""The ERP's changes through Debezium, a real broker and the job into the lake: equal to the source, row by row."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq
import pytest

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake.identity import LakeIdentityMismatch
from indutech.lake.writer_lock import SecondWriter
from indutech.plant.erp import change_log, changes, comparison, connect, embedded, history, job, postgres
from indutech.plant.erp.comparison import Comparison
from indutech.plant.erp.tables import CLIENTS
from indutech.system.settings import Settings

CLIENTS_AT_FIRST = 400


@dataclass
class Captured:
    """An ERP whose changes are captured, and what the tests ask of it."""

    settings: Settings
    broker: Broker
    during_the_snapshot: list[changes.Changes] = field(default_factory=list)

    def compared(self, *, store: bool = True) -> Comparison:
        """Read the source, let what it had be captured and stored, and compare."""
        captured = comparison.until_captured(self.settings, 60)

        def wait(seen: history.SourceSnapshot) -> None:
            assert captured(seen)
            if store:
                job.run(self.settings, self.broker, once=True)

        return comparison.compare(self.settings, self.broker, CLIENTS, wait)

    def change(self, count: int, seed: int) -> changes.Changes:
        """Make changes."""
        return changes.apply(embedded.database_dir(self.settings), count, seed)

    def ask(self, *statements: str) -> None:
        """Do something to the ERP, all at once."""
        folder = embedded.database_dir(self.settings)
        with postgres.connection(folder, autocommit=False) as connected, connected.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="module")
def erp(new_settings: Callable[..., Settings]) -> Iterator[Captured]:
    """One start of Kafka Connect for all tests of this file; its first snapshot is taken while the ERP is changed."""
    settings = new_settings("erp-capture", erp_topics="erp-capture")
    over = threading.Event()
    seen: list[changes.Changes] = []

    def traffic() -> None:
        seen.append(changes.apply(embedded.database_dir(settings), 100_000, 1, rate=150, stop=over.is_set))

    with embedded.erp(settings, CLIENTS_AT_FIRST):
        thread = threading.Thread(target=traffic)
        thread.start()
        try:
            with embedded.captured(settings) as broker:
                over.set()
                thread.join()
                yield Captured(settings, broker, seen)
        finally:
            over.set()
            thread.join()


def test_a_snapshot_during_traffic(erp: Captured) -> None:
    """What was changed before, during and after it is in the lake, once."""
    found = erp.compared()

    [done] = erp.during_the_snapshot
    assert done.committed > 100
    assert found.differences == []
    assert (found.source_rows, found.different, found.exit_code) == (found.lake_rows, 0, 0)
    assert found.source_rows == CLIENTS_AT_FIRST + done.insert - done.delete


def test_deletes_changed_keys_and_inserts(erp: Captured) -> None:
    """All kinds of change arrive, and the history has a version for each value that a client had."""
    done = erp.change(200, 2)

    found = erp.compared()

    assert min(done.delete, done.move, done.insert) > 0
    assert (found.differences, found.exit_code) == ([], 0)
    with history.connect(erp.settings, CLIENTS) as lake:
        [[rows, open_]] = lake.execute("SELECT count(*), count(*) FILTER (valid_to IS NULL) FROM history").fetchall()
    assert open_ == found.source_rows
    assert rows > found.source_rows + done.update // 2


def test_a_new_column_comes_along(erp: Captured) -> None:
    """Nobody tells the capture or the job; old rows have none of it."""
    changes.add_column(embedded.database_dir(erp.settings), "account_manager")
    erp.change(100, 3)

    found = erp.compared()

    assert (found.differences, found.exit_code) == ([], 0)
    with history.connect(erp.settings, CLIENTS) as lake:
        assert lake.execute("SELECT count(account_manager) > 0 FROM state").fetchall() == [(True,)]


def test_long_texts_are_whole(erp: Captured) -> None:
    """PostgreSQL stores a long text apart, and leaves it out of a change that does not touch it."""
    some = "WHERE client_id IN (SELECT client_id FROM clients ORDER BY 1 LIMIT 3)"
    erp.ask(f"UPDATE clients SET name = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 500) AS i) {some}")
    erp.ask(f"UPDATE clients SET city = 'Brest' {some}")

    assert erp.compared().differences == []


def test_transactions_that_are_open_are_left_out(erp: Captured) -> None:
    """One begins before the proof and commits while it runs: neither side has it, and no difference is seen."""
    folder = embedded.database_dir(erp.settings)
    captured = comparison.until_captured(erp.settings, 60)
    with postgres.connection(folder, autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("UPDATE clients SET city = 'Figeac'")

        def commits(seen: history.SourceSnapshot) -> None:
            other.commit()
            captured(comparison.read_source(erp.settings, CLIENTS)[0])
            job.run(erp.settings, erp.broker, once=True)

        found = comparison.compare(erp.settings, erp.broker, CLIENTS, commits)

    assert (found.differences, found.exit_code) == ([], 0)
    with history.connect(erp.settings, CLIENTS) as lake:
        assert lake.execute("SELECT DISTINCT city FROM state").fetchall() == [("Figeac",)]


def test_a_difference_is_named(erp: Captured) -> None:
    """A value of the lake is altered, and a row of it removed: both are found, with key, column and both values."""
    erp.compared()
    newest = change_log.log_files(erp.settings, CLIENTS)[-1]
    rows = pq.read_table(newest)
    altered = rows.to_pylist()
    altered[0]["after"] = altered[0]["after"].replace("Figeac", "Vierzon")
    altered[1]["op"], altered[1]["after"] = "d", None
    try:
        pq.write_table(rows.from_pylist(altered, rows.schema), newest)

        found = erp.compared(store=False)

        assert (found.different, found.exit_code, found.stale_files) == (2, 1, ["history", "state"])
        told = {one.sentence for one in found.differences}
        assert f"{altered[0]['key']}.city: 'Figeac' in the source, 'Vierzon' in the lake" in told
        assert f"{altered[1]['key']}: only in the source" in told
    finally:
        pq.write_table(rows, newest)


def test_what_is_on_its_way_is_no_loss(erp: Captured) -> None:
    """Changes that nobody has stored yet make the proof say so, with an exit code of their own."""
    erp.ask("UPDATE clients SET city = 'Roanne' WHERE client_id = (SELECT min(client_id) FROM clients)")

    found = erp.compared(store=False)

    assert (found.different, found.unstored, found.exit_code) == (1, 1, 2)
    assert erp.compared().exit_code == 0


def test_one_job_at_a_time_and_only_its_topic(erp: Captured, new_settings: Callable[..., Settings]) -> None:
    """A second job is refused, and a lake that came from another topic."""
    with change_log.sole_writer(erp.settings, CLIENTS), pytest.raises(SecondWriter, match="indutech erp store"):
        job.run(erp.settings, erp.broker, once=True)
    other = erp.settings.model_copy(update={"erp_topics": "erp-other"})
    embedded.make_topics(erp.broker, other)
    with pytest.raises(LakeIdentityMismatch, match="erp-other"):
        job.run(other, erp.broker, once=True)


def test_readers_find_one_file(erp: Captured) -> None:
    """State and history are a Parquet file each, without the duplicates of the change log."""
    erp.compared()

    state = history.read(erp.settings, CLIENTS, "state")
    keys = state["client_id"].to_pylist()
    assert len(keys) == len(set(keys))
    assert history.read(erp.settings, CLIENTS).num_rows > len(keys)


def test_the_capture_says_how_it_is(erp: Captured) -> None:
    """Both run, and its topic has one partition and no end."""
    status = embedded.status(erp.settings)
    topic: Any = topics.describe_topic(erp.broker, connect.topic_of(erp.settings.erp_topics, CLIENTS))

    assert (status.database.running, status.capture.running, status.capture_state) == (True, True, "RUNNING")
    assert (topic.partitions, topic.config["retention.ms"]) == (1, "-1")
