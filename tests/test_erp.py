"""The ERP without its capture: the seed, changes in a real PostgreSQL, and state and history from literal events."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from indutech.lake import reset
from indutech.lake.reset import StillInUse
from indutech.lake.store import connection as store
from indutech.plant.erp import (
    change_log,
    changes,
    comparison,
    connect,
    embedded,
    event,
    history,
    job,
    postgres,
    seed,
    tables,
)
from indutech.plant.erp.changes import ChangeRefused
from indutech.plant.erp.postgres import ErpNotReady
from indutech.plant.erp.tables import CLIENTS
from indutech.system.settings import Settings
from indutech.tickets.contract import CLIENT_IDS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROW = {
    "client_id": 1000,
    "name": "Ferrand S.A.",
    "siret": "31206253810231",
    "sector": "Chimie",
    "segment": "PME",
    "city": "Lyon",
    "postcode": "69007",
    "turnover_eur": "100.50",
    "active": True,
    "client_since": "2009-05-31Z",
    "updated_at": "2026-03-01T22:00:00.000000Z",
}


def test_the_seed_fits_the_tickets() -> None:
    """Every client that a ticket may name is there once, and each site, contract and machine belongs to somebody."""
    rows = seed.rows()

    clients, sites = rows["clients"], rows["sites"]
    assert clients["client_id"].to_pylist() == list(CLIENT_IDS)
    assert set(rows["contracts"]["client_id"].to_pylist()) <= set(CLIENT_IDS)
    assert set(sites["client_id"].to_pylist()) == set(CLIENT_IDS)
    assert set(rows["machines"]["site_id"].to_pylist()) <= set(sites["site_id"].to_pylist())
    for table in tables.TABLES:
        assert rows[table.name].schema == table.arrow
        assert len(set(rows[table.name][table.key].to_pylist())) == rows[table.name].num_rows


def test_the_seed_repeats() -> None:
    """The same seed makes the same rows, another one others."""
    assert seed.rows(20, 3)["clients"] == seed.rows(20, 3)["clients"]
    assert seed.rows(20, 3)["clients"] != seed.rows(20, 4)["clients"]


# ---- state and history from literal events


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder of its own, with what a URL and a shell would have to escape."""
    return Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "données d'été")


def happened(
    op: str,
    lsn: int,
    client_id: int | None = 1000,
    *,
    tx: int = 0,
    minute: int | None = None,
    snapshot: str = "false",
    **after: Any,
) -> dict[str, Any]:
    """One event as Debezium sends it; `after` is what differs from ROW."""
    row = None if op in ("d", "t") else ROW | {"client_id": client_id} | after
    moment = NOON + timedelta(minutes=lsn if minute is None else minute)
    source = {"lsn": lsn, "txId": tx or lsn, "ts_us": int(moment.timestamp() * 1e6), "snapshot": snapshot}
    key = None if client_id is None else json.dumps({"client_id": client_id}).encode()
    return {"key": key, "value": json.dumps({"op": op, "before": None, "after": row, "source": source}).encode()}


class Message:
    """A message of Kafka, as the change log asks it."""

    def __init__(self, offset: int, key: bytes | None, value: bytes) -> None:
        self.at, self.with_key, self.with_value = offset, key, value

    def offset(self) -> int:
        """Its place."""
        return self.at

    def partition(self) -> int:
        """There is one."""
        return 0

    def timestamp(self) -> tuple[int, int]:
        """When it was appended."""
        return 2, int(NOON.timestamp() * 1000)

    def key(self) -> bytes | None:
        """The row's key."""
        return self.with_key

    def value(self) -> bytes:
        """The event."""
        return self.with_value


def arrived(settings: Settings, events: Sequence[dict[str, Any]]) -> None:
    """Put these events into the change log in this order, two in a file."""
    first = change_log.next_offset(settings, CLIENTS)
    messages = [Message(first + number, **one) for number, one in enumerate(events)]
    for at in range(0, len(messages), 2):
        change_log._write(settings, CLIENTS, "2026-03-02", event.as_table(messages[at : at + 2], NOON))  # type: ignore[arg-type]


def versions(settings: Settings, column: str = "city") -> list[tuple[Any, ...]]:
    """Key, value, first and last minute of each version."""
    with history.connect(settings, CLIENTS) as lake:
        return lake.execute(
            f"SELECT client_id, {column}, date_diff('minute', ?, valid_from), date_diff('minute', ?, valid_to) "
            "FROM history ORDER BY 1, valid_from",
            [NOON, NOON],
        ).fetchall()


def now(settings: Settings) -> list[tuple[Any, ...]]:
    """Key and city of each row of the state."""
    with history.connect(settings, CLIENTS) as lake:
        return lake.execute("SELECT client_id, city FROM state ORDER BY 1").fetchall()


