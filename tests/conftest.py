"""What several tests share: one data folder, one real broker and one real Spark for the whole session."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyspark.sql import SparkSession

from indutech.jvm.java import find_java
from indutech.kafka import broker as brokers
from indutech.kafka.broker import Broker
from indutech.stream import session as spark_sessions
from indutech.system.settings import Settings
from tests.browser import WITHOUT
from tests.faults.record import (
    pytest_report_header,
    pytest_runtest_logreport,
    pytest_sessionfinish,
    record_fault,
)
from tests.reports import written_once

# Hooks and a fixture for every test.
__all__ = ["pytest_report_header", "pytest_runtest_logreport", "pytest_sessionfinish", "record_fault"]

# What starts a Java: `make quick` leaves it out. A test has the mark if it uses the fixture, also through another one.
START_JAVA = ("broker", "spark", "java")
# The files that take longest come first: one of them alone at the end would leave a core idle.
LONGEST_FIRST = (
    "test_soak.py",
    "test_foreign_reader.py",  # 20 kills, in `make faults`
    "test_entry_commands.py",
    "test_plant.py",
    "test_cluster.py",
    "test_table_audit.py",
    "test_s3_kills.py",
    "test_pages_in_browser.py",
    "06_resilience.ipynb",
    "test_security.py",
    "test_kills.py",
    "07_hybrid.ipynb",
    "test_s3.py",
    "test_quarantine.py",
    "test_broker.py",
    "03_stream.ipynb",
    "test_pipeline.py",
    "test_book_on_paper.py",
    "test_producer.py",
    "test_faults.py",
    "test_erp_capture.py",
    "test_price_change.py",
    "test_ctrl_c.py",
    "test_transforms.py",
    "test_report.py",
    "test_route.py",
    "test_french_in_browser.py",
    "test_french_report.py",
    "test_findings.py",
    "test_jupyterlab.py",
    "04_analysis.ipynb",
    "test_mqtt.py",
    "test_another_field.py",
    "test_templates.py",
)
# Hundreds of tickets are over before Java's second compiler is done with anything: it would take half of the time.
os.environ.setdefault("INDUTECH_DRIVER_OPTIONS", "-XX:TieredStopAtLevel=1")
GIB_FOR_EACH = 5  # of the machine's memory, for a process with its broker and its Sparks
REFUSAL = "ThisTestHasNoMarkThatLetsItStartJava"


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, because each waits for what it starts; fewer with little memory."""
    room = psutil.virtual_memory().total // (GIB_FOR_EACH * 2**30)
    return max(2, min((os.cpu_count() or 1) + 1, room))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use, so that nobody has to think of it; and put the longest files first."""
    place = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))  # keeps the order within a file
    for item in items:
        for name in START_JAVA:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(name)
        if item.path.name != "test_faults.py":  # `make faults` deals out its rows, and every other file whole
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest.fixture(autouse=True)
def _no_java_without_a_mark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every Java refuse to start in a test without such a mark, whichever process starts it."""
    if not any(request.node.get_closest_marker(name) for name in START_JAVA):
        monkeypatch.setenv("JDK_JAVA_OPTIONS", f"-XX:+{REFUSAL}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what to do where a Java refused: its own words do not always reach the failure."""
    report = yield
    if report.failed and any(word in report.longreprtext for word in (REFUSAL, "JavaMissing", "need Java 17")):
        report.sections.append(("Java", "Does this test start a Java? It needs the fixture or the mark `java`."))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what a machine without a browser leaves out."""
    if any(WITHOUT in str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(WITHOUT, yellow=True)


@pytest.fixture(scope="session")
def java() -> Path:
    """The Java of this machine, for tests and fixtures that start a broker or Spark of their own."""
    return find_java()


@pytest.fixture(scope="session", autouse=True)
def _a_machine_elsewhere() -> Iterator[None]:
    """Run in another time zone, and let every JVM skip its optimising compiler: too dear for runs this short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        yield
    time.tzset()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with spaces and accents in its path, because users have those."""
    return tmp_path_factory.mktemp("données de test")


@pytest.fixture(scope="session")
def report_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The report of the committed notebooks, `report_in("fr")`: shared, so to be read and not written into."""
    return lambda lang: written_once(tmp_path_factory.getbasetemp(), lang)


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    """Settings of the session: its own folder, the embedded broker, no `.env` of the developer."""
    return Settings(_env_file=None, bootstrap_servers=None, data_dir=data_dir)


@pytest.fixture(scope="session")
def broker(settings: Settings) -> Iterator[Broker]:
    """A real broker that lives as long as the session."""
    with brokers.connected(settings) as connected:
        yield connected


@pytest.fixture(scope="session")
def spark(settings: Settings) -> Iterator[SparkSession]:
    """The project's own Spark session, started once, with what it needs for a lake in a bucket as well."""
    session = spark_sessions.session(settings.model_copy(update={"lake_uri": "s3a://any-bucket/lake"}))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def new_settings(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Settings]:
    """Settings with a topic and a data folder of their own on the session's broker: `new_settings("a-topic")`."""

    def make(topic: str, **more: Any) -> Settings:
        folder = tmp_path_factory.mktemp(f"données de {topic}")
        return Settings(
            _env_file=None, bootstrap_servers=broker.bootstrap_servers, topic=topic, data_dir=folder, **more
        )

    return make
