"""Stream and store are killed with SIGKILL and the lake is compacted in between: exact for every reader, on any store.

The short run is on the embedded S3 server; `make faults` makes the long one on a folder, on it, and on S3Proxy, a
server of other authors, because two programs that agree say more about S3 than one.
"""

import glob
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pytest
from bench.s3_gate import gate_before
from pydantic import SecretStr
from pyspark.sql import SparkSession

from indutech.kafka.broker import Broker
from indutech.lake import compaction
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.store import connection, files
from indutech.lake.store import spark as store_for_spark
from indutech.lake.writer_lock import sole_writer
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system.settings import Settings
from indutech.tickets import generator
from tests.processes import running
from tests.s3_proxy import s3_proxy
from tests.topics_filled import Place, send

pytestmark = [pytest.mark.timeout(1200)]

BAD_EVERY = 500
READERS = ("DuckDB", "pyarrow", "pandas", "Spark")
RUNS = """
from indutech.kafka import broker
from indutech.lake.store import connection
from indutech.stream import job
from indutech.system.settings import Settings
with connection.connected(Settings(_env_file=None)) as settings, broker.connected(settings) as answering:
    job.run(settings, answering, once=True)
"""


@dataclass
class Store:
    """A lake's place, and what kills the server that holds it."""

    settings: Settings
    kill_server: Callable[[], None] = field(default=lambda: None)


@contextmanager
def a_store(kind: str, base: Settings) -> Iterator[Store]:
    """A place for a lake: a folder, the embedded server, or S3Proxy."""
    name = base.data_dir.name.encode("ascii", "ignore").decode().replace(" ", "-").lower()[:40].strip("-")
    if kind == "folder":
        yield Store(base)
    elif kind == "seaweedfs":
        # The bucket's name is new each time: the JVM of the session keeps its clients by it.
        with connection.connected(base.model_copy(update={"lake_uri": f"s3a://{name}-{os.getpid()}/lake"})) as reached:

            def kill() -> None:
                os.kill(connection.status(base).pid, signal.SIGKILL)  # its supervisor starts it again

            yield Store(reached, kill)
    else:
        with s3_proxy(f"{name}-{os.getpid()}") as proxy:
            reached = base.model_copy(
                update={
                    "lake_uri": f"s3a://{proxy.bucket}/lake",
                    "s3_endpoint": proxy.endpoint,
                    "aws_access_key_id": proxy.key,
                    "aws_secret_access_key": SecretStr(proxy.secret),
                }
            )
            yield Store(reached, proxy.kill_and_start)


@dataclass(frozen=True)
class Plan:
    """How much is sent, and how often it is killed."""

    tickets: int
    batch: int
    kills: int


SHORT = Plan(tickets=1_500, batch=250, kills=1)
LONG = Plan(tickets=100_000, batch=4_000, kills=5)
CASES = [
    pytest.param("seaweedfs", SHORT, id="short-seaweedfs"),
    *(
        pytest.param(kind, LONG, id=f"long-{kind}", marks=pytest.mark.faults)
        for kind in ("folder", "seaweedfs", "s3proxy")
    ),
]


@pytest.mark.parametrize(("kind", "plan"), CASES)
def test_killed_again_and_again_every_reader_sees_each_offset_once(
    kind: str, plan: Plan, broker: Broker, new_settings: Callable[..., Settings], spark: SparkSession
) -> None:
    """SIGKILL of the stream at random moments, of the store in the middle of a write, and one compaction."""
    draws = random.Random(7)  # noqa: S311 - moments of death, repeatable
    base = new_settings(f"stores-{kind}-{plan.tickets}", max_batch_tickets=plan.batch)
    messages = [message for block in generator.ticket_messages(plan.tickets, seed=9) for message in block]
    cut = [(key, value[:-9] if i % BAD_EVERY == 0 else value) for i, (key, value) in enumerate(messages)]
    places = send(broker, base, cut)
    bad = set(places[::BAD_EVERY])
    with a_store(kind, base) as store:
        settings = store.settings
        for kill in range(plan.kills):
            enough = _committed(settings) + (1 if plan is SHORT else 3)
            with running(settings, "-c", RUNS):
                _wait_for(lambda enough=enough: _committed(settings) >= enough)
                if kill == plan.kills // 2:
                    store.kill_server()
                time.sleep(draws.uniform(0, 1))  # not a wait for something: the random moment of death
        before = _committed(settings)
        with sole_writer(settings):
            compaction.finish_interrupted(settings)
            compaction.compact(settings, open_day_too=True)

        job.run(settings, broker, once=True, spark=spark)

        assert _committed(settings) > before
        proof = reconcile.prove(settings, broker, full=True)
        assert (proof.lost, proof.twice, proof.pending, proof.unreadable) == (0, 0, 0, [])
        assert (proof.stored, proof.quarantined) == (plan.tickets - len(bad), len(bad))
        for rows, expected in (("tickets", set(places) - bad), ("quarantine", bad)):
            for reader in READERS:
                seen = _places(reader, settings, rows, spark)
                assert len(seen) == len(expected), reader
                assert set(seen) == expected, reader


