"""The progress display: one line that fits a terminal of 80 columns; elsewhere nothing but the lines of steps."""

import io

import pytest
from rich.console import Console
from rich.spinner import Spinner

from indutech.system import progress
from indutech.system.progress import Position


def shown_at_80_columns(position: Position) -> str:
    """What the display shows of a position after 75 seconds."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(progress._line(position, Spinner("dots"), 75.4))
    return captured.get().rstrip()


@pytest.mark.parametrize(
    "position",
    [
        Position("Sending 45,678/s, 12 failed", 9_456_789, 10_000_000, "acknowledged"),
        Position("[3/5] 03_stream cell 21/27", 127, 128, "cells"),
        Position("Storing 345,678/s", 192_345_678, 202_000_000, "tickets"),
    ],
)
def test_text_bar_count_and_time_fit_one_line(position: Position) -> None:
    """Nothing wraps, nothing is cut, and the bar has room."""
    line = shown_at_80_columns(position)

    assert "\n" not in line
    assert position.text in line
    assert f"{position.done:,}/{position.total:,} {position.unit}" in line
    assert line.endswith("0:01:15")
    assert len(line) <= 80
    assert line.count("━") + line.count("╸") + line.count("╺") >= 8


def test_without_an_end_there_is_no_bar() -> None:
    """A rate without a count has a number and no total; an idle stream has its sentence alone."""
    assert shown_at_80_columns(Position("Sending 50/s", 1_234, None, "acknowledged")).endswith(
        "Sending 50/s 1,234 acknowledged 0:01:15"
    )
    assert shown_at_80_columns(Position("Waiting for tickets: 9 stored so far")).endswith("so far 0:01:15")


def test_without_a_terminal_only_steps_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The position is not even asked for; a step is one plain line; unwanted, nothing is written at all."""

    def never() -> Position:
        raise AssertionError

    with progress.shown(never) as say:
        say("[1/2] 01_architecture  20 cells in 3 s")
    with progress.shown(never, wanted=False) as say:
        say("nothing")

    assert capsys.readouterr() == ("", "[1/2] 01_architecture  20 cells in 3 s\n")
