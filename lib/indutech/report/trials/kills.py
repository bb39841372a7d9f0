"""Two sinks killed at the same moments, Spark's own file sink and ours, and what each leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from indutech.kafka import topics
from indutech.lake.checkpoint import Checkpoint, CheckpointDamaged
from indutech.lake.quarantine import Place
from indutech.report.trials import two_sinks
from indutech.report.trials.bench import PARTITIONS, Bench
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

HELD_PARTITION = PARTITIONS - 1
_DEADLINE_S = 180
OURS_GLOB = "ingest_date=*/batch=*/*.parquet"


class TrialFailed(InduTechError):
    """A process of the trial ended or hung where it should have been killed."""


def kill_both(bench: Bench, at: Sequence[float]) -> pd.DataFrame:
    """Start both sinks in one process and kill it with SIGKILL, once for each share of the topic in `at`.

    The last start is not killed, and comes to its end. Returns what was there after each kill.

    Raises:
        TrialFailed: a process did not come to where it was to be killed.
    """
    settings = bench.settings
    end = topics.end_offsets(bench.broker, settings.topic)[HELD_PARTITION]
    seen = []
    with ExitStack() as stack:
        # All are started at once, as standbys: starting Spark is most of the time.
        waiting = [stack.enter_context(_process(bench, number)) for number in range(len(at))]
        spark = bench.spark
        for number, (process, share) in enumerate(zip(waiting, at, strict=True), 1):
            held = Place(HELD_PARTITION, int(end * share))
            _go(process, held, settings)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(_DEADLINE_S)
            seen.append({"kill": number, **_left_behind(settings)})
        two_sinks.run(settings, bench.broker, spark)
    return pd.DataFrame(seen)


@contextmanager
def _process(bench: Bench, number: int) -> Iterator["subprocess.Popen[str]"]:
    """The two sinks as a process in a session of its own, so that its JVM dies in the same instant; dead at the end."""
    settings = bench.settings
    others = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
    environment = {
        **others,
        "KAFKA_BOOTSTRAP_SERVERS": bench.broker.bootstrap_servers,
        "KAFKA_TOPIC": settings.topic,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
        "INDUTECH_LAKE_URI": "",
        "INDUTECH_MAX_BATCH_TICKETS": str(settings.max_batch_tickets),
        "INDUTECH_DRIVER_MEMORY": "1g",
        "INDUTECH_DRIVER_OPTIONS": settings.driver_options,
    }
    log = settings.log_dir / f"two-sinks-{number}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", two_sinks.__name__],
            env=environment,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        with process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.wait(_DEADLINE_S)


def _go(process: "subprocess.Popen[str]", held: Place, settings: Settings) -> None:
    """Let it store up to the place `held`, and return once both sinks are in the middle of a file."""
    said = process.stdout.readline() if process.stdout else ""
    if said.strip() != "ready":
        raise TrialFailed(f"A process of the trial could not start: see {settings.log_dir}.")
    before = set(_uncommitted(settings))
    print(held.partition, held.offset, file=process.stdin, flush=True)
    deadline = time.monotonic() + _DEADLINE_S
    while not _in_the_middle(settings, held, before):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TrialFailed(f"A process of the trial did not come to offset {held}: see {settings.log_dir}.")
        time.sleep(0.02)


def _in_the_middle(settings: Settings, held: Place, before: Collection[Path]) -> bool:
    """Whether both sinks are at the micro-batch with `held`: all its files are written but the one that waits."""
    if not all(
        _plans(log, settings.topic, held) for log in (settings.checkpoint_dir, two_sinks.file_sink_checkpoint(settings))
    ):
        return False
    written = [path for path in _uncommitted(settings) if path not in before]
    complete = [path for path in written if is_readable(path)]
    try:
        ours = any(settings.tickets_dir.glob(".spark-staging-*/**/*.parquet"))
    except FileNotFoundError:  # the micro-batch before is just being moved
        return False
    return ours and len(written) == len(complete) + 1 == PARTITIONS


def _plans(folder: Path, topic: str, held: Place) -> bool:
    checkpoint = Checkpoint(folder)
    planned = checkpoint.last_planned()
    try:
        return planned is not None and checkpoint.end_offsets(planned, topic)[held.partition] > held.offset
    except CheckpointDamaged:  # it is being written
        return False


def _left_behind(settings: Settings) -> dict[str, int]:
    left = _uncommitted(settings)
    newest = Checkpoint(settings.checkpoint_dir).last_committed()
    committed = 0 if newest is None else newest + 1
    return {
        "micro-batches committed": committed,
        "files left by the file sink": len(left),
        "of them cut": sum(not is_readable(path) for path in left),
        "files left by ours": sum(_batch(path) >= committed for path in settings.tickets_dir.glob(OURS_GLOB)),
    }


def _batch(path: Path) -> int:
    return int(path.parent.name.removeprefix("batch="))


def _uncommitted(settings: Settings) -> list[Path]:
    """The files of the file sink that its log does not name."""
    folder = two_sinks.file_sink(settings)
    named = "".join(log.read_text() for log in folder.glob("_spark_metadata/[0-9]*"))
    return [path for path in folder.glob("*.parquet") if path.name not in named]


def is_readable(path: Path) -> bool:
    """Tell whether a Parquet file has its end, without which no reader can read any of it."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError):
        return False
    return True