@pytest.mark.faults
def test_a_store_that_answers_503_for_20_seconds_costs_only_time(
    broker: Broker, new_settings: Callable[..., Settings], spark: SparkSession
) -> None:
    """In the middle of a drain, to Spark as to Python; the stream goes on by itself, and everything is there once."""
    base = new_settings("out-of-order", max_batch_tickets=500)
    places = send(broker, base, [message for block in generator.ticket_messages(3_000, seed=4) for message in block])
    with a_store("seaweedfs", base) as store, gate_before(str(store.settings.s3_endpoint)) as gate:
        settings = store.settings.model_copy(update={"s3_endpoint": gate.endpoint})

        def out_of_order() -> None:
            _wait_for(lambda: _committed(settings) >= 1)
            gate.refuse_for(20)

        with ThreadPoolExecutor(1) as beside:
            trouble = beside.submit(out_of_order)
            job.run(settings, broker, once=True, spark=spark)
            trouble.result()

        assert gate.refused > 0
        proof = reconcile.prove(settings, broker, full=True)
        assert (proof.stored, proof.lost, proof.twice, proof.pending) == (len(places), 0, 0, 0)


@pytest.mark.faults
def test_a_store_that_stays_away_ends_the_stream_with_one_sentence(
    broker: Broker, new_settings: Callable[..., Settings], spark: SparkSession
) -> None:
    """Within minutes, not hours; the next start, with the store back, stores the rest once."""
    base = new_settings("away", max_batch_tickets=500)
    places = send(broker, base, [message for block in generator.ticket_messages(3_000, seed=4) for message in block])
    with a_store("seaweedfs", base) as store, gate_before(str(store.settings.s3_endpoint)) as gate:
        settings = store.settings.model_copy(update={"s3_endpoint": gate.endpoint})

        def gone() -> None:
            _wait_for(lambda: _committed(settings) >= 1)
            gate.refuse_for(3600)

        began = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            trouble = beside.submit(gone)
            with pytest.raises(job.StreamFailed, match="Nothing is lost: what was not committed is done again"):
                job.run(settings, broker, once=True, spark=spark)
            trouble.result()
        assert time.monotonic() - began < 400

        gate.refuse_for(0)
        job.run(settings, broker, once=True, spark=spark)
        proof = reconcile.prove(settings, broker, full=True)
        assert (proof.stored, proof.lost, proof.twice, proof.pending) == (len(places), 0, 0, 0)


def _committed(settings: Settings) -> int:
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    return -1 if newest is None else newest


def _wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the stream did not get going"
        time.sleep(0.02)


def _places(reader: str, settings: Settings, rows: str, spark: SparkSession) -> list[Place]:
    """What a reader that knows nothing of this project finds by the folder's name."""
    columns = ["kafka_partition", "kafka_offset"]
    place = files.root(settings) / rows
    where, system = (str(place), None) if isinstance(place, Path) else (place.in_bucket, place.bucket.columns)
    if reader == "DuckDB":
        with files.duckdb_for([place]) as connected:
            pattern = f"{glob.escape(str(place))}/ingest_date=*/batch=*/*.parquet"
            return connected.execute(f"SELECT {', '.join(columns)} FROM read_parquet(?)", [pattern]).fetchall()
    if reader == "pyarrow":
        table = ds.dataset(where, format="parquet", partitioning="hive", filesystem=system).to_table(columns=columns)
        return list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    if reader == "pandas":
        frame = pd.read_parquet(where, columns=columns, filesystem=system)
        return list(zip(frame["kafka_partition"], frame["kafka_offset"], strict=True))
    store_for_spark.reach(spark, settings)
    found = spark.read.parquet(where if system is None else f"s3a://{where}")
    return [tuple(row) for row in found.select(*columns).collect()]
