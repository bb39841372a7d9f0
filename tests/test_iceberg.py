"""The Iceberg view: whole micro-batches, published once, without a copy, and pinned snapshots survive a compaction."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.table import StaticTable

from indutech.lake import compaction, iceberg, layout
from indutech.lake.iceberg import CannotPublish
from indutech.stream.publishing import published
from indutech.system.settings import Settings
from indutech.tickets.schema import LAKE
from tests import lakes

PER_BATCH = 10


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder of its own, with a space and an accent."""
    return Settings(_env_file=None, data_dir=tmp_path / "données à part")


def write_batch(settings: Settings, batch: int, day: str, *, commit: bool = True) -> None:
    """One micro-batch as the stream leaves it: tickets in two files, one message in the quarantine."""
    first = batch * PER_BATCH
    for part, offsets in enumerate([range(first, first + 5), range(first + 5, first + 9)]):
        write_file(settings, "tickets", day, batch, part, list(offsets))
    write_file(settings, "quarantine", day, batch, 0, [first + 9])
    (lakes.commit if commit else lakes.plan)(settings, batch, {0: first + PER_BATCH})


def write_file(settings: Settings, kind: layout.Kind, day: str, batch: int, part: int, offsets: list[int]) -> None:
    """One file of a micro-batch, with all columns of the lake."""
    folder = layout.root(settings, kind) / f"ingest_date={day}" / f"batch={batch}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"kafka_partition": 0, "kafka_offset": offset} for offset in offsets]
    pq.write_table(pa.Table.from_pylist(rows, schema=LAKE[kind]), folder / f"part-{part}-{batch}.parquet")


def offsets(metadata: str) -> list[int]:
    """What a reader finds that has nothing but the address of the table's metadata."""
    return sorted(StaticTable.from_metadata(metadata).scan().to_arrow()["kafka_offset"].to_pylist())


def batches_of_snapshots(settings: Settings) -> list[str]:
    """The newest micro-batch of each snapshot of the tickets, as the snapshots say."""
    table = iceberg.catalog(settings).load_table("indutech.tickets")
    return [str(one.summary[iceberg.BATCH]) for one in table.snapshots() if one.summary]


def expected(batches: range) -> list[int]:
    """The offsets of the tickets of these micro-batches."""
    return [batch * PER_BATCH + n for batch in batches for n in range(9)]


def test_each_micro_batch_is_published_once(settings: Settings) -> None:
    """A call makes one snapshot; the next adds what is new, or nothing; what is not committed is not there."""
    for batch in range(3):
        write_batch(settings, batch, "2026-01-01")

    tickets, quarantine = iceberg.publish(settings)
    write_batch(settings, 3, "2026-01-01")
    write_batch(settings, 4, "2026-01-01", commit=False)
    iceberg.publish(settings)
    again = iceberg.publish(settings)

    assert (tickets.snapshots, tickets.files_added, tickets.batch) == (1, 6, 2)
    assert (quarantine.snapshots, quarantine.files_added, quarantine.batch) == (1, 3, 2)
    assert [(one.snapshots, one.files_added, one.batch) for one in again] == [(0, 0, 3), (0, 0, 3)]
    assert offsets(again[0].metadata) == expected(range(4))
    assert batches_of_snapshots(settings) == ["2", "3"]


def test_nothing_is_copied(settings: Settings) -> None:
    """The files of the table are the files of the lake, under a second name."""
    write_batch(settings, 0, "2026-01-01")
    iceberg.publish(settings)

    links = list((iceberg.folder(settings) / "files" / "tickets").rglob("*.parquet"))
    in_the_lake = {file.path.stat().st_ino for file in layout.all_files(settings, "tickets")}
    assert {link.stat().st_ino for link in links} == in_the_lake


