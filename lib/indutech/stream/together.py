"""Several data products stored side by side by one Spark: one JVM, for each product a query and a session of its own.

Each has its lake, its checkpoint and its lock as ever; what they share is the memory and the start of a JVM.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from indutech.kafka.broker import Broker
from indutech.stream import job
from indutech.stream.job import StreamResult
from indutech.stream.metrics import StreamPosition
from indutech.stream.session import session
from indutech.system.settings import Settings

_LOOKS_EVERY_S = 0.1


def run(
    products: Sequence[Settings],
    broker: Broker,
    *,
    stop: Callable[[], bool] = lambda: False,
    started: Callable[[], object] = lambda: None,
) -> list[StreamResult]:
    """Store what the topics of these settings hold until `stop` returns True; `started` is called once all queries run.

    If one of them cannot go on, the others finish their micro-batch and stop too, and its error is raised.

    Raises:
        InduTechError: as `job.run` does.
    """
    positions = [StreamPosition(one, broker, asks=False) for one in products]
    running: list[Future[StreamResult]] = []

    def ending() -> bool:
        return stop() or any(one.done() for one in running)

    with ThreadPoolExecutor(len(products)) as pool:
        # In a thread: in the main one Spark would replace the process's handler of Ctrl-C with its own.
        spark = pool.submit(session, products[0]).result()
        for settings, position in zip(products, positions, strict=True):
            # A session of its own: listeners hear only of the queries of theirs.
            own = partial(
                job.run, settings, broker, spark=spark.newSession(), position=position, once=False, stop=ending
            )
            running.append(pool.submit(own))
        told = False
        while not wait(running, _LOOKS_EVERY_S, FIRST_COMPLETED).done:
            if not told and all(position.is_running for position in positions):
                started()
                told = True
    return [one.result() for one in running]
