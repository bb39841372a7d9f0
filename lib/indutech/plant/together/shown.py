"""The plant as tables for a terminal, and as lines where nobody watches one."""

from datetime import UTC, datetime, timedelta

from rich.console import Group
from rich.table import Table
from rich.text import Text

from indutech.plant.together.state import PartState, PlantState


def as_tables(state: PlantState) -> Group:
    """The parts, what flows, and the memory."""
    parts = Table(title=_title(state), title_justify="left")
    for name in ("part", "what it does", "state"):
        parts.add_column(name)
    for name in ("process", "MB"):
        parts.add_column(name, justify="right")
    for part in state.parts:
        style = "" if part.runs else "dim" if state.phase != "up" else "red"
        parts.add_row(part.name, part.what, _state(part), str(part.pid or "-"), str(part.memory_mb or "-"), style=style)
    flows = Table(title="What flows", title_justify="left")
    flows.add_column("of")
    for name in ("acknowledged", "stored", "waiting"):
        flows.add_column(name, justify="right", min_width=12)
    for flow in state.flows:
        known = [flow.acknowledged, flow.stored] if flow.acknowledged or flow.stored else [None, None]
        flows.add_row(flow.name, *("" if number is None else f"{number:,}" for number in [*known, flow.waiting]))
    return Group(parts, *([flows] if state.flows else []), Text(_memory(state)))


def as_line(state: PlantState) -> str:
    """The same for a log: one line."""
    flows = [f"{flow.name} {flow.stored:,} stored, {flow.waiting:,} wait" for flow in state.flows if flow.stored]
    running = sum(part.runs for part in state.parts)
    told = [f"{running} of {len(state.parts)} parts run", *flows, _memory(state), *problems(state)]
    return "; ".join(told)


def problems(state: PlantState) -> list[str]:
    """A sentence for each part that does not run though it should, or was started again."""
    said = [f"{part.name} is down{f' ({part.says})' if part.says else ''}" for part in state.down]
    return said + [
        f"{part.name} died and was started again ({part.restarts} times)" for part in state.parts if part.restarts
    ]


def _title(state: PlantState) -> str:
    if state.phase == "down":
        return f"The plant in {state.data_dir} is down"
    since = datetime.fromisoformat(state.began) if state.began else datetime.now(UTC)
    age = timedelta(seconds=round((datetime.now(UTC) - since).total_seconds()))
    return f"The plant in {state.data_dir}: {state.phase}, for {age}"


def _state(part: PartState) -> str:
    if not part.runs:
        return f"down: {part.says}" if part.says else "down"
    again = f", started again {part.restarts}x" if part.restarts else ""
    return f"runs{again}{f' ({part.says})' if part.says else ''}"


def _memory(state: PlantState) -> str:
    return f"memory {state.memory_mb:,} MB, at most {state.peak_mb:,} so far, of {state.most_mb:,} MB that it may take"
