"""The oracle catches what it is there for: mutants of the stream, and damage to a lake that was whole."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.faults.laboratory import Laboratory, ended
from tests.faults.on_messages import tickets
from tests.faults.on_programs import cut
from tests.faults.table import Fault

COUNT = 1_000


@pytest.fixture
def fault() -> Fault:
    """What the laboratory is made for."""
    return Fault(12, "the mutant", "the oracle catches it", lambda _: None)


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_the_mutant_is_caught(laboratory: Laboratory) -> None:
    """A stream that appends looks the same until it dies between its writes: then every ticket stands twice."""
    laboratory.send(cut(tickets(COUNT)))
    with laboratory.running("stream", "--once", altered="appends,dies_between_the_two_writes") as process:
        assert ended(process).code == -signal.SIGKILL
    with laboratory.running("stream", "--once", altered="appends") as process:
        assert ended(process).code == 0

    verdict = laboratory.judge()

    assert (verdict.sent, verdict.lost, verdict.twice) == (COUNT, 0, COUNT - 2)
    assert [one.partition(":")[0] for one in verdict.findings] == ["duckdb", "pyarrow", "pandas", "spark"]


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_forgetful_stream_is_caught(laboratory: Laboratory) -> None:
    """A stream that leaves out a partition reports success; the oracle names the first offset that is not there."""
    places = laboratory.send(tickets(COUNT))
    with laboratory.running("stream", "--once", altered="skips_a_partition") as process:
        assert ended(process).code == 0

    verdict = laboratory.judge()

    assert verdict.lost == sum(partition == 1 for partition, _ in places) > 0
    assert any("lost, the first partition 1, offset 0" in one for one in verdict.findings)


def _lose_a_row(file: Path) -> None:
    pq.write_table(pq.ParquetFile(file).read().slice(1), file)


def _double_a_file(file: Path) -> None:
    shutil.copy(file, file.with_name("copy.parquet"))


def _swap_two_ids(file: Path) -> None:
    rows = pq.ParquetFile(file).read()
    ids = rows["ticket_id"].to_pylist()
    swapped = [ids[1], ids[0], *ids[2:]]
    pq.write_table(rows.set_column(rows.schema.get_field_index("ticket_id"), "ticket_id", [swapped]), file)


def _invent_a_row(file: Path) -> None:
    rows = pq.ParquetFile(file).read().slice(0, 1)
    moved = rows.set_column(rows.schema.get_field_index("kafka_offset"), "kafka_offset", [[10**6]])
    pq.write_table(moved.cast(rows.schema), file.with_name("invented.parquet"))


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_each_damage_is_named(laboratory: Laboratory) -> None:
    """One row lost, a file doubled, two ids swapped, a row that nobody sent: each in a copy of a lake that is whole."""
    laboratory.send(tickets(COUNT))
    laboratory.settle()
    assert laboratory.judge().findings == []
    damages: dict[str, Callable[[Path], None]] = {
        "1 offsets lost": _lose_a_row,
        "offsets twice": _double_a_file,
        "2 rows of tickets have an id that was not sent": _swap_two_ids,
        "1 offsets never sent": _invent_a_row,
    }
    whole = laboratory.settings
    for words, damage in damages.items():
        copy = whole.data_dir.with_name(f"{whole.data_dir.name} {damage.__name__}")
        shutil.copytree(whole.data_dir, copy, ignore=shutil.ignore_patterns("*.crc"))
        laboratory.settings = whole.model_copy(update={"data_dir": copy})
        damage(min(laboratory.settings.tickets_dir.rglob("*.parquet")))

        assert any(words in one for one in laboratory.judge().findings), words
