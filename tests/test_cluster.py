"""More than one machine: executors and brokers are killed while they work, and every reader sees each offset once.

All of it runs on this machine; what differs on several is that they reach each other and share the lake's folder.
"""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import layout
from indutech.producer import produce
from indutech.proof import reconcile
from indutech.stream import cluster, session
from indutech.system.settings import Settings
from tests import clusters, lakes
from tests.test_kills import _places
from tests.topic_reader import start_cli

pytestmark = pytest.mark.timeout(1200)

READERS = ["duckdb", "pyarrow", "pandas", "spark"]
TWO_EXECUTORS = "local-cluster[2,1,1024]"
MILLION = 1_000_000


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def here(tmp_path: Path, **more: str) -> Settings:
    """Settings without a broker, for what is refused before one is asked."""
    return Settings(_env_file=None, data_dir=tmp_path, broker_timeout_s=1, **more)


def exactly(settings: Settings, broker: Broker, count: int) -> None:
    """Each offset of the topic is stored once, by the proof that reads every file."""
    proof = reconcile.prove(settings, broker, full=True)
    assert (proof.lost, proof.twice, proof.pending, proof.unreadable) == (0, 0, 0, [])
    assert (proof.acknowledged, proof.stored + proof.quarantined) == (count, count)


def each_once(settings: Settings, reader: str, spark: SparkSession, count: int) -> None:
    """A foreign reader sees so many places, all different."""
    seen = [place for kind in layout.KINDS for place in _seen(reader, layout.root(settings, kind), spark)]
    assert len(seen) == count
    assert len(set(seen)) == count


def _seen(reader: str, folder: Path, spark: SparkSession) -> list[tuple[int, int]]:
    return _places(reader, folder, spark) if folder.exists() else []


# ---- what is refused


@pytest.mark.parametrize("master", ["local[0]", "yarn", "spark://nowhere", "local-cluster[2,1]", "spark://a:1 b"])
def test_a_master_of_another_kind_is_refused(master: str) -> None:
    """With the name of the setting and the three forms that there are."""
    with pytest.raises(ValidationError, match=r"SPARK_MASTER(?s:.*)local-cluster\[WORKERS,CORES,MB\]"):
        Settings(_env_file=None, SPARK_MASTER=master)


def test_a_master_that_nobody_is_at_is_one_sentence(tmp_path: Path) -> None:
    """Spark itself would try for a minute and print pages: nothing of it is started."""
    settings = here(tmp_path, spark_master=f"spark://127.0.0.1:{free_port()}")

    with pytest.raises(cluster.ClusterNotReady, match=r"answers at spark://127.*refused.*indutech cluster master"):
        session.session(settings)


def test_rows_that_the_driver_does_not_see_are_refused(tmp_path: Path) -> None:
    """One row less than the executors wrote, or one more, and the micro-batch is not committed."""
    settings = here(tmp_path, spark_master="spark://elsewhere:7077")
    lakes.store(settings, "tickets", "2026-01-02", 7, range(10))
    lakes.store(settings, "tickets", "2026-01-03", 7, range(10, 15))
    lakes.store(settings, "tickets", "2026-01-03", 6, range(100, 120))

    cluster.refuse_unseen(settings, 7, {"tickets": 15, "quarantine": 0})
    for written in ({"tickets": 16, "quarantine": 0}, {"tickets": 14, "quarantine": 0}, {"quarantine": 1}):
        with pytest.raises(cluster.LakeNotShared, match=r"not shared.*INDUTECH_DATA_DIR.* are there"):
            cluster.refuse_unseen(settings, 7, written)


def test_a_worker_needs_a_master(tmp_path: Path) -> None:
    """The command says which setting names it, and a master says that its port is taken."""
    settings = here(tmp_path)
    worker = start_cli(settings, "cluster", "worker")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        master = start_cli(settings, "cluster", "master", "--port", str(taken.getsockname()[1]))
        assert "in use" in master.communicate(timeout=60)[1]
    assert "set it to spark://HOST:PORT" in worker.communicate(timeout=60)[1]
    assert (worker.returncode, master.returncode) == (1, 1)


# ---- a small run of both: three brokers, two executors, one of each is killed


