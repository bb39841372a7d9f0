"""The stream is killed with SIGKILL where it hurts, then left to finish: every reader sees each offset exactly once."""

import random
import signal
import time
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest
from pyspark.sql import SparkSession

from indutech.kafka.broker import Broker
from indutech.lake import compaction, layout
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.writer_lock import sole_writer
from indutech.proof import reconcile
from indutech.system.settings import Settings
from indutech.tickets import generator
from tests.processes import running
from tests.topics_filled import Place, send

pytestmark = pytest.mark.timeout(1200)  # three starts of Spark, on a machine that may be busy

TICKETS = 12_000
BAD_EVERY = 1_000
BATCH = 1_500
GLOB = "ingest_date=*/batch=*/*.parquet"

# The same job as `indutech stream --once`, except that it dies where it is told to.
DIES_BETWEEN_THE_TWO_WRITES = """
import os, signal
from indutech.stream import batches
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
assert hasattr(batches.BatchWriter, "_store_bad"), "the second write has another name"
batches.BatchWriter._store_bad = die
"""
RUNS = """
from indutech.kafka import broker
from indutech.stream import job
from indutech.system.settings import Settings
settings = Settings(_env_file=None)
with broker.connected(settings) as answering:
    job.run(settings, answering, once=True)
"""


@pytest.fixture(scope="module")
def sent(broker: Broker, new_settings) -> tuple[Settings, set[Place], set[Place]]:
    """12,000 messages, one in a thousand of them cut; where the good and the bad ones landed."""
    settings = new_settings("killed", max_batch_tickets=BATCH)
    messages = [message for block in generator.ticket_messages(TICKETS, seed=3) for message in block]
    cut = [(key, value[:-9] if i % BAD_EVERY == 0 else value) for i, (key, value) in enumerate(messages)]
    places = send(broker, settings, cut)
    bad = set(places[::BAD_EVERY])
    return settings, set(places) - bad, bad


@pytest.fixture(scope="module")
def survivor(sent: tuple[Settings, set[Place], set[Place]]) -> Settings:
    """The lake after all kills, when the last start has come to its end."""
    settings = sent[0]
    draws = random.Random(11)  # noqa: S311 - moments of death, repeatable

    with running(settings, "-c", DIES_BETWEEN_THE_TWO_WRITES + RUNS) as process:
        assert process.wait(300) == -signal.SIGKILL
    assert list(settings.tickets_dir.glob(GLOB)), "it died before the first write"
    assert _committed(settings) == -1

    with running(settings, "-c", RUNS):  # once: `make faults` kills fifty times
        _wait_for(lambda: _committed(settings) >= 3)
        time.sleep(draws.uniform(0, 1))  # not a wait for something: the random moment of death

    with sole_writer(settings):
        compaction.finish_interrupted(settings)
        assert compaction.compact(settings, open_day_too=True)
    # As if the newest micro-batch had never been committed, nor a later one planned: it is run again for certain.
    newest = _committed(settings)
    (settings.checkpoint_dir / "commits" / str(newest)).unlink()
    (settings.checkpoint_dir / "offsets" / str(newest + 1)).unlink(missing_ok=True)
    assert Checkpoint(settings.checkpoint_dir).to_replay() == newest

    with running(settings, "-c", RUNS) as process:
        assert process.wait(300) == 0
    return settings


def test_lake_and_quarantine_hold_exactly_what_was_sent(survivor: Settings, broker: Broker):
    """The proof by offsets, from the files alone."""
    proof = reconcile.prove(survivor, broker, full=True)

    assert (proof.lost, proof.twice, proof.pending, proof.unreadable) == (0, 0, 0, [])
    assert proof.stored + proof.quarantined == TICKETS


@pytest.mark.parametrize("reader", ["duckdb", "pyarrow", "pandas", "spark"])
def test_every_reader_sees_each_offset_once(
    survivor: Settings, sent: tuple[Settings, set[Place], set[Place]], spark: SparkSession, reader: str
):
    """Not one reader needs to know about the stream: plain folders of Parquet."""
    for kind, expected in zip(layout.KINDS, sent[1:], strict=True):
        seen = _places(reader, layout.root(survivor, kind), spark)

        assert len(seen) == len(expected)
        assert set(seen) == expected


def test_a_compacted_batch_is_refused(survivor: Settings, broker: Broker, spark: SparkSession):
    """With more commits deleted than the newest, Spark would write merged rows again: the start says no."""
    from indutech.stream import job

    commits = survivor.checkpoint_dir / "commits"
    kept = {path: path.read_bytes() for path in commits.iterdir()}
    offsets = survivor.checkpoint_dir / "offsets"
    kept |= {path: path.read_bytes() for path in offsets.iterdir()}
    compacted = compaction._compacted_through(survivor)
    for path in [*commits.iterdir(), *offsets.iterdir()]:
        limit = compacted if path.parent == offsets else compacted - 1
        if path.name.isdigit() and int(path.name) > limit:
            path.unlink()
    try:
        with pytest.raises(compaction.BatchCompacted, match=f"micro-batch {compacted} again"):
            job.run(survivor, broker, once=True, spark=spark)
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def _committed(settings: Settings) -> int:
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    return -1 if newest is None else newest


def _wait_for(condition, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the stream did not get going"
        time.sleep(0.02)


def _places(reader: str, folder: Path, spark: SparkSession) -> list[Place]:
    columns = ["kafka_partition", "kafka_offset"]
    if reader == "duckdb":
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {', '.join(columns)} FROM '{folder}/{GLOB}'").fetchall()
    if reader == "pyarrow":
        table = ds.dataset(folder, format="parquet", partitioning="hive").to_table(columns=columns)
        return list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    if reader == "pandas":
        frame = pd.read_parquet(folder, columns=columns)
        return list(zip(frame["kafka_partition"], frame["kafka_offset"], strict=True))
    return [tuple(row) for row in spark.read.parquet(str(folder)).select(*columns).collect()]
