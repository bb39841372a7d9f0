"""The whole path, for real: broker → Spark → Parquet, with every case of the committed table of messages."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from indutech.kafka.broker import Broker
from indutech.lake import layout
from indutech.lake import reader as lake
from indutech.proof import last_minute, monitor, reconcile
from indutech.stream import batches, job
from indutech.system.settings import Settings
from indutech.tickets import generator
from indutech.tickets.cases import Case, malformed_cases
from indutech.tickets.contract import FIELDS, TEAM_FOR_TYPE, Rejected, validate
from tests.topics_filled import Place, send

SEED = 7
TICKETS = 20_000
TICKET_COLUMNS = [*FIELDS, "support_team", "kafka_partition", "kafka_offset", "kafka_timestamp", "processed_at"]
QUARANTINE_COLUMNS = ["raw", "reason", "kafka_key", "kafka_topic", "kafka_partition", "kafka_offset"]
QUARANTINE_COLUMNS += ["kafka_timestamp", "processed_at"]


@dataclass(frozen=True)
class Drained:
    """A lake, and where each message of each kind had landed before."""

    settings: Settings
    seeded: list[Place]
    cases: dict[Place, Case]

    def accepted(self) -> set[Place]:
        """Where the cases are that the table accepts."""
        return {place for place, case in self.cases.items() if case.reason is None}

    def rejected(self) -> dict[Place, Case]:
        """The other cases, by place."""
        return {place: case for place, case in self.cases.items() if case.reason is not None}


@pytest.fixture(scope="module")
def drained(broker: Broker, new_settings, spark: SparkSession) -> Drained:
    """20,000 seeded tickets and every case of the table, sent and stored over several micro-batches."""
    settings = new_settings("pipeline", max_batch_tickets=8_000)
    tickets = [message for block in generator.ticket_messages(TICKETS, seed=SEED) for message in block]
    cases = malformed_cases()
    odd = [(f"{1000 + i}".encode(), case.value) for i, case in enumerate(cases)]
    # The odd ones in the middle, so that they share their micro-batches with usual ones.
    places = send(broker, settings, [*tickets[: TICKETS // 2], *odd, *tickets[TICKETS // 2 :]])
    job.run(settings, broker, once=True, spark=spark)
    middle = places[TICKETS // 2 : TICKETS // 2 + len(cases)]
    seeded = places[: TICKETS // 2] + places[TICKETS // 2 + len(cases) :]
    return Drained(settings, seeded, dict(zip(middle, cases, strict=True)))


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "spark"])
def test_lake_has_exactly_the_valid_ones(drained: Drained, spark: SparkSession, reader: str):
    """Every seeded ticket and every case that the table accepts; nothing else, and nothing twice."""
    rows = _rows(reader, drained.settings.tickets_dir, spark)
    seen = list(zip(rows["kafka_partition"], rows["kafka_offset"], strict=True))

    assert len(seen) == len(drained.seeded) + len(drained.accepted())
    assert set(seen) == {*drained.seeded, *drained.accepted()}


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "spark"])
def test_quarantine_has_exactly_the_others(drained: Drained, spark: SparkSession, reader: str):
    """Each with its bytes as received, its reason, its key and its topic."""
    rows = _rows(reader, drained.settings.quarantine_dir, spark)

    seen = {
        (row.kafka_partition, row.kafka_offset): (
            None if row.raw is None or row.raw is pd.NA else bytes(row.raw),
            row.reason,
            row.kafka_topic,
        )
        for row in rows.itertuples()
    }
    expected = {place: (case.value, case.reason, "pipeline") for place, case in drained.rejected().items()}
    assert len(rows) == len(expected)
    assert seen == expected


def test_stored_tickets_are_those_that_were_made(drained: Drained):
    """Field by field, 20,000 seeded tickets came through broker and Spark unchanged, each with its team."""
    made = generator.make_tickets(TICKETS, seed=SEED).set_index("ticket_id").sort_index()
    stored = lake.query(drained.settings, "SELECT * FROM tickets").set_index("ticket_id")
    stored = stored.loc[stored.index.isin(made.index)].sort_index()

    assert list(stored.index) == list(made.index)
    for field in ("client_id", "request", "type", "priority"):
        assert stored[field].tolist() == made[field].tolist(), field
    assert (stored["creation_date"] == made["creation_date"]).all()
    assert stored["support_team"].tolist() == [TEAM_FOR_TYPE[type_] for type_ in made["type"]]


def test_accepted_cases_are_normalised_as_the_contract_says(drained: Drained):
    """NFD accents, padding, capitals in the id, other offsets: what the lake holds is what the contract makes of it."""
    stored = lake.query(drained.settings, "SELECT * FROM tickets")
    rows = {(row.kafka_partition, row.kafka_offset): row for row in stored.itertuples()}
    for place in drained.accepted():
        ticket = validate(drained.cases[place].value)
        assert not isinstance(ticket, Rejected)
        for field in FIELDS:
            assert getattr(rows[place], field) == getattr(ticket, field), (drained.cases[place].name, field)


def test_the_proof_holds(drained: Drained, broker: Broker):
    """No offset lost, none twice, none pending; the table's duplicates of a ticket_id are counted."""
    proof = reconcile.prove(drained.settings, broker, full=True)

    assert (proof.lost, proof.twice, proof.pending, proof.gaps, proof.exit_code) == (0, 0, 0, 0, 0)
    assert proof.stored == TICKETS + len(drained.accepted())
    assert proof.quarantined == len(drained.rejected())
    ids = [validate(drained.cases[place].value).ticket_id for place in drained.accepted()]
    assert proof.duplicate_tickets == len(ids) - len(set(ids))
    assert len(lake.query(drained.settings, "SELECT * FROM curated")) == proof.stored - proof.duplicate_tickets


