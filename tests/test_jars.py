"""The jars are the locked ones, fetched once, and the network is not needed after that."""

import functools
import hashlib
import http.server
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.jvm import jars, maven
from indutech.jvm.jars import Jar, JarsUnavailable
from indutech.system.settings import PROJECT

CONTENT = b"not really a jar" * 1000
DEMO = Jar("org.example:demo:1.0", hashlib.sha256(CONTENT).hexdigest())


class Repository(http.server.ThreadingHTTPServer):
    """A Maven repository on this machine that writes down what it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(Answer, directory=str(folder)))
        self.asked: list[str] = []
        self.broken_answers = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def jar_downloads(self) -> int:
        """Return how often the jar itself was asked for."""
        return sum(path.endswith("/demo-1.0.jar") for path in self.asked)


class Answer(http.server.SimpleHTTPRequestHandler):
    """One answer of the repository."""

    server: Repository

    def do_GET(self) -> None:
        """Serve a file."""
        self.server.asked.append(self.path)
        self.server.may_answer.wait(20)
        super().do_GET()

    def send_header(self, keyword: str, value: str) -> None:
        """Promise more than is sent if the test wants a connection that breaks."""
        if keyword == "Content-Length" and self.server.broken_answers > 0 and self.path.endswith(".jar"):
            self.server.broken_answers -= 1
            value = str(int(value) + 1)
        super().send_header(keyword, value)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """An empty cache, and a mirror that has one jar, named in jgo's own configuration file."""
    folder = tmp_path / "mirror" / "org" / "example" / "demo" / "1.0"
    folder.mkdir(parents=True)
    (folder / "demo-1.0.jar").write_bytes(CONTENT)
    server = Repository(tmp_path / "mirror")
    configuration = tmp_path / "jgo.conf"
    configuration.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("INDUTECH_CACHE_DIR", str(tmp_path / "cache é"))
    monkeypatch.setattr(maven, "PAUSE_S", 0)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def left_in(cache: Path) -> list[str]:
    """Return the names of the files in the cache."""
    return sorted(file.name for file in cache.rglob("*") if file.is_file() and file.suffix != ".filelock")


def test_lock_names_only_coordinates_and_hashes() -> None:
    """The lock is sorted, has a SHA-256 for each jar, and says nothing about where jars come from."""
    assert "://" not in jars.LOCK_FILE.read_text("utf-8")
    for jar_set, wanted in jars.WANTED.items():
        locked = jars.locked(jar_set)
        assert locked == sorted(locked)
        assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)
        assert set(wanted) <= {jar.coordinate for jar in locked}


def test_what_a_first_start_fetches_is_counted_right() -> None:
    """The jars that `make setup` has not fetched, as documents and help say them."""
    running = " ".join((PROJECT / "docs" / "running.md").read_text("utf-8").split())
    there = {jar for jar_set in jars.ON_SETUP for jar in jars.locked(jar_set)}
    s3, connect = (set(jars.locked(jar_set)) - there for jar_set in (jars.SPARK_S3, jars.KAFKA_CONNECT))

    for command, wanted in (("erp start", connect), ("plant up", s3 | connect)):
        told = " ".join(CliRunner().invoke(app, [*command.split(), "--help"]).output.split())
        assert f"fetches {len(wanted)} jars" in told
        assert f"fetches {len(wanted)} jars" in running
    assert f"fetches {len(s3)} jars" in running


def test_connector_is_the_one_of_this_pyspark() -> None:
    """Spark's Kafka connector has the version of PySpark: another one fails at run time only."""
    [connector] = jars.WANTED[jars.SPARK_KAFKA]
    assert connector == f"org.apache.spark:spark-sql-kafka-0-10_2.13:{pyspark.__version__}"


def test_spark_gets_no_jar_twice() -> None:
    """What PySpark already brings is not added a second time."""
    bundled = {file.name for file in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    assert not bundled & {file.name for file in jars.spark_kafka_jars()}


def test_warm_cache_makes_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once everything is there, both sets come back on a machine without a network."""
    jars.main([])

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)

    assert len(jars.kafka_server_jars()) > 40
    assert all(file.is_file() for file in jars.kafka_server_jars() + jars.spark_kafka_jars())


def test_first_fetch_uses_the_users_mirror(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing jar comes from the mirror, is kept, and is not asked for again; away from a terminal, without a bar."""
    [file] = jars.fetch([DEMO])

    assert file.read_bytes() == CONTENT
    assert jars.fetch([DEMO]) == [file]
    assert repository.jar_downloads() == 1
    assert left_in(tmp_path / "cache é") == ["demo-1.0.jar", "demo-1.0.verified"]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("repository")
def test_wrong_jar_from_the_network_is_refused(tmp_path: Path) -> None:
    """A jar that is not the locked one is an error that names it, and does not enter the cache."""
    with pytest.raises(JarsUnavailable, match=DEMO.coordinate):
        jars.fetch([Jar(DEMO.coordinate, "0" * 64)])

    assert left_in(tmp_path / "cache é") == []


@pytest.mark.usefixtures("repository")
def test_damaged_jar_in_the_cache_is_refused() -> None:
    """A cached jar that changed is hashed again, and the error names the file to delete."""
    [file] = jars.fetch([DEMO])
    file.write_bytes(CONTENT[:-1])

    with pytest.raises(JarsUnavailable, match=re.escape(str(file))):
        jars.fetch([DEMO])


def test_broken_download_is_tried_again(repository: Repository) -> None:
    """A connection that breaks twice does not end the fetch, and the halves that arrived are not used."""
    repository.broken_answers = 2

    assert jars.fetch([DEMO])[0].read_bytes() == CONTENT
    assert repository.jar_downloads() == 3


def test_failed_download_leaves_nothing(repository: Repository, tmp_path: Path) -> None:
    """If the connection stays broken the error names the jar, no bad jar remains, and the next run works."""
    repository.broken_answers = 3
    with pytest.raises(JarsUnavailable, match=f"Could not download {DEMO.coordinate}"):
        jars.fetch([DEMO])
    assert left_in(tmp_path / "cache é") == []

    assert jars.fetch([DEMO])[0].read_bytes() == CONTENT


def test_two_processes_fetch_once(repository: Repository) -> None:
    """Of two cold starts at the same moment one downloads, the other waits, and both get the jar."""
    repository.may_answer.clear()
    code = f"""if True:
        from indutech.jvm import jars
        print("begins", flush=True)
        print(jars.fetch([jars.Jar{(DEMO.coordinate, DEMO.sha256)}])[0])"""
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout
        assert process.stdout.readline() == "begins\n"
    threading.Timer(0.5, repository.may_answer.set).start()  # by then the second one has seen that the jar is missing
    paths = {process.communicate(timeout=60)[0].strip() for process in both}

    assert [process.returncode for process in both] == [0, 0]
    assert len(paths) == 1
    assert repository.jar_downloads() == 1
