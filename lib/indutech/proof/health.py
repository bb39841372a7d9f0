"""The health check of a container: does the broker answer, and does a part of the pipeline run?"""

import urllib.error
import urllib.request
from enum import StrEnum

from indutech.kafka import broker as brokers
from indutech.lake.store import bucket, connection
from indutech.system import leases
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

ANSWERS_WITHIN_S = 5.0
LAB = "http://127.0.0.1:8888/api"  # the one address of JupyterLab that asks for no token


class Part(StrEnum):
    """A part of the pipeline that runs until it is stopped."""

    PRODUCER = "producer"
    STREAM = "stream"
    LAB = "lab"
    SPARK = "spark"
    LAKE = "lake"


class Unhealthy(InduTechError):
    """A part does not run, or cannot do its work."""


def check(settings: Settings, part: Part | None) -> None:
    """Return if the broker answers and the part runs; JupyterLab, a Spark master and the lake's store need no broker.

    Raises:
        Unhealthy: the process of that part is gone, or JupyterLab does not answer.
        BrokerNotReady: the broker does not answer, or not to us.
        ClusterNotReady: no Spark master answers where SPARK_MASTER says.
        StoreNotReady: nobody answers for the lake's bucket; also StoreRefused and BucketMissing.
    """
    if part is Part.LAB:
        _ask_lab()
        return
    if part is Part.SPARK:
        from indutech.stream import cluster  # it needs Spark's package, which takes half a second to import

        cluster.refuse_without_master(settings)
        return
    if part is Part.LAKE:
        if settings.lake_bucket:
            bucket.of(connection.known(settings), ANSWERS_WITHIN_S).probe()
        return
    if part is Part.PRODUCER and not leases.holders(settings.audit_file.parent / "producers"):
        raise Unhealthy(f"No producer runs in {settings.data_dir}.")
    if part is Part.STREAM and not leases.is_locked(settings.writer_lock):
        raise Unhealthy(f"No stream runs in {settings.data_dir}.")
    timeouts = {"broker_timeout_s": min(ANSWERS_WITHIN_S, settings.broker_timeout_s)}
    if settings.bootstrap_servers:
        with brokers.connected(settings.model_copy(update=timeouts)):
            return
    if not brokers.status(settings).running:  # a health check must not start one
        raise Unhealthy(f"No embedded broker runs in {settings.broker_dir}.")


def _ask_lab() -> None:
    try:
        urllib.request.urlopen(LAB, timeout=ANSWERS_WITHIN_S).close()
    except (urllib.error.URLError, OSError) as error:
        raise Unhealthy(f"JupyterLab does not answer at {LAB} ({error}).") from error