def test_columns_and_types_are_the_contract_of_the_lake(drained: Drained):
    """Other tools rely on them: these columns in this order, timestamps in UTC microseconds with statistics."""
    tickets = next(drained.settings.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"))
    quarantine = next(drained.settings.quarantine_dir.glob("ingest_date=*/batch=*/*.parquet"))

    assert pq.read_schema(tickets).names == TICKET_COLUMNS
    assert pq.read_schema(quarantine).names == QUARANTINE_COLUMNS
    for name in ("creation_date", "kafka_timestamp", "processed_at"):
        assert str(pq.read_schema(tickets).field(name).type) == "timestamp[us, tz=UTC]"
    group = pq.read_metadata(tickets).row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["kafka_timestamp"].statistics.has_min_max
    assert {column.compression for column in columns.values()} == {"ZSTD"}


def test_the_ingest_date_is_the_brokers_day_in_utc(drained: Drained):
    """Whatever the time zone of the machine: these tests run in another one."""
    assert time.tzname[0] != "UTC"
    wrong = "SELECT count(*) AS n FROM tickets WHERE ingest_date <> kafka_timestamp::DATE"
    assert lake.query(drained.settings, wrong)["n"].item() == 0


def test_the_monitor_shows_what_is_there(drained: Drained, broker: Broker):
    """The same figures as the proof, a lag of nothing, and a latency in seconds."""
    reading = monitor.Monitor(drained.settings, broker).read()

    proof = reconcile.prove(drained.settings, broker)
    assert (reading.stored, reading.quarantined) == (proof.stored, proof.quarantined)
    assert (reading.duplicate_tickets, reading.lag) == (proof.duplicate_tickets, 0)
    assert 0 < reading.latency_p50_s <= reading.latency_p95_s <= reading.latency_p99_s


def test_the_last_minute_counts_by_type_team_and_urgency(drained: Drained):
    """As pandas counts the same rows; a minute later nothing is left of it."""
    rows = lake.read(drained.settings, "tickets").to_pandas()
    newest = rows["kafka_timestamp"].max()
    files = layout.committed_files(drained.settings, "tickets")

    minute = last_minute.read(files, newest.to_pydatetime())

    recent = rows[rows["kafka_timestamp"] > newest - last_minute.SPAN]
    assert minute.tickets == len(recent) > 0
    assert minute.urgent == recent["priority"].isin(["HAUTE", "CRITIQUE"]).sum() > 0
    assert minute.by_type == recent["type"].value_counts().to_dict()
    assert minute.by_team == recent["support_team"].value_counts().to_dict()
    assert last_minute.read(files, newest.to_pydatetime() + last_minute.SPAN) == last_minute.LastMinute()


@pytest.mark.parametrize(
    ("bound", "value"), [("MOST_IN_ONE_PASS", 3), ("LARGEST_IN_ONE_PASS_BYTES", 100)], ids=["too many", "too large"]
)
def test_messages_beyond_the_bounds_get_the_same_reasons(
    broker: Broker, new_settings, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
):
    """When they do not fit into one pass, Spark validates every message; lake and quarantine come out the same."""
    monkeypatch.setattr(batches, bound, value)
    settings = new_settings(f"beyond-{bound.lower().replace('_', '-')}")
    cases = malformed_cases()
    usual = [message for block in generator.ticket_messages(10, seed=1) for message in block]
    places = send(broker, settings, [*((b"1000", case.value) for case in cases), *usual])

    job.run(settings, broker, once=True, spark=spark)

    quarantine = lake.query(settings, "SELECT kafka_partition, kafka_offset, reason FROM quarantine")
    reasons = {(row.kafka_partition, row.kafka_offset): row.reason for row in quarantine.itertuples()}
    expected = {p: case.reason for p, case in zip(places, cases, strict=False) if case.reason is not None}
    assert reasons == expected
    proof = reconcile.prove(settings, broker)
    assert (proof.exit_code, proof.stored) == (0, len(places) - len(expected))


def test_a_second_run_stores_nothing_again(drained: Drained, broker: Broker, spark: SparkSession):
    """There is nothing new, so there is no micro-batch."""
    again = job.run(drained.settings, broker, once=True, spark=spark)

    assert (again.batches, again.stored, again.quarantined) == (0, 0, 0)


def test_what_arrives_later_is_pending_until_it_is_stored(broker: Broker, new_settings, spark: SparkSession):
    """Exit code 2 is not an alarm: the topic holds it, and the next run stores it."""
    settings = new_settings("later")
    tickets = [message for block in generator.ticket_messages(30, seed=2) for message in block]
    send(broker, settings, tickets[:20])
    job.run(settings, broker, once=True, spark=spark)
    send(broker, settings, tickets[20:])

    waiting = reconcile.prove(settings, broker)
    job.run(settings, broker, once=True, spark=spark)

    assert (waiting.exit_code, waiting.pending, waiting.stored) == (2, 10, 20)
    assert reconcile.prove(settings, broker).exit_code == 0


@pytest.fixture
def copy(drained: Drained, tmp_path: Path) -> Settings:
    """A copy of the drained data folder, to be damaged."""
    shutil.copytree(drained.settings.data_dir, tmp_path / "copie")
    return drained.settings.model_copy(update={"data_dir": tmp_path / "copie"})


def test_a_deleted_file_is_lost_offsets(copy: Settings, broker: Broker):
    """The proof was fine a moment ago; nobody's word is taken for it."""
    [*_, victim] = sorted(copy.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"))
    gone = _offsets(victim)
    victim.unlink()

    proof = reconcile.prove(copy, broker)

    assert (proof.exit_code, proof.lost, proof.twice) == (1, len(gone), 0)
    assert _named(proof, "lost") == gone


def test_a_copied_file_is_offsets_twice(copy: Settings, broker: Broker):
    """Wherever the copy lies, and the file is named."""
    original = min(copy.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"))
    elsewhere = copy.tickets_dir / "ingest_date=2020-02-02" / "batch=999" / "copy.parquet"
    elsewhere.parent.mkdir(parents=True)
    shutil.copy(original, elsewhere)

    proof = reconcile.prove(copy, broker)

    assert (proof.exit_code, proof.lost) == (1, 0)
    assert _named(proof, "twice") == _offsets(original)
    assert "tickets/ingest_date=2020-02-02/batch=999/copy.parquet" in proof.files_with_twice


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_a_damaged_file_is_named(copy: Settings, broker: Broker, how: str):
    """A file that was reconciled before is read again: cut short, or one byte of an offset changed."""
    victim = max(copy.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"), key=lambda path: path.stat().st_size)
    gone, content = _offsets(victim), victim.read_bytes()
    if how == "cut":
        victim.write_bytes(content[: len(content) // 2])
    else:
        _flip_a_byte(victim, "kafka_offset")

    proof = reconcile.prove(copy, broker)

    assert proof.exit_code == 1
    assert proof.unreadable == [str(victim.relative_to(copy.lake_dir))]
    assert _named(proof, "lost") == gone


def test_damage_outside_the_offsets_is_found_in_full(copy: Settings, broker: Broker):
    """The quick look reads two columns; `--full` decodes them all."""
    victim = max(copy.tickets_dir.glob("ingest_date=*/batch=*/*.parquet"), key=lambda path: path.stat().st_size)
    _flip_a_byte(victim, "request")

    assert reconcile.prove(copy, broker).exit_code == 0
    assert reconcile.prove(copy, broker, full=True).unreadable == [str(victim.relative_to(copy.lake_dir))]


def test_the_command_names_the_offsets_and_exits_1(copy: Settings, broker: Broker):
    """`indutech reconcile --json`, as a script would call it."""
    victim = min(copy.quarantine_dir.glob("ingest_date=*/batch=*/*.parquet"))
    gone = _offsets(victim)
    victim.unlink()

    ran = subprocess.run([_indutech(), "reconcile", "--json"], env=_environment(copy), capture_output=True, text=True)

    told = json.loads(ran.stdout)
    assert (ran.returncode, told["lost"], told["looked"]) == (1, len(gone), "ranges")
    wanted = {"acknowledged", "stored", "quarantined", "lost", "twice", "pending", "gaps", "duplicate_tickets"}
    assert wanted | {"partitions", "looked"} <= told.keys()


def test_sigterm_ends_the_stream_in_order(broker: Broker, new_settings):
    """Exit 0 in bounded time, what was stored is committed, and no JVM is left."""
    settings = new_settings("sigterm", trigger_s=0)
    tickets = [message for block in generator.ticket_messages(500, seed=4) for message in block]
    send(broker, settings, tickets)
    process = subprocess.Popen(
        [_indutech(), "stream", "--json"],
        env=_environment(settings),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not settings.metrics_file.exists():
            assert time.monotonic() < deadline, "no micro-batch was committed"
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert json.loads(told)["stored"] == 500
    assert json.loads(told)["stopped_by_user"]
    assert reconcile.prove(settings, broker).exit_code == 0
    deadline = time.monotonic() + 20
    while _alive_in_session(process.pid):
        assert time.monotonic() < deadline, "its JVM is still there"
        time.sleep(0.1)


def _rows(reader: str, folder: Path, spark: SparkSession) -> pd.DataFrame:
    if reader == "duckdb":
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT * FROM '{folder}/ingest_date=*/batch=*/*.parquet'").df()
    if reader == "pandas":
        return pd.read_parquet(folder)
    return spark.read.parquet(str(folder)).toPandas()


def _flip_a_byte(file: Path, name: str) -> None:
    """Change one byte in the middle of a column's pages."""
    group = pq.read_metadata(file).row_group(0)
    column = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == name)
    start = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
    content = bytearray(file.read_bytes())
    content[start + column.total_compressed_size // 2] ^= 0xFF
    file.write_bytes(content)


def _alive_in_session(session: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _offsets(file: Path) -> set[Place]:
    table = pq.ParquetFile(file).read(columns=["kafka_partition", "kafka_offset"])
    return set(zip(table["kafka_partition"].to_pylist(), table["kafka_offset"].to_pylist(), strict=True))


def _named(proof: reconcile.Proof, what: str) -> set[Place]:
    return {
        (part.partition, offset)
        for part in proof.partitions
        for first, last in getattr(part, what)
        for offset in range(first, last + 1)
    }


def _indutech() -> str:
    return str(Path(sys.executable).with_name("indutech"))


def _environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
        "KAFKA_TOPIC": settings.topic,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
        "INDUTECH_TRIGGER_S": str(settings.trigger_s),
    }