def test_versions_follow_the_source_not_the_arrival(settings: Settings) -> None:
    """A change that arrives late stands where the source made it; the newest one of the source is the state."""
    arrived(settings, [happened("c", 1), happened("u", 5, city="Laval"), happened("u", 3, city="Nantes")])

    assert versions(settings) == [(1000, "Lyon", 1, 3), (1000, "Nantes", 3, 5), (1000, "Laval", 5, None)]
    assert now(settings) == [(1000, "Laval")]


def test_what_is_sent_again_changes_nothing(settings: Settings) -> None:
    """After a kill Kafka Connect repeats the end of what it had sent, in another file."""
    sent = [happened("c", 1), happened("u", 2, city="Laval"), happened("d", 3), happened("c", 4, city="Nantes")]
    arrived(settings, sent)
    once = versions(settings)
    arrived(settings, sent[1:])

    assert versions(settings) == once == [(1000, "Lyon", 1, 2), (1000, "Laval", 2, 3), (1000, "Nantes", 4, None)]


def test_a_changed_key_ends_one_client_and_begins_another(settings: Settings) -> None:
    """Debezium says it as a deletion and an insertion at the same place of the log."""
    arrived(settings, [happened("c", 1), happened("d", 2), happened("c", 2, 10_000)])

    assert versions(settings) == [(1000, "Lyon", 1, 2), (10_000, "Lyon", 2, None)]


def test_truncate_ends_all(settings: Settings) -> None:
    """An event of the whole table closes every row; what is inserted afterwards is there."""
    arrived(settings, [happened("c", 1), happened("c", 2, 1001), happened("t", 3, None), happened("c", 4, 1001)])

    assert now(settings) == [(1001, "Lyon")]
    assert versions(settings)[0] == (1000, "Lyon", 1, 3)


def test_a_snapshot_that_was_cut_off_leaves_no_ghost(settings: Settings) -> None:
    """A client read by it and deleted before the next one was read is not in the lake's state."""
    cut_off = [happened("r", 1, snapshot="first"), happened("r", 1, 1001, snapshot="true")]
    again = [happened("r", 4, 1001, snapshot="first", city="Laval"), happened("r", 4, 1002, snapshot="last")]
    arrived(settings, [*cut_off, *again, happened("u", 6, 1002, city="Nantes")])

    assert now(settings) == [(1001, "Laval"), (1002, "Nantes")]
    assert versions(settings)[0] == (1000, "Lyon", 1, 4)


def test_a_snapshot_under_way_ends_nothing(settings: Settings) -> None:
    """As long as a second snapshot is not finished, a client that it has not named yet is still there."""
    first = [happened("r", 1, snapshot="first"), happened("r", 1, 1001, snapshot="last")]
    arrived(settings, [*first, happened("r", 4, 1000, snapshot="first")])

    assert now(settings) == [(1000, "Lyon"), (1001, "Lyon")]


def test_a_change_that_the_snapshot_did_not_see_wins_over_it(settings: Settings) -> None:
    """Begun before the snapshot's place in the log and committed after it: streamed, so newer than what was read."""
    arrived(settings, [happened("r", 10, snapshot="last"), happened("u", 8, city="Laval")])

    assert now(settings) == [(1000, "Laval")]


def test_versions_do_not_overlap_when_the_clock_is_set_back(settings: Settings) -> None:
    """The order is that of the log; a version that would end before it began has no length."""
    arrived(settings, [happened("c", 1, minute=10), happened("u", 2, minute=5, city="Laval")])

    assert versions(settings) == [(1000, "Lyon", 10, 10), (1000, "Laval", 10, None)]


def test_an_update_of_nothing_makes_no_version(settings: Settings) -> None:
    """A version is another value."""
    arrived(settings, [happened("c", 1), happened("u", 2), happened("r", 3, snapshot="last")])

    assert versions(settings) == [(1000, "Lyon", 1, None)]


def test_a_column_that_nobody_declared_is_there_as_text(settings: Settings) -> None:
    """Older rows have none of it."""
    arrived(settings, [happened("c", 1), happened("u", 2, loyalty="or"), happened("c", 3, 1001, loyalty=7)])

    assert versions(settings, "loyalty") == [(1000, None, 1, 2), (1000, "or", 2, None), (1001, "7", 3, None)]


def test_values_have_the_types_of_the_source(settings: Settings) -> None:
    """Days, amounts and moments are what the declaration says, in the files of state and history too."""
    arrived(settings, [happened("c", 1)])

    history.write(settings, CLIENTS)

    state = history.read(settings, CLIENTS, "state")
    assert state.schema.field("turnover_eur").type == pa.decimal128(12, 2)
    assert state.schema.field("client_since").type == pa.date32()
    [row] = state.to_pylist()
    assert (str(row["turnover_eur"]), str(row["client_since"])) == ("100.50", "2009-05-31")
    assert row["updated_at"] == datetime(2026, 3, 1, 22, tzinfo=UTC)