def test_a_pinned_reader_survives_a_compaction(settings: Settings) -> None:
    """Whoever began before it finds the old files for the grace time; who begins after it finds the same offsets."""
    for batch in range(6):
        write_batch(settings, batch, "2026-01-01" if batch < 4 else "2026-01-02")
    before = iceberg.publish(settings)[0]
    pinned = StaticTable.from_metadata(before.metadata).scan()

    assert compaction.compact(settings)
    after = iceberg.publish(settings)[0]

    assert (after.snapshots, after.files_replaced, after.files_let_go) == (1, 8, 0)
    assert sorted(pinned.to_arrow()["kafka_offset"].to_pylist()) == expected(range(6))
    assert offsets(after.metadata) == expected(range(6))

    last = iceberg.publish(settings, grace=timedelta(0))[0]
    assert last.files_let_go == 8
    assert offsets(last.metadata) == expected(range(6))


PROGRAM = """
import os, signal
from pyiceberg.catalog.sql import SqlCatalog
from indutech.lake import iceberg
from indutech.system.settings import Settings

def dies_at(number, real):
    calls = []
    def dying(*given, **named):
        calls.append(given)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return dying

ends = []
for number in (1, 2, 3, 1, 2):
    if (child := os.fork()) == 0:
        if len(ends) < 3:
            os.link = dies_at(number, os.link)
        else:
            SqlCatalog.commit_table = dies_at(number, SqlCatalog.commit_table)
        iceberg.publish(Settings(_env_file=None))
        os._exit(0)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(ends)
"""


@pytest.mark.slow
def test_killed_at_any_file_it_goes_on(settings: Settings) -> None:
    """SIGKILL before three of its links, and then before each table's commit: the next call publishes the rest."""
    for batch in range(3):
        write_batch(settings, batch, "2026-01-01")
    environment = {**os.environ, "INDUTECH_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-c", PROGRAM]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert killed.stdout.strip() == str([-signal.SIGKILL] * 5), killed.stderr

    seen = iceberg.publish(settings)[0]

    assert offsets(seen.metadata) == expected(range(3))
    assert batches_of_snapshots(settings) == ["2"]


@pytest.mark.slow
def test_metadata_do_not_pile_up(settings: Settings) -> None:
    """Old snapshots go in lots, with the manifests that only they named; nothing that is left is missing."""
    for batch in range(2 * iceberg._LOT):
        write_batch(settings, batch, "2026-01-01")
        latest = iceberg.publish(settings, grace=timedelta(0))[0]

    files = list((iceberg.folder(settings) / "warehouse" / "indutech" / "tickets" / "metadata").glob("*.avro"))
    assert len(batches_of_snapshots(settings)) <= 2
    assert len(files) <= 2 * iceberg._LOT
    assert offsets(latest.metadata) == expected(range(2 * iceberg._LOT))
    assert latest.files_let_go == 0


def test_two_publishers_are_refused(settings: Settings) -> None:
    """The second one says so."""
    with iceberg._sole_publisher(settings), pytest.raises(iceberg.SecondPublisher, match="wait for it"):
        iceberg.publish(settings)


def test_a_damaged_catalogue(settings: Settings) -> None:
    """One sentence with the way out, which works; a stream that publishes ends with it, and not in silence."""
    write_batch(settings, 0, "2026-01-01")
    iceberg.folder(settings).mkdir(parents=True)
    (iceberg.folder(settings) / "catalog.db").write_bytes(b"no database" * 1000)

    with pytest.raises(CannotPublish, match="delete that folder"):
        iceberg.publish(settings)
    with pytest.raises(CannotPublish), published(settings, every_s=0.01) as failed:
        wait_for(failed)

    shutil.rmtree(iceberg.folder(settings))
    assert offsets(iceberg.publish(settings)[0].metadata) == expected(range(1))


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait with a deadline."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_stream_publishes_at_its_end(settings: Settings) -> None:
    """However long the time between two publications is, what is committed then is told."""
    with published(settings, every_s=3600):
        write_batch(settings, 0, "2026-01-01")

    assert batches_of_snapshots(settings) == ["0"]
