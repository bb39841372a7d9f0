"""Somebody reads the Iceberg tables in a loop while the stream writes, compacts and dies: never a partial batch."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from indutech.kafka.broker import Broker
from indutech.lake import compaction, iceberg
from indutech.lake.checkpoint import Checkpoint
from indutech.lake.writer_lock import sole_writer
from indutech.proof import reconcile
from indutech.stream.publishing import published
from indutech.system.settings import Settings
from tests import lakes
from tests.foreign_reader import PIN_EVERY
from tests.processes import running
from tests.test_iceberg import PER_BATCH, write_file

READER = Path(__file__).with_name("foreign_reader.py")
KILLS, SHORT_KILLS = 20, 8
LONG_RUN_S = float(os.environ.get("FOREIGN_READER_S") or 240)
SEED = int(os.environ.get("SEED") or 13)


class Reader:
    """The foreign reader as a process, and what it saw."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.stop, self._log = folder / "stop", folder / "read.jsonl"
        command = [sys.executable, READER, iceberg.folder(settings) / "catalog.db", "indutech.tickets", self.stop]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log)

    def ended(self) -> list[dict[str, Any]]:
        """Stop it, and return one line for each reading; a reading that fails ends it with a traceback."""
        self.stop.touch()
        assert self.process.wait(120) == 0, "the reader met something that it could not read"
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def readings(self) -> int:
        """How often it has read so far."""
        return self._log.read_text().count("\n")


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Callable[[Settings], Reader]]:
    """Start a reader; it is gone at the end in any case."""
    started: list[Reader] = []

    def start(settings: Settings) -> Reader:
        started.append(Reader(settings, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait(30)


def whole(seen: list[dict[str, Any]], ends: dict[int, dict[str, int]]) -> None:
    """Each reading has every offset up to the end of the micro-batch that its snapshot names, once, and no other."""
    assert [one for one in seen if one["wrong"] or one["ends"] != ends[one["batch"]]] == []
    pinned = [one for one in seen if one["pinned"]]
    assert pinned
    assert {one["batch"] for one in pinned} == {seen[0]["batch"]}
    newest = [one["batch"] for one in seen if not one["pinned"]]
    assert newest == sorted(newest), "a reader went back in time"


def write_until_killed(settings: Settings) -> None:
    """Micro-batches of two files as the stream leaves them, published beside it, compacted in between; without end."""
    compaction.finish_interrupted(settings)
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    with published(settings, every_s=0.01):
        for batch in count(0 if newest is None else newest + 1):
            lakes.plan(settings, batch, {0: (batch + 1) * PER_BATCH})
            for left in settings.tickets_dir.glob(f"*/batch={batch}"):  # of a try that was killed
                shutil.rmtree(left)
            first = batch * PER_BATCH
            for part, offsets in enumerate([range(first, first + 5), range(first + 5, first + PER_BATCH)]):
                write_file(settings, "tickets", "2026-01-01", batch, part, list(offsets))
                time.sleep(0.02)  # a micro-batch takes a moment, in which others look
            lakes.commit(settings, batch, {0: first + PER_BATCH})
            if batch % 4 == 3:
                compaction.compact(settings, open_day_too=True)


FORKS = """
import os, signal, sys, time
from indutech.lake import iceberg
from indutech.system.settings import Settings
from tests.test_foreign_reader import wait_for, write_until_killed
settings = Settings(_env_file=None)
def publications():
    return len(list(iceberg.folder(settings).glob("warehouse/indutech/tickets/metadata/*.metadata.json")))
for seconds in sys.argv[1:]:
    before = publications()
    if (child := os.fork()) == 0:
        write_until_killed(settings)
    wait_for(lambda: publications() > before + 1)
    time.sleep(float(seconds))
    os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_whole_batches_only(tmp_path: Path, reading: Callable[[Settings], Reader]) -> None:
    """The writer is killed while it writes, publishes or compacts; its files are literal ones."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "données à lire")
    draws = random.Random(SEED)  # noqa: S311 - moments of death, repeatable
    reader = reading(settings)
    command = [sys.executable, "-c", FORKS, *(f"{draws.uniform(0, 0.3):.2f}" for _ in range(SHORT_KILLS))]
    environment = {**os.environ, "INDUTECH_DATA_DIR": str(settings.data_dir), "PYTHONPATH": os.pathsep.join(sys.path)}

    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    enough = reader.readings() + PIN_EVERY
    wait_for(lambda: reader.readings() >= enough or reader.process.poll() is not None)
    seen = reader.ended()

    assert killed.stdout.split() == [str(-signal.SIGKILL)] * SHORT_KILLS, killed.stderr
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    assert newest
    whole(seen, {batch: {"0": (batch + 1) * PER_BATCH} for batch in range(newest + 1)})
    assert len({one["batch"] for one in seen}) >= 5


@pytest.mark.faults
@pytest.mark.java
@pytest.mark.timeout(LONG_RUN_S + 600)
def test_whole_batches_only_while_the_stream_dies(
    broker: Broker, new_settings: Callable[..., Settings], reading: Callable[[Settings], Reader]
) -> None:
    """The real stream publishes every second and is killed twenty times, compacted in between; tickets never stop.

    Four minutes in `make faults`; FOREIGN_READER_S=1800 makes it half an hour, with as many kills.
    """
    settings = new_settings("read-while-written", trigger_s=0.5)
    draws = random.Random(SEED)  # noqa: S311 - moments of death, repeatable
    log = EndsOfBatches(settings)
    deadline = time.monotonic() + LONG_RUN_S
    with commanded(settings, "produce", "--rate", "400", "--seed", str(SEED)) as producer, log:
        reader = reading(settings)
        for number in range(KILLS):
            until = deadline - (KILLS - 1 - number) * LONG_RUN_S / KILLS
            with commanded(settings, "stream", "--publish", "1"):
                before = log.newest()
                wait_for(lambda before=before: log.newest() > before, 120)
                # Not a wait for something: the random moment of death.
                time.sleep(max(draws.uniform(0, 2), until - time.monotonic() - draws.uniform(0, 2)))
            if number % 3 == 2:
                with sole_writer(settings):
                    compaction.compact(settings, open_day_too=True)
        os.killpg(producer.pid, signal.SIGTERM)
        assert producer.wait(60) == 0
        with commanded(settings, "stream", "--once", "--publish", "1") as last:
            assert last.wait(300) == 0
        enough = reader.readings() + PIN_EVERY
        wait_for(lambda: reader.readings() >= enough or reader.process.poll() is not None)
        seen = reader.ended()

    proof = reconcile.prove(settings, broker)
    print(f"{len(seen):,} readings of {len({one['batch'] for one in seen}):,} snapshots, {proof.sentence}")
    whole(seen, log.ends)
    assert (proof.lost, proof.twice, proof.pending) == (0, 0, 0)
    assert sum(seen[-1]["ends"].values()) == proof.stored or seen[-1]["pinned"]
    assert len(seen) > KILLS


class EndsOfBatches:
    """Remembers where each micro-batch ends: Spark's log forgets all but the last hundred."""

    def __init__(self, settings: Settings) -> None:
        self.ends: dict[int, dict[str, int]] = {}
        self._settings, self._ended = settings, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._note()

    def newest(self) -> int:
        """The newest committed micro-batch."""
        committed = Checkpoint(self._settings.checkpoint_dir).last_committed()
        return -1 if committed is None else committed

    def _look(self) -> None:
        while not self._ended.wait(1):
            self._note()

    def _note(self) -> None:
        for batch in range(max([*self.ends, -1]) + 1, self.newest() + 1):
            ends = Checkpoint(self._settings.checkpoint_dir).end_offsets(batch, self._settings.topic)
            self.ends[batch] = {str(partition): end for partition, end in ends.items() if end}


def commanded(settings: Settings, *command: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    """A command of the project, with what it prints thrown away."""
    return running(settings, "-m", "indutech", *command, "--json", stdout=subprocess.DEVNULL)


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait with a deadline."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