def test_a_message_that_is_no_event_is_kept_and_counted(settings: Settings) -> None:
    """It is stored at its offset, so that nothing is lost and nothing stops; state and history pass it over."""
    arrived(settings, [happened("c", 1), {"key": b"1", "value": b"bonjour"}, {"key": None, "value": b""}])

    with history.connect(settings, CLIENTS) as lake:
        kept = lake.execute(
            "SELECT kafka_offset, after FROM changes WHERE op = ? ORDER BY 1", [event.UNREADABLE]
        ).fetchall()
    assert kept == [(1, "bonjour"), (2, "")]
    assert now(settings) == [(1000, "Lyon")]


def test_only_what_a_reader_of_the_source_saw(settings: Settings) -> None:
    """Transactions that were running or came later are left out, those before and the snapshot are in."""
    arrived(
        settings,
        [
            happened("r", 1, snapshot="last"),
            happened("u", 2, tx=50, city="Laval"),
            happened("u", 3, tx=52, city="Nantes"),
            happened("c", 4, 1001, tx=51),
            happened("c", 5, 1002, tx=60),
        ],
    )
    seen = history.SourceSnapshot(xmax=60, running=(52,), lsn=9)

    with history.connect(settings, CLIENTS, seen) as lake:
        assert lake.execute("SELECT client_id, city FROM state ORDER BY 1").fetchall() == [
            (1000, "Laval"),
            (1001, "Lyon"),
        ]


def test_an_old_file_of_the_state_is_seen(settings: Settings) -> None:
    """The files are what the change log gives, or they are named; the job writes them anew at its start."""
    arrived(settings, [happened("c", 1)])
    assert comparison.stale_files(settings, CLIENTS) == ["history", "state"]
    history.write(settings, CLIENTS)
    assert comparison.stale_files(settings, CLIENTS) == []

    arrived(settings, [happened("u", 2, city="Laval")])

    assert comparison.stale_files(settings, CLIENTS) == ["history", "state"]


def test_the_end_of_a_snapshot_is_read_from_the_place(tmp_path: Path) -> None:
    """No file, one from the middle of a snapshot, or one of other topics means that it has to begin anew."""
    place, settings = tmp_path / connect.OFFSETS, tmp_path / connect.CONFIGURATION
    settings.write_text("name=erp\ntopic.prefix=erp\n")
    finished = b'\xac\xed["erp",{"server":"erp"}]..{"lsn_proc":34034744,"lsn":34034744}'
    assert not connect.snapshot_is_whole(tmp_path)
    place.write_bytes(finished.replace(b'"lsn_proc":34034744', b'"snapshot":"INITIAL"'))
    assert not connect.snapshot_is_whole(tmp_path)
    place.write_bytes(finished)
    assert connect.snapshot_is_whole(tmp_path)

    settings.write_text("name=erp\ntopic.prefix=other\n")
    assert not connect.snapshot_is_whole(tmp_path)


@pytest.mark.slow
def test_the_same_in_a_bucket(settings: Settings) -> None:
    """Log, state and history are the same files on S3, and the log goes on where it ended."""
    in_bucket = settings.model_copy(update={"lake_uri": "s3a://erp-bucket/lake"})
    with store.connected(in_bucket) as reached:
        arrived(reached, [happened("c", 1), happened("u", 2, city="Laval"), happened("c", 3, 1001)])
        arrived(reached, [happened("u", 2, city="Laval"), happened("d", 4, 1001)])
        history.write(reached, CLIENTS)
        history.write(reached, CLIENTS)

        assert change_log.next_offset(reached, CLIENTS) == 5
        assert versions(reached) == [(1000, "Lyon", 1, 2), (1000, "Laval", 2, None), (1001, "Lyon", 3, 4)]
        assert history.read(reached, CLIENTS, "state")["city"].to_pylist() == ["Laval"]
        assert comparison.stale_files(reached, CLIENTS) == []


# ---- a real PostgreSQL


