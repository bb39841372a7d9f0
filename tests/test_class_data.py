"""Java's archives of classes are used, belong to one Java and one class path, and are never needed."""

import lzma
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from pyspark.sql import SparkSession

from indutech.jvm import class_data, java
from indutech.jvm.class_data import BROKER, SPARK
from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.system.settings import Settings


def maps(pid: int, name: str) -> bool:
    """Whether this JVM works with the archive; one that does not fit is let go while Java starts."""
    return str(class_data.archive(name)) in {one.path for one in psutil.Process(pid).memory_maps()}


def test_spark_uses_its_archive(spark: SparkSession) -> None:
    """A class path that is not exactly the driver's would make it worth nothing."""
    assert maps(spark._jvm.java.lang.ProcessHandle.current().pid(), SPARK)


def test_the_broker_uses_its_archive(settings: Settings, broker: Broker) -> None:
    """The same of the embedded broker."""
    pid = brokers.status(settings).pid
    assert pid is not None
    assert maps(pid, BROKER)


@pytest.mark.java
def test_what_is_no_archive_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one there is no option, and with a damaged one Java starts as ever."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert class_data.options(SPARK) == []
    class_data.archive(SPARK).parent.mkdir()
    class_data.archive(SPARK).write_bytes(b"\0" * 5_000)
    assert class_data.options(SPARK) != []
    subprocess.run([java.find_java(), *class_data.options(SPARK), "-version"], check=True, capture_output=True)


@pytest.mark.java
def test_it_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made again only for another Java, other jars or another list; a short list here, which takes a second."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(class_data, "LISTS", tmp_path)
    (tmp_path / f"{BROKER}.txt.xz").write_bytes(lzma.compress(b"java/lang/Object\nkafka/Kafka\n"))
    class_data.make(BROKER)
    made = class_data.archive(BROKER).stat()
    class_data.make(BROKER)
    assert class_data.archive(BROKER).stat() == made
    assert [one.suffix for one in sorted(class_data.archive(BROKER).parent.iterdir())] == [".jsa", ".made-for"]

    (tmp_path / f"{BROKER}.txt.xz").write_bytes(lzma.compress(b"java/lang/Number\nkafka/Kafka\n"))
    class_data.make(BROKER)
    assert (other := class_data.archive(BROKER).stat()) != made
    class_data.archive(BROKER).with_suffix(".made-for").write_text("another Java")
    class_data.make(BROKER)
    assert class_data.archive(BROKER).stat() != other


@pytest.mark.java
def test_who_cannot_make_it_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make setup` does not fail for it."""
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "a file"))
    assert class_data.main() == 0
    assert "No class data of spark, which starts slower without (" in capsys.readouterr().err
