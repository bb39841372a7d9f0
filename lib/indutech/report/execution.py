"""Executes notebooks with papermill, in order, with a data folder and a topic of their own."""

import json
import logging
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

from indutech.report.parameters import refuse_unknown
from indutech.system.errors import InduTechError
from indutech.system.progress import Watcher
from indutech.system.settings import PROJECT, Settings

NOTEBOOKS = PROJECT / "notebooks"
CELL_DEADLINE_S = 900


class NotebookFailed(InduTechError):
    """A notebook stopped: the message names it, the cell and the cause, and where the executed copy is."""


@dataclass(frozen=True)
class Executed:
    """A notebook that ran to its end."""

    source: Path
    path: Path
    seconds: float


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks of a folder, `NN_name.ipynb`, in the order of their numbers."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


@contextmanager
def room(name: str, base: Settings | None = None) -> Iterator[Settings]:
    """Settings with an empty data folder and a topic that nobody else uses; kernels started meanwhile see the same.

    The folder stays for inspection until a room of that name is asked for again.

    Raises:
        InduTechError: a room of that name is in use.
    """
    base = base or Settings()
    folder = base.data_dir / "runs" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f"{name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InduTechError(f"Another `{name}` run is using {folder}. Wait for it to end, or stop it.") from None
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with _environment(
            INDUTECH_DATA_DIR=str(folder),
            KAFKA_TOPIC=f"{base.topic}-{name}-{secrets.token_hex(4)}",
            JUPYTER_PREFER_ENV_PATH="1",  # the kernel of this environment, not one named python3 in someone's home
            PYDEVD_DISABLE_FILE_VALIDATION="1",  # ipykernel's debugger warns on stderr otherwise
        ):
            yield Settings()
    finally:
        lock.release()


def run_all(
    notebooks: Sequence[Path], into: Path, parameters: Mapping[str, object] | None = None, show_progress: bool = True
) -> list[Executed]:
    """Run notebooks one after the other, each in a kernel of its own, and keep the executed copies in `into`.

    Each parameter goes to the notebooks that declare it. The caller holds the broker.

    Raises:
        NotebookFailed: a cell failed, took more than 15 minutes, or lost its kernel; later notebooks are not run.
        ParameterError: no notebook declares a parameter.
    """
    parameters = parameters or {}
    declared = {notebook: declared_parameters(notebook) for notebook in notebooks}
    refuse_unknown(parameters, {name for names in declared.values() for name in names})
    into.mkdir(parents=True, exist_ok=True)
    done = []
    with Watcher({notebook.stem: _cell_count(notebook) for notebook in notebooks}, show_progress) as watcher:
        for notebook in notebooks:
            own = {name: value for name, value in parameters.items() if name in declared[notebook]}
            done.append(_run(notebook, into / notebook.name, own, watcher))
    return done


def declared_parameters(notebook: Path) -> list[str]:
    """Names that the cell tagged `parameters` assigns."""
    import papermill

    return list(papermill.inspect_notebook(str(notebook)))


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C does, so that kernels, Spark and broker are stopped on the way out."""

    def leave(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(notebook: Path, executed: Path, parameters: Mapping[str, object], watcher: Watcher) -> Executed:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    for noisy in ("papermill", "asyncio"):  # they repeat at length what NotebookFailed says in three lines
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    started = time.monotonic()
    watcher.notebook(notebook.stem)
    try:
        papermill.execute_notebook(
            str(notebook),
            str(executed),
            parameters=dict(parameters),
            kernel_name="python3",
            cwd=str(notebook.parent),
            progress_bar=False,
            execution_timeout=CELL_DEADLINE_S,
            on_cell_start=watcher.cell,
            extra_arguments=["--log-level=50"],  # a kernel that is asked to stop calls that an error
            config=Config(KernelManager={"transport_encryption": "auto"}),  # plain TCP gets a warning on stderr
        )
    except papermill.PapermillExecutionError as error:
        cause = f"{error.ename}: {error.evalue}".strip(": ")
        raise _failure(notebook, executed, error.cell_index, error.source, cause) from None
    except CellTimeoutError:
        raise _stopped(notebook, executed, watcher, f"it ran for more than {CELL_DEADLINE_S // 60} minutes") from None
    except DeadKernelError:
        raise _stopped(notebook, executed, watcher, "its kernel died, perhaps for want of memory") from None
    watcher.notebook_done()
    return Executed(notebook, executed, time.monotonic() - started)


def _stopped(notebook: Path, executed: Path, watcher: Watcher, cause: str) -> NotebookFailed:
    return _failure(notebook, executed, watcher.cell_index, watcher.cell_source, cause)


def _failure(notebook: Path, executed: Path, index: int, source: str, cause: str) -> NotebookFailed:
    first_line = next((line for line in source.splitlines() if line.strip()), "")
    where = f"{notebook.name} failed in cell {index + 1}: {first_line}"
    return NotebookFailed(f"{where}\n  {cause}\n  The executed notebook is kept: {executed}")


def _cell_count(notebook: Path) -> int:
    return len(json.loads(notebook.read_text(encoding="utf-8"))["cells"])


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before: dict[str, Any] = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
