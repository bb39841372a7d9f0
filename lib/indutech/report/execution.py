"""Executes notebooks with papermill, in order, with a data folder and a topic of their own."""

import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indutech.report.parameters import refuse_unknown
from indutech.system import progress
from indutech.system.errors import InduTechError
from indutech.system.progress import Position
from indutech.system.settings import PROJECT, Settings
from indutech.system.signals import interruptible, is_stopping

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


class _Watcher:
    """Follows a run over `cells` (notebook name → number of cells) and remembers the cell that is running."""

    def __init__(self, cells: Mapping[str, int]) -> None:
        self._cells = cells
        self._name = ""
        self._finished = 0
        self.cell_index = 0
        self.cell_source = ""

    def look(self) -> Position:
        """Which cell of which notebook is running, and how many are done."""
        if not self._name:
            return Position("Starting")
        here = min(self.cell_index, self._cells[self._name] - 1)
        text = f"{self._where()} cell {here + 1}/{self._cells[self._name]}"
        return Position(text, self._finished + here, sum(self._cells.values()), "cells")

    def notebook(self, name: str) -> None:
        """A notebook starts."""
        self.cell_index, self.cell_source = 0, ""
        self._name = name

    def cell(self, cell: Any, cell_index: int) -> None:
        """A cell starts; papermill calls this.

        Raises:
            KeyboardInterrupt: a signal came at a moment at which Python could not raise it.
        """
        if is_stopping():
            raise KeyboardInterrupt
        self.cell_index, self.cell_source = cell_index, str(cell.source)

    def notebook_done(self, seconds: float) -> str:
        """The notebook ran to its end; return the line that says so."""
        count = self._cells[self._name]
        self._finished += count
        self.cell_index = 0
        return f"{self._where()}  {count} cells in {seconds:.0f} s"

    def _where(self) -> str:
        return f"[{list(self._cells).index(self._name) + 1}/{len(self._cells)}] {self._name}"


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
            INDUTECH_PRODUCT="tickets",  # what the notebooks are about, whatever somebody's settings name
            INDUTECH_LAKE_URI=str(folder / "lake"),  # not in a bucket that somebody's settings name
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
    watcher = _Watcher({notebook.stem: _cell_count(notebook) for notebook in notebooks})
    with interruptible(), progress.shown(watcher.look, wanted=show_progress) as say:
        for notebook in notebooks:
            own = {name: value for name, value in parameters.items() if name in declared[notebook]}
            done.append(_run(notebook, into / notebook.name, own, watcher))
            say(watcher.notebook_done(done[-1].seconds))
    return done


def declared_parameters(notebook: Path) -> list[str]:
    """Names that the cell tagged `parameters` assigns."""
    import papermill

    return list(papermill.inspect_notebook(str(notebook)))


def _run(notebook: Path, executed: Path, parameters: Mapping[str, object], watcher: _Watcher) -> Executed:
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
    return Executed(notebook, executed, time.monotonic() - started)


def _stopped(notebook: Path, executed: Path, watcher: _Watcher, cause: str) -> NotebookFailed:
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