@pytest.fixture(scope="module")
def erp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL with thirty clients, used by the tests of this file."""
    folder = tmp_path_factory.mktemp("ERP d'été")
    with embedded.erp(Settings(_env_file=None, bootstrap_servers=None, data_dir=folder), 30) as there:
        yield there


def rows_of(folder: Path, what: str) -> list[tuple[Any, ...]]:
    """Ask the ERP."""
    with postgres.connection(folder) as connected, connected.cursor() as cursor:
        cursor.execute(what)
        return list(cursor.fetchall())


@pytest.mark.slow
def test_changes_are_committed_as_counted(erp: Path) -> None:
    """The number of rows is what inserts and deletes make of it, and what was rolled back is not there."""
    [[before]] = rows_of(erp, "SELECT count(*) FROM clients")

    done = changes.apply(erp, 80, 5)

    [[after]] = rows_of(erp, "SELECT count(*) FROM clients")
    assert done.committed == 80
    assert min(done.update, done.insert, done.delete, done.move, done.rolled_back) > 0
    assert after == before + done.insert - done.delete


@pytest.mark.slow
def test_what_is_rolled_back_is_not_there(erp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every transaction is, no row has changed."""
    rows = "SELECT md5(string_agg(clients::text, '|' ORDER BY client_id)) FROM clients"
    before = rows_of(erp, rows)
    monkeypatch.setattr(changes, "ROLLED_BACK", 1.0)
    looks = iter([False] * 20)

    done = changes.apply(erp, 80, 9, stop=lambda: next(looks, True))

    assert (done.committed, done.rolled_back > 20) == (0, True)
    assert rows_of(erp, rows) == before


@pytest.mark.slow
def test_what_belongs_to_a_client_goes_with_it(erp: Path) -> None:
    """A changed key is followed by sites and contracts, a deleted client takes them along."""
    [[sites]] = rows_of(erp, "SELECT count(*) FROM sites")

    done = changes.apply(erp, 60, 6)

    [[moved]] = rows_of(erp, f"SELECT count(*) FROM sites WHERE client_id >= {CLIENT_IDS.stop}")
    [[left]] = rows_of(erp, "SELECT count(*) FROM sites")
    assert done.move
    assert moved > 0
    assert left < sites


@pytest.mark.slow
def test_a_new_column_is_added_once_and_filled(erp: Path) -> None:
    """The next changes give it values; a second one of that name, or no name at all, is refused."""
    changes.add_column(erp, "account_manager")
    changes.apply(erp, 60, 7)

    assert rows_of(erp, "SELECT count(*) > 0 FROM clients WHERE account_manager IS NOT NULL") == [(True,)]
    with pytest.raises(ChangeRefused, match="already"):
        changes.add_column(erp, "account_manager")
    with pytest.raises(ChangeRefused, match="cannot be a column"):
        changes.add_column(erp, "x; DROP TABLE clients")


@pytest.mark.slow
def test_users_may_what_they_need(erp: Path) -> None:
    """The capture may read the captured tables, and nothing else; nobody comes in without the password."""
    with postgres.connection(erp, postgres.CAPTURE) as connected, connected.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clients")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("UPDATE clients SET city = 'Lyon'")
        with pytest.raises(Exception, match="permission denied"):
            cursor.execute("SELECT count(*) FROM contracts")
    secrets = postgres._known(erp)
    from adbc_driver_postgresql import dbapi

    with pytest.raises(Exception, match="password"):
        dbapi.connect(f"postgresql://erp:{'0' * 32}@127.0.0.1:{secrets['port']}/erp")
    assert (erp / "settings.json").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_an_erp_that_does_not_run_is_said(settings: Settings) -> None:
    """Before its first start, and after its last user has gone, one sentence says what to do."""
    folder = embedded.database_dir(settings)
    with pytest.raises(ErpNotReady, match="indutech erp start"):
        changes.apply(folder, 1, 1)

    with embedded.erp(settings, 3):
        [[port]] = rows_of(folder, "SELECT setting FROM pg_settings WHERE name = 'port'")
    with pytest.raises(ErpNotReady, match="does not answer"):
        changes.apply(folder, 1, 1)

    with embedded.erp(settings, 3):  # with the same rows, where clients find it again
        assert rows_of(folder, "SELECT setting FROM pg_settings WHERE name = 'port'") == [(port,)]
        assert rows_of(folder, "SELECT count(*) FROM clients") == [(3,)]


@pytest.mark.slow
def test_a_reset_takes_the_erp_along(settings: Settings) -> None:
    """Its log's place would otherwise belong to topics that are gone; while it runs, nothing is deleted."""
    with embedded.erp(settings, 3):
        with pytest.raises(StillInUse, match="indutech erp stop"):
            reset.delete(settings)
        assert embedded.database_dir(settings).exists()

    reset.delete(settings)

    assert not settings.erp_dir.exists()


def test_a_state_of_nothing(settings: Settings) -> None:
    """Before the first event there are no rows, no files, and no error."""
    assert now(settings) == []
    assert comparison.stale_files(settings, CLIENTS) == []
    assert job.Result(0, 0, {}, 0.0).sentence.startswith("0 changes")