@dataclass(frozen=True)
class Survived:
    """A lake after all kills, and what was killed."""

    settings: Settings
    broker: Broker
    count: int
    killed_broker: int
    cut: Path  # the file that the executor was writing
    summary: dict[str, int]


@pytest.fixture(scope="module")
def three(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Broker]]:
    """Three brokers of these tests' own."""
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path_factory.mktemp("trois nœuds"))
    broker = brokers.start(settings, nodes=3)
    try:
        yield settings, broker
    finally:
        pids = brokers.status(settings).pids
        assert brokers.stop(settings)
        assert not [pid for pid in pids if psutil.pid_exists(pid)]


def survive(own: Settings, broker: Broker, count: int, rate: int, stored_before: int = 0, **more: object) -> Survived:
    """Produce and stream at the same time, kill a leader and, on a cluster, an executor, and wait for the end."""
    waits = {"broker_timeout_s": 60}  # another leader is found in seconds, on a busy machine in more of them
    settings = own.model_copy(update={"bootstrap_servers": broker.bootstrap_servers, **waits, **more})
    with ExitStack() as stack:
        stream = stack.enter_context(clusters.running(settings, "stream", "--json"))
        first = count // 5 if stored_before else 0
        if first:  # the rest comes when the stream is at work, however long it takes to start
            produce.produce(settings, broker, count=first, seed=4, load=True, progress=False)
        clusters.wait_for(lambda: clusters.committed(settings) >= stored_before, 300, "micro-batch committed")
        producing = ["produce", "--count", str(count - first), "--rate", str(rate), "--seed", "5", "--load", "--json"]
        producer = stack.enter_context(clusters.running(settings, *producing))
        clusters.wait_for(lambda: clusters.in_topic(broker, settings) > first, 300, "ticket")
        victim = brokers.status(own).pids[clusters.leader(broker, settings.topic) - 1]
        assert clusters.in_topic(broker, settings) < count, "everything was sent before a broker could be killed"
        psutil.Process(victim).kill()
        cut = Path()
        if cluster.is_cluster(settings.spark_master):
            cut = clusters.kill_the_executor_that_writes(settings, after=0, seconds=300)
        said, _ = producer.communicate(timeout=600)
        assert producer.returncode == 0, said
        stored = lambda: reconcile.prove(settings, broker).pending == 0  # noqa: E731
        clusters.wait_for(lambda: stream.poll() is not None or stored(), 600, "end of the stream's work")
        stream.send_signal(signal.SIGTERM)
        said, _ = stream.communicate(timeout=120)
        assert stream.returncode == 0, said
    return Survived(settings, broker, count, victim, cut, json.loads(said.splitlines()[-1]))


@pytest.fixture(scope="module")
def survived(three: tuple[Settings, Broker]) -> Survived:
    """30,000 tickets."""
    return survive(*three, count=30_000, rate=3_000, max_batch_tickets=10_000, spark_master=TWO_EXECUTORS)


def test_three_brokers_are_one_cluster(three: tuple[Settings, Broker]) -> None:
    """Each has an address; they keep their number, and another one is refused."""
    own, broker = three
    assert len(broker.bootstrap_servers.split(",")) == len(brokers.status(own).pids) == 3
    with brokers.connected(own) as again:
        assert again == broker
    with pytest.raises(brokers.InduTechError, match="made for 3 nodes, not for 1"):
        brokers.start(own, nodes=1)


def test_producer_and_stream_went_on(survived: Survived) -> None:
    """Without another start: an executor was lost in the middle of a file, and no micro-batch was given up."""
    log = (survived.settings.log_dir / "spark.log").read_text()
    assert "Lost executor" in log
    assert not survived.cut.exists()
    assert survived.summary["stored"] == survived.count


def test_nothing_is_lost_and_nothing_twice(survived: Survived) -> None:
    """The proof by offsets, from the files alone."""
    exactly(survived.settings, survived.broker, survived.count)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_sees_each_offset_once(survived: Survived, reader: str, spark: SparkSession) -> None:
    """Plain folders of Parquet, whoever wrote them."""
    each_once(survived.settings, reader, spark, survived.count)


