"""One real Spark, local or on a cluster, quiet, in UTC, with the Kafka connector on its class path."""

import locale
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from indutech.jvm import class_data
from indutech.jvm.jars import spark_kafka_jars
from indutech.jvm.java import spark_environment
from indutech.lake.store import spark as store_for_spark
from indutech.stream import cluster
from indutech.system.settings import Settings

# Else each column that is built tells Java where in Python: half of all calls of a micro-batch.
PLAIN_COLUMNS = {"spark.python.sql.dataFrameDebugging.enabled": "false"}
_COMMIT_PROTOCOL = "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol"
LOG = "spark.log"
_LOGGING = Path(__file__).with_name("spark.log4j2.properties")

_OF_OTHER_SPARKS = (
    "SPARK_HOME",
    "SPARK_CONF_DIR",
    "SPARK_DIST_CLASSPATH",
    "SPARK_SUBMIT_OPTS",
    "SPARK_CONNECT_MODE_ENABLED",
    "SPARK_REMOTE",
    "SPARK_MASTER",
    "PYSPARK_SUBMIT_ARGS",
    "HADOOP_HOME",
    "HADOOP_CONF_DIR",
    "YARN_CONF_DIR",
)


def session(settings: Settings, app: str = "indutech", cores: int | None = None, log: str = LOG) -> SparkSession:
    """The Spark session of this process, started if there is none; with as many cores as there are, or as are said.

    `log` is the name of its log, for a process that runs beside another one in the same data folder.

    Raises:
        JavaMissing: there is no Java that Spark can run on.
        ClusterNotReady: the master does not answer, or gives no executor.
    """
    cluster.refuse_without_master(settings)
    log_file = settings.log_dir / log
    log_file.parent.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.appName(app)
    for name, value in _configuration(settings, log_file).items():
        builder = builder.config(name, value)
    if cores:
        builder = builder.master(f"local[{cores}]")
    with (
        _no_other_spark(),
        _environment_of_the_jvm(settings),
        _jvm_output_to(log_file.with_name(f"{log_file.stem}-jvm.log")),
    ):
        spark: SparkSession = builder.getOrCreate()
    cluster.wait_for_an_executor(spark, settings)
    return spark


def _configuration(settings: Settings, log: Path) -> dict[str, str]:
    java_options = [
        "-XX:+UseParallelGC",  # throughput matters here, pauses of a few ms do not
        f'"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"',
        f'"-Dindutech.log={log}"',
        *(f'"{option}"' for option in class_data.options(class_data.SPARK)),
        *settings.driver_options.split(),
    ]
    jars = spark_kafka_jars()
    return {
        "spark.master": settings.spark_master,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": " ".join(java_options),
        # Not spark.jars, which would copy each jar again at every start.
        "spark.driver.extraClassPath": os.pathsep.join(str(jar) for jar in jars),
        "spark.driver.host": cluster.own_address(settings.spark_master),
        "spark.driver.bindAddress": cluster.own_address(settings.spark_master),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **PLAIN_COLUMNS,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": (settings.data_dir / "spark-warehouse").as_uri(),
        # INT96, the default, has no statistics and no zone: DuckDB and pyarrow would each guess one.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.hadoop.parquet.compression.codec.zstd.level": "1",
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        # Spark's own, said aloud: the jars for S3 bring another one, which in a folder adds where it should replace.
        "spark.sql.sources.commitProtocolClass": _COMMIT_PROTOCOL,
        # With few dates in a batch, one open file per date is cheaper than sorting every row by date.
        "spark.sql.maxConcurrentOutputFileWriters": "16",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.sql.streaming.metricsEnabled": "false",
        **cluster.for_executors(settings, [*jars, *store_for_spark.class_path(settings)]),
    }


def without_other_sparks() -> dict[str, str]:
    """Return this process's environment without what points to another Spark or Hadoop."""
    return {name: value for name, value in os.environ.items() if name not in _OF_OTHER_SPARKS}


@contextmanager
def _no_other_spark() -> Iterator[None]:
    """Hide what points to another Spark or Hadoop while ours starts: its settings would change ours."""
    hidden = {name: os.environ.pop(name) for name in _OF_OTHER_SPARKS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _environment_of_the_jvm(settings: Settings) -> Iterator[None]:
    """Give Spark's launcher the variables that it needs, and put back those that were there once the JVM runs."""
    if SparkContext._active_spark_context is not None:
        yield
        return
    # Else Spark looks up the machine's own name, which a container without a network does not have.
    given = {**spark_environment(), "SPARK_LOCAL_IP": cluster.own_address(settings.spark_master)}
    if behind := store_for_spark.class_path(settings):
        # The end of the class path, so that its beginning, which Java's archive of classes is for, stays the same.
        given["SPARK_DIST_CLASSPATH"] = os.pathsep.join(str(jar) for jar in behind)
    if settings.spark_master.startswith(cluster.IN_ONE_MACHINE):
        given["SPARK_HOME"] = str(cluster.home_with_a_work_folder(settings))
    if locale.getpreferredencoding(False).lower().replace("-", "") != "utf8" or os.environ.get("LC_ALL", "") == "C":
        given["LC_ALL"] = "C.UTF-8"  # else the JVM cannot read folder names with accents
    before = {name: os.environ[name] for name in given if name in os.environ}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given.keys() - before:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _jvm_output_to(log: Path) -> Iterator[None]:
    """Point this process's stdout and stderr at a file while the JVM starts, because the JVM keeps what it inherits."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        for descriptor in (*saved, target):
            os.close(descriptor)
