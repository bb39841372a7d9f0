"""Errors that no other test causes; docs/guarantees.md lists every error with a test of it."""

from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pyspark.sql import SparkSession

from indutech.kafka import broker as brokers
from indutech.kafka import users
from indutech.kafka.broker import Broker
from indutech.lake import compaction, reset
from indutech.lake.compaction import CompactionLost
from indutech.lake.layout import DataFile, all_files
from indutech.lake.reset import StillInUse
from indutech.proof import health, history, reconcile
from indutech.proof.health import Part, Unhealthy
from indutech.proof.history import HistoryUnreadable
from indutech.proof.reconcile import NothingToProve
from indutech.stream import job
from indutech.stream.job import StreamFailed
from indutech.system.settings import Settings
from indutech.tickets import contract, mending
from indutech.tickets.contract import Ticket
from indutech.tickets.mending import UnknownField
from indutech.tickets.product import ContractUnusable
from tests import lakes
from tests.topics_filled import send


def test_nothing_was_ever_sent(broker: Broker, new_settings) -> None:
    """Without a topic there is nothing to prove."""
    with pytest.raises(NothingToProve, match=r"does not exist at .* Send some tickets first"):
        reconcile.prove(new_settings("never-made"), broker)


def test_a_broker_in_use_is_not_reset(java: Path, tmp_path: Path) -> None:
    """Its users are named, and everything stays."""
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path)
    with brokers.connected(settings), pytest.raises(StillInUse, match=r"used by process .*Nothing was deleted"):
        reset.delete(settings)

    assert settings.broker_dir.exists()


def test_spark_that_gives_up_says_why(broker: Broker, new_settings, spark: SparkSession) -> None:
    """A lake that cannot be written, here a file in the place of a folder: Spark's reason, and where its log is."""
    settings = new_settings("unwritable")
    send(broker, settings, [(b"1234", b"{}")])
    settings.lake_dir.mkdir(parents=True)
    settings.quarantine_dir.write_text("no folder")

    with pytest.raises(StreamFailed, match=r"Spark stopped: .*Nothing is lost.*spark\.log"):
        job.run(settings, broker, once=True, spark=spark)


def test_users_without_passwords(broker: Broker, new_settings) -> None:
    """The command that makes the passwords is named."""
    with pytest.raises(users.UsersRefused, match=r"no password for producer, .*`indutech broker secrets`"):
        users.prepare(broker, new_settings("no-passwords"))


def test_a_part_that_does_not_run(tmp_path: Path) -> None:
    """The part and the folder are named."""
    with pytest.raises(Unhealthy, match=f"No producer runs in {tmp_path}"):
        health.check(Settings(_env_file=None, data_dir=tmp_path), Part.PRODUCER)


def test_a_compaction_that_would_lose_rows_replaces_nothing(tmp_path: Path) -> None:
    """The offsets of the new files are compared with those of the old ones before anything moves."""
    settings = Settings(_env_file=None, data_dir=tmp_path)
    lakes.store(settings, "tickets", "2026-01-01", 0, [0, 1, 2])
    short = lakes.store(settings, "quarantine", "2026-01-01", 1, [0, 1])
    old: list[DataFile] = all_files(settings, "tickets")

    with pytest.raises(CompactionLost, match="the old files stay"):
        compaction._check("tickets", old, [short])


def test_a_field_that_the_contract_lacks() -> None:
    """The fields that there are are named."""
    with pytest.raises(UnknownField, match="no field 'colour': set one of ticket_id, client_id"):
        mending.as_json_value("colour", "red")


def test_a_field_declared_without_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to write is said."""
    monkeypatch.setitem(Ticket.model_fields, "site", FieldInfo(annotation=str))

    with pytest.raises(ContractUnusable, match=r"without a kind: write Annotated"):
        contract.PRODUCT._kind("site")


def test_a_file_that_is_no_history_of_audits(tmp_path: Path) -> None:
    """The line is named, and what to do about it."""
    file = tmp_path / "history.jsonl"
    file.write_text("dear diary\n")

    with pytest.raises(HistoryUnreadable, match=r"Line 1 of .*history\.jsonl is no audit: take the line out"):
        history.read(file, "lake", "tickets")