def test_the_killed_broker_is_back_and_has_caught_up(survived: Survived, three: tuple[Settings, Broker]) -> None:
    """Its supervisor started it again, and each partition has three copies that are up to date; two are enough."""
    in_sync = lambda: clusters.copies_in_sync(survived.broker, survived.settings.topic) == {3}  # noqa: E731
    clusters.wait_for(in_sync, 60, "third copy")
    assert survived.killed_broker not in brokers.status(three[0]).pids
    topic = topics.ensure_topic(survived.broker, survived.settings)
    assert (topic.config["min.insync.replicas"], topic.partitions) == ("2", 4)


# ---- the long runs: make faults


@pytest.fixture
def standalone(java: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts a master and workers as a user does; the master's address."""
    with ExitStack() as stack:

        def start(settings: Settings, *prefixes: tuple[str, ...]) -> str:
            port = free_port()
            stack.enter_context(clusters.running(settings, "cluster", "master", "--port", str(port)))
            place = ("127.0.0.1", port)
            clusters.wait_for(lambda: socket.socket().connect_ex(place) == 0, 60, "master")
            address = f"spark://127.0.0.1:{port}"
            of_it = settings.model_copy(update={"spark_master": address})
            for prefix in prefixes:
                stack.enter_context(clusters.running(of_it, "cluster", "worker", prefix=prefix))
            return address

        yield start


@pytest.mark.faults
@pytest.mark.parametrize("master", [TWO_EXECUTORS, "standalone"])
def test_a_million_tickets_with_an_executor_killed(
    master: str, new_settings, broker: Broker, spark: SparkSession, standalone: Callable[..., str]
) -> None:
    """Mid-batch, by SIGKILL, twice: exact for every reader."""
    settings = new_settings(f"million-{master[:5]}", max_batch_tickets=250_000)
    if master == "standalone":
        master = standalone(settings, (), ())
    settings = settings.model_copy(update={"spark_master": master})
    sent = start_cli(settings, "produce", "--count", str(MILLION), "--seed", "6", "--load")
    assert sent.wait(300) == 0
    with clusters.running(settings, "stream", "--once", "--json") as stream:
        for after in (0, 2):
            clusters.kill_the_executor_that_writes(settings, after=after, seconds=300)
        said, _ = stream.communicate(timeout=900)
    print(said)
    assert stream.returncode == 0, said
    assert (settings.log_dir / "spark.log").read_text().count("Lost executor") >= 2
    exactly(settings, broker, MILLION)
    for reader in READERS:
        each_once(settings, reader, spark, MILLION)


@pytest.mark.faults
def test_a_million_tickets_on_three_brokers_with_one_killed(
    three: tuple[Settings, Broker], tmp_path: Path, spark: SparkSession
) -> None:
    """Mid-stream, by SIGKILL: exact for every reader, and the third copy comes back."""
    broker = three[1]
    survived = survive(
        *three,
        count=MILLION,
        rate=20_000,
        stored_before=1,
        data_dir=tmp_path,
        topic="million",
        max_batch_tickets=250_000,
    )
    exactly(survived.settings, broker, MILLION)
    for reader in READERS:
        each_once(survived.settings, reader, spark, MILLION)
    clusters.wait_for(lambda: clusters.copies_in_sync(broker, "million") == {3}, 120, "third copy")


@pytest.mark.faults
@pytest.mark.parametrize("sharing", [0, 1])
def test_a_worker_that_does_not_share_the_lake_is_refused(
    sharing: int, new_settings, broker: Broker, standalone: Callable[..., str]
) -> None:
    """Its folder of that name is on another disk: alone, or beside a worker whose files are seen."""
    settings = new_settings(f"unshared-{sharing}")
    sent = start_cli(settings, "produce", "--count", "80000", "--seed", "6", "--load")
    assert sent.wait(300) == 0
    settings.lake_dir.mkdir()
    elsewhere = f'mount -t tmpfs none "{settings.lake_dir}" && exec "$@"'
    unshare = ("unshare", "--map-root-user", "--mount", "sh", "-c", elsewhere, "sh")
    master = standalone(settings, unshare, *[()] * sharing)
    with clusters.running(settings.model_copy(update={"spark_master": master}), "stream", "--once") as stream:
        said, _ = stream.communicate(timeout=400)
    print(said)
    assert stream.returncode == 1
    assert "is not shared by all machines" in said
    assert clusters.committed(settings) == 0
