"""Commands as processes, and the one among others' that is to be killed: the executor that writes a lake, a broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.readiness import asking
from indutech.lake.checkpoint import Checkpoint
from indutech.system.settings import Settings
from tests.processes import environment_of

Found = TypeVar("Found")
EXECUTORS_LISTED_EVERY_S = 0.5  # the command lines of all processes take a while


@contextmanager
def running(settings: Settings, *arguments: str, prefix: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """`indutech` with these settings, in a session of its own; it and its children are dead at the end."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "indutech", *arguments],
        env=environment_of(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        family = [process.pid]
        with suppress(psutil.NoSuchProcess):
            family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(30)


def wait_for(look: Callable[[], Found], seconds: float, what: str, every: float = 0.1) -> Found:
    """What `look` found, once it finds something; each look takes its share of what it waits for."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds} s there is still no {what}"
        time.sleep(every)
    return found


def executors() -> list[psutil.Process]:
    """The executors of every Spark of this machine."""
    found = []
    for one in psutil.process_iter(["name"]):
        with suppress(psutil.Error):
            if one.info["name"] == "java" and "org.apache.spark.executor.CoarseGrainedExecutorBackend" in one.cmdline():
                found.append(one)
    return found


def kill_the_executor_that_writes(settings: Settings, after: int, seconds: float) -> Path:
    """SIGKILL the executor that has a file of this lake open, once so many micro-batches are committed; that file."""
    wait_for(lambda: committed(settings) >= after, seconds, "micro-batch committed")

    among: list[psutil.Process] = []
    listed_at = 0.0

    def writing() -> tuple[psutil.Process, Path] | None:
        nonlocal among, listed_at
        if time.monotonic() > listed_at + EXECUTORS_LISTED_EVERY_S:
            among, listed_at = executors(), time.monotonic()
        for one in among:
            with suppress(psutil.Error):
                for file in one.open_files():
                    if Path(file.path).is_relative_to(settings.lake_dir) and file.path.endswith(".parquet"):
                        return one, Path(file.path)
        return None

    what = f"executor that writes into {settings.lake_dir}"
    victim, file = wait_for(writing, seconds, what, every=0.005)  # a file is open for a moment only
    victim.kill()
    return file


def committed(settings: Settings) -> int:
    """How many micro-batches are committed."""
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    return 0 if newest is None else newest + 1


def in_topic(broker: Broker, settings: Settings) -> int:
    """How many messages the topic holds; none if it is not there yet."""
    if topics.describe_topic(broker, settings.topic) is None:
        return 0
    return sum(topics.end_offsets(broker, settings.topic).values())


def copies_in_sync(broker: Broker, topic: str) -> set[int]:
    """How many copies the partitions of a topic have that are up to date."""
    with asking(broker) as admin:
        partitions = admin.list_topics(topic, timeout=30).topics[topic].partitions
    return {len(one.isrs) for one in partitions.values()}


def leader(broker: Broker, topic: str, partition: int = 0) -> int:
    """The number of the node that leads a partition."""
    with asking(broker) as admin:
        found: int = admin.list_topics(topic, timeout=30).topics[topic].partitions[partition].leader
    return found
