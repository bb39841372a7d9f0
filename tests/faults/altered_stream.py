"""`indutech stream`, altered: it dies at a given moment, or writes as it must not. Run as a program by the laboratory.

altered_stream.py ALTERATIONS stream --once
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from indutech.__main__ import main
from indutech.stream.batches import BatchWriter


def dies_before_the_first_write() -> None:
    """SIGKILL when the micro-batch is planned and nothing of it is written."""
    BatchWriter._store_valid = _dies  # type: ignore[method-assign]


def dies_between_the_two_writes() -> None:
    """SIGKILL when the tickets are written and the quarantine is not."""
    BatchWriter._store_bad = _dies  # type: ignore[method-assign]


def dies_before_the_commit() -> None:
    """SIGKILL when both are written and Spark does not know it."""
    whole = BatchWriter.__call__

    def writes_and_dies(*given: Any) -> None:
        whole(*given)
        _dies()

    BatchWriter.__call__ = writes_and_dies  # type: ignore[method-assign]


def appends() -> None:
    """The mutant: a micro-batch that is run again stands beside what its first run wrote, as with any append."""
    write = BatchWriter._write

    def append(self: BatchWriter, rows: Any, kind: Any, batch: int, mode: Any = "append") -> None:
        write(self, rows, kind, batch, mode="append")

    BatchWriter._write = append  # type: ignore[method-assign]


def skips_a_partition() -> None:
    """The other mutant: one partition of a micro-batch is forgotten, as by a consumer that commits too early."""
    write = BatchWriter._write

    def forgetful(self: BatchWriter, rows: Any, kind: Any, batch: int, mode: Any = "overwrite") -> None:
        write(self, rows.where("kafka_partition <> 1"), kind, batch, mode)

    BatchWriter._write = forgetful  # type: ignore[method-assign]


def _dies(*_: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


ALTERATIONS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        dies_before_the_first_write,
        dies_between_the_two_writes,
        dies_before_the_commit,
        appends,
        skips_a_partition,
    )
}

if __name__ == "__main__":
    for name in sys.argv.pop(1).split(","):
        ALTERATIONS[name]()
    main()
