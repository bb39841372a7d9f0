"""Spark on a cluster: what its executors need, and what is refused before a row is lost on another machine's disk."""

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyspark
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from indutech.lake import layout
from indutech.lake.layout import Kind
from indutech.lake.store import files as lake_files
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

IN_ONE_MACHINE = "local-cluster"  # workers are processes of this machine, and end with the driver
_STANDALONE = "spark://"
_LOOPBACK = "127.0.0.1"
_UNSEEN = ("Failed to rename", "FileNotFoundException", "Mkdirs failed")  # what Spark says of files elsewhere
_EXECUTOR_WITHIN_S = 120  # a JVM starts slowly on a busy machine


class ClusterNotReady(InduTechError):
    """The Spark master of the settings cannot be used from here, or gives no executor."""


class LakeNotShared(InduTechError):
    """The executors wrote rows that are not in the driver's lake."""


def is_cluster(master: str) -> bool:
    """Tell whether executors are processes of their own."""
    return master.startswith((IN_ONE_MACHINE, _STANDALONE))


def own_address(master: str) -> str:
    """Return the address of this machine that executors reach the driver at: the loopback one for those on it."""
    if not master.startswith(_STANDALONE):
        return _LOOPBACK
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_master:
        try:
            to_master.connect(_place(master))  # sends nothing: the system only chooses the way
        except OSError as error:
            raise ClusterNotReady(_unreachable(master, str(error.strerror or error).lower())) from error
        address: str = to_master.getsockname()[0]
        return address


def for_executors(settings: Settings, jars: Sequence[Path]) -> dict[str, str]:
    """Return the configuration that only executors need; none on a local master, whose driver computes."""
    if not is_cluster(settings.spark_master):
        return {}
    if settings.spark_master.startswith(IN_ONE_MACHINE):
        to_have_the_jars = {"spark.executor.extraClassPath": os.pathsep.join(map(str, jars))}
    else:  # another machine has not got them: each executor fetches them from the driver
        to_have_the_jars = {"spark.jars": ",".join(jar.as_uri() for jar in jars)}
    return {
        **to_have_the_jars,
        "spark.executor.memory": settings.executor_memory,
        "spark.executor.extraJavaOptions": "-XX:+UseParallelGC",
        # A file written by an executor that is lost before its task commits is never moved into the lake.
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
    }


def refuse_without_master(settings: Settings) -> None:
    """Return if a master listens there: Spark itself would try for a minute, and then print pages.

    Raises:
        ClusterNotReady: with the address and the cause.
    """
    master = settings.spark_master
    if master.startswith(_STANDALONE):
        try:
            socket.create_connection(_place(master), timeout=settings.broker_timeout_s).close()
        except OSError as error:
            raise ClusterNotReady(_unreachable(master, str(error.strerror or error).lower())) from error


def wait_for_an_executor(spark: SparkSession, settings: Settings) -> None:
    """Return once an executor has registered: without one, Spark would wait for ever.

    Raises:
        ClusterNotReady: none did in time.
    """
    if not is_cluster(spark.sparkContext.master or ""):
        return
    deadline = time.monotonic() + _EXECUTOR_WITHIN_S
    context = spark.sparkContext._jsc.sc()
    while context.getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if context.isStopped() or time.monotonic() > deadline:
            spark.stop()
            raise ClusterNotReady(
                f"The Spark master {settings.spark_master} gave no executor within {_EXECUTOR_WITHIN_S} s: it has no "
                f"worker with {settings.executor_memory} of memory and a core to spare (INDUTECH_EXECUTOR_MEMORY), or "
                f"is another version than Spark {pyspark.__version__}. Start one with `indutech cluster worker`."
            )
        time.sleep(0.05)


def refuse_unseen(settings: Settings, batch: int, written: Mapping[Kind, int]) -> None:
    """Return if the files of this batch that the driver sees have just as many rows as the executors wrote.

    Called before the batch is committed, so that nothing is committed that stands on another machine's disk only.

    Raises:
        LakeNotShared: the lake is no folder that all machines share.
    """
    for kind, rows in written.items():
        files = layout.root(settings, kind).glob(f"ingest_date=*/batch={batch}/*.parquet")
        seen = sum(lake_files.metadata(file).num_rows for file in files)
        if seen != rows:
            raise LakeNotShared(
                f"{_not_shared(settings)} Of micro-batch {batch} {rows:,} {kind} were written, {seen:,} are there."
            )


@contextmanager
def refusing_unshared(settings: Settings) -> Iterator[None]:
    """Turn Spark's failure to find the files of its own executors into the sentence that says why.

    Raises:
        LakeNotShared: the lake is no folder that all machines share.
    """
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        told = str(error)
        if is_cluster(settings.spark_master) and ".spark-staging-" in told and any(sign in told for sign in _UNSEEN):
            raise LakeNotShared(_not_shared(settings)) from error
        raise


def _not_shared(settings: Settings) -> str:
    return (
        f"The folder {settings.lake_dir} is not shared by all machines of {settings.spark_master}: let "
        "INDUTECH_DATA_DIR be on one that is, under the same path."
    )


def home_with_a_work_folder(settings: Settings) -> Path:
    """Return a Spark home whose workers write into the data folder: by default they would into the package's own."""
    home, package = settings.data_dir / "spark", Path(pyspark.__file__).parent
    (home / "work").mkdir(parents=True, exist_ok=True)
    for part in ("bin", "jars", "python"):
        link = home / part
        if not link.is_symlink() or link.readlink() != package / part:
            link.unlink(missing_ok=True)
            link.symlink_to(package / part)
    return home


def _place(master: str) -> tuple[str, int]:
    host, _, port = master.removeprefix(_STANDALONE).rpartition(":")
    return host, int(port)


def _unreachable(master: str, why: str) -> str:
    return (
        f"No Spark master answers at {master} ({why}): check SPARK_MASTER, start one with `indutech cluster master`, "
        "or unset it to compute in this process."
    )
