"""Show where a headless run of notebooks is: one bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Watcher:
    """Follows a run over `cells` (notebook name → number of cells) and remembers the cell that is running."""

    def __init__(self, cells: Mapping[str, int], show: bool = True) -> None:
        self._cells = cells
        self._show = show
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._name = ""
        self._started = 0.0
        self._finished = 0
        self.cell_index = 0
        self.cell_source = ""

    def __enter__(self) -> "Watcher":
        if self._show and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
                TimeElapsedColumn(), console=self._console, transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task("starting", total=sum(self._cells.values()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def notebook(self, name: str) -> None:
        """A notebook starts."""
        self._name, self._started = name, time.monotonic()
        self.cell_index, self.cell_source = 0, ""
        self._update()

    def cell(self, cell: Any, cell_index: int) -> None:
        """A cell starts; papermill calls this."""
        self.cell_index, self.cell_source = cell_index, str(cell.source)
        self._update()

    def notebook_done(self) -> None:
        """The notebook ran to its end."""
        self._finished += self._cells[self._name]
        self._line(f"{self._where()}  {self._cells[self._name]} cells in {time.monotonic() - self._started:.0f} s")
        self._update()

    def _where(self) -> str:
        return f"[{list(self._cells).index(self._name) + 1}/{len(self._cells)}] {self._name}"

    def _update(self) -> None:
        if self._bar:
            here = min(self.cell_index, self._cells[self._name])
            of = f"cell {here + 1}/{self._cells[self._name]}"
            self._bar.update(self._task, description=f"{self._where()} {of}", completed=self._finished + here)

    def _line(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        elif self._show:
            print(text, file=sys.stderr, flush=True)
