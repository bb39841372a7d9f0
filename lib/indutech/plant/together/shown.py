"""The plant as tables for a terminal, and as lines where nobody watches one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from indutech.plant.together.state import PartState, PlantState

_LOOK: Any = {"title_justify": "left", "box": None, "padding": (0, 2, 0, 0), "header_style": "bold cyan"}


def as_tables(state: PlantState) -> Group:
    """The parts, what flows, the memory, and what is wrong; a terminal of 80 columns and 24 lines has room for it."""
    parts = Table(title=_title(state), **_LOOK)
    for name in ("part", "what it does", "state"):
        parts.add_column(name, no_wrap=True)
    for name in ("process", "MB"):
        parts.add_column(name, justify="right", no_wrap=True)
    for part in state.parts:
        style = "" if part.runs else "red" if state.phase == "up" else "dim"
        parts.add_row(part.name, part.what, _state(part), str(part.pid or ""), str(part.memory_mb or ""), style=style)
    flows = Table(**_LOOK)
    flows.add_column("what flows", no_wrap=True)
    for name in ("acknowledged", "stored", "waiting"):
        flows.add_column(name, justify="right", min_width=12)
    for flow in state.flows:
        counts = [
            None if number is None else f"{number:,}" for number in (flow.acknowledged, flow.stored, flow.waiting)
        ]
        flows.add_row(flow.name, *counts)
    wrong = [Text(sentence, style="red") for sentence in problems(state)]
    return Group(parts, *([flows] if state.flows else []), Text(_memory(state)), *wrong)


def as_line(state: PlantState) -> str:
    """The same for a log: one line."""
    flows = [
        f"{flow.name} {flow.stored:,} stored, {flow.waiting:,} wait" for flow in state.flows if flow.stored is not None
    ]
    running = sum(part.runs for part in state.parts)
    return "; ".join([f"{running} of {len(state.parts)} parts run", *flows, _memory(state), *problems(state)])


def problems(state: PlantState) -> list[str]:
    """A sentence for each part that does not run though it should, or was started again."""
    said = [f"{part.name} is down{f' ({part.says})' if part.says else ''}." for part in state.down]
    again = {
        part.name: "once" if part.restarts == 1 else f"{part.restarts} times" for part in state.parts if part.restarts
    }
    return said + [f"{name} died and was started again, {times}." for name, times in again.items()]


def _title(state: PlantState) -> str:
    if state.phase == "down":
        return f"The plant in {state.data_dir} is down"
    since = datetime.fromisoformat(state.began) if state.began else datetime.now(UTC)
    age = timedelta(seconds=round((datetime.now(UTC) - since).total_seconds()))
    return f"The plant in {state.data_dir}: {state.phase} for {age}"


def _state(part: PartState) -> str:
    if not part.runs:
        return "down"
    return f"runs, died {part.restarts}x" if part.restarts else "runs"


def _memory(state: PlantState) -> str:
    return (
        f"Memory: {state.memory_mb:,} MB now, {state.peak_mb:,} MB at most, of {state.most_mb:,} MB that it may take."
    )
