"""The progress display of every command: one line that moves on a terminal; elsewhere only lines for finished steps.

It knows nothing of what is counted: the caller passes a function that returns the present `Position`.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from indutech.system import signals

REFRESHES_PER_S = 10
WIDEST_BAR = 40
STOPPING = "Stopping; Ctrl-C again leaves at once"


@dataclass(frozen=True)
class Position:
    """How far a piece of work is; without a `unit` there is no count, and without a `total` no bar."""

    text: str
    done: int = 0
    total: int | None = None
    unit: str = ""

    @property
    def count(self) -> str:
        """How much is done, and of how much."""
        if not self.unit:
            return ""
        return f"{self.done:,}{'' if self.total is None else f'/{self.total:,}'} {self.unit}"


def on_terminal() -> bool:
    """Tell whether somebody can watch a line move."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def shown(look: Callable[[], Position], *, wanted: bool = True) -> Iterator[Callable[[str], None]]:
    """Show on stderr what `look` returns while the block runs, and give a function that writes a line of its own.

    `look` is called in another thread, so it must be quick and must not raise. With `wanted` false nothing is written.
    """
    if not wanted:
        yield lambda _line: None
    elif not on_terminal():
        yield lambda line: print(line, file=sys.stderr, flush=True)
    else:
        began = time.monotonic()
        spinner = Spinner("dots")
        # A descriptor of its own, because stderr points at a file while Spark's JVM starts.
        with os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding) as terminal:
            live = Live(
                console=Console(file=terminal),
                get_renderable=lambda: _line(look(), spinner, time.monotonic() - began),
                refresh_per_second=REFRESHES_PER_S,
                transient=True,
            )
            with live:
                yield lambda line: live.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _line(position: Position, spinner: Spinner, seconds: float) -> Table:
    line = Table.grid(padding=(0, 1))
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    cells: list[RenderableType] = [spinner, Text(STOPPING if signals.is_stopping() else position.text)]
    if position.total:
        line.add_column(max_width=WIDEST_BAR, min_width=8)
        cells.append(ProgressBar(total=position.total, completed=min(position.done, position.total)))
    for text in filter(None, (position.count, str(timedelta(seconds=int(seconds))))):
        line.add_column(no_wrap=True, style="cyan")
        cells.append(Text(text))
    line.add_row(*cells)
    return line
