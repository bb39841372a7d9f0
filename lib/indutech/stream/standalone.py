"""Spark's own master and workers, from the Spark that is installed with the packages: for a cluster of one's own."""

import os
from pathlib import Path
from typing import NoReturn

import pyspark

from indutech.jvm.java import spark_environment
from indutech.stream import cluster
from indutech.stream.cluster import ClusterNotReady
from indutech.stream.session import without_other_sparks
from indutech.system import ports
from indutech.system.settings import Settings

_LOGGING = Path(__file__).with_name("spark.log4j2.properties")
_KEPT_S = 24 * 3600  # what applications that have ended leave on a worker


def refuse_taken(host: str, port: int) -> None:
    """Return if a master can listen there.

    Raises:
        ClusterNotReady: the address is taken, or is not this machine's.
    """
    if reason := ports.refusal(host, port):
        raise ClusterNotReady(
            f"No Spark master can listen at {host}:{port} ({reason}): name another --port, or a --host of this machine."
        )


def become_master(settings: Settings, host: str, port: int) -> NoReturn:
    """Turn this process into a Spark master; it ends by a signal."""
    arguments = ["--host", host, "--port", str(port), "--webui-port", "0"]
    _become("org.apache.spark.deploy.master.Master", settings, "spark-master", arguments)


def refuse_without_standalone(settings: Settings) -> None:
    """Return if the master of the settings is one that takes workers, and answers.

    Raises:
        ClusterNotReady: SPARK_MASTER names no standalone master, or it does not answer.
    """
    master = settings.spark_master
    if not master.startswith("spark://"):
        raise ClusterNotReady(
            f"A worker needs a master, and SPARK_MASTER is {master}: set it to spark://HOST:PORT, "
            "as `indutech cluster master` prints it."
        )
    cluster.refuse_without_master(settings)


def become_worker(settings: Settings, cores: int, memory: str) -> NoReturn:
    """Turn this process into a worker of the master of the settings; it ends by a signal."""
    master = settings.spark_master
    work = settings.data_dir / "spark" / "work"
    work.mkdir(parents=True, exist_ok=True)
    arguments = ["--host", cluster.own_address(master), "--cores", str(cores), "--memory", memory]
    arguments += ["--work-dir", str(work), "--webui-port", "0", master]
    _become("org.apache.spark.deploy.worker.Worker", settings, f"spark-worker-{os.getpid()}", arguments)


def _become(main_class: str, settings: Settings, name: str, arguments: list[str]) -> NoReturn:
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    home = Path(pyspark.__file__).parent
    options = {
        "log4j2.configurationFile": _LOGGING.as_uri(),
        "indutech.log": str(settings.log_dir / f"{name}.log"),
        # A second way in, by HTTP, that nobody here uses; and a taken port is an error, not the next one.
        "spark.master.rest.enabled": "false",
        "spark.port.maxRetries": "0",
        "spark.worker.cleanup.enabled": "true",
        "spark.worker.cleanup.appDataTtl": str(_KEPT_S),
    }
    environment = without_other_sparks() | {
        **spark_environment(),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",  # where its web page answers: on this machine only
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_DAEMON_JAVA_OPTS": " ".join(f'"-D{key}={value}"' for key, value in options.items()),
    }
    os.execve(home / "bin" / "spark-class", ["spark-class", main_class, *arguments], environment)  # noqa: S606
