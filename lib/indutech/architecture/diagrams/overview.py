"""The overview: on-premise, boundary and AWS in columns, what flows between them, and a panel of shared services.

Column and row of a component come from the model (`place`); arrows find their own way between the boxes.
"""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import dist

from diagrams import Node

from indutech.architecture.diagrams.canvas import MUTED, Line, Point, Sheet
from indutech.architecture.diagrams.icons import DiagramError, icon
from indutech.architecture.diagrams.routes import Box, way
from indutech.architecture.diagrams.style import (
    BOX,
    EXCEPTION,
    LINES,
    LOOK_AWS,
    LOOK_BOUNDARY,
    LOOK_PLANT,
    TINTS,
    box,
    legend,
    short_name,
)
from indutech.architecture.model import Component, Flow, Platform, Site

WIDTH = 1180.0
TOP, PITCH = 116.0, 120.0
COLUMNS = {"plant": 104.0, "gate": 320.0, "a": 544.0, "b": 812.0, "c": 1080.0}
COLUMNS_OF: dict[Site, tuple[str, ...]] = {"on_premise": ("plant",), "boundary": ("gate",), "aws": ("a", "b", "c")}
ROWS = 7  # at least; more if a component stands lower
PANEL_SIZE, PANEL_HOLDS = (208.0, 248.0), 12
CHIP = (142.0, 40.0)  # the label of what crosses the boundary
GATES, GATE_WIDTH, HOLE = (
    (229.0, 411.0),
    34.0,
    48.0,
)  # router and VPN: their middle, width, the internet's gap
FILE = "assets/platform.toml"


@dataclass(frozen=True)
class Said:
    """What stands at an arrow, and how the arrow looks."""

    first: str
    second: str
    line: Line
    chip: Line  # of its label at the boundary


@dataclass
class _Drawing:
    """What stands where, so that nothing is drawn over something else."""

    boxes: dict[str, Box]
    rows: int
    said: dict[str, Said] = field(default_factory=dict)  # of each flow
    ways: dict[str, list[Point]] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)


def _panel_of(rows: int) -> Box:
    """Where the panel of shared services is: beside the last rows."""
    return Box((1054.0, TOP + (rows - 1.5) * PITCH - 1), PANEL_SIZE)


def draw(platform: Platform) -> bytes:
    """The overview as SVG."""
    said = {flow.id: _said(platform, flow) for flow in platform.flow}
    with laid_out(platform, "InduTech: hybrid platform", said) as (sheet, bottom):
        kinds = {flow.kind for flow in drawn_flows(platform)}
        legend(sheet, (24, bottom + 21), kinds, ("vpc", "regional"), exceptions=True)
    return sheet.svg()


@contextmanager
def laid_out(platform: Platform, title: str, said: dict[str, Said], foot: float = 42) -> Iterator[tuple[Sheet, float]]:
    """The components at their places and the arrows between them; yields the sheet and where its foot begins.

    Raises:
        DiagramError: naming the component or flow that has no room, and the file to change.
    """
    drawing = _arranged(platform, said)
    bottom = TOP + (drawing.rows - 1) * PITCH + 70
    with Sheet(title, WIDTH, bottom + foot) as sheet:
        _frames(sheet, platform, bottom)
        _gates(sheet, platform, drawing)
        nodes = {name: box(sheet, platform, platform[name], place.at) for name, place in drawing.boxes.items()}
        for flow in drawn_flows(platform):
            _flow(sheet, platform, nodes, flow, drawing)
        _panel(sheet, platform, _panel_of(drawing.rows).at)
        sheet.text(title, (WIDTH / 2, 20), 20, bold=True)
        yield sheet, bottom
    _refuse_covered(drawing)


def _said(platform: Platform, flow: Flow) -> Said:
    """Number, protocol and kind; at the boundary the ports too, or what excuses it."""
    second: str = flow.kind
    if platform.crosses(flow):
        second = f"{flow.kind} · {', '.join(flow.ports) if len(flow.ports) < 3 else f'{len(flow.ports)} port ranges'}"
    excused = flow.boundary_exception or flow.plaintext_reason
    if excused:
        second = "over the internet" if flow.boundary_exception else "plain, inside IPsec"
    line = LINES[flow.kind]
    return Said(f"{platform.number(flow)} {flow.label}", second, line, EXCEPTION if excused else line)


def drawn_flows(platform: Platform) -> list[Flow]:
    """Flows between two boxes of the overview; keys, secrets, logs and copies are in the network view."""
    shown = [flow for flow in platform.flow if platform[flow.source].place and platform[flow.target].place]
    return [flow for flow in shown if flow.source != flow.target]


def _arranged(platform: Platform, said: dict[str, Said]) -> _Drawing:
    """The boxes at their places.

    Raises:
        DiagramError: naming the component whose place is missing, unknown or taken.
    """
    boxes: dict[str, Box] = {}
    for component in platform.component:
        if component.place and component.site != "boundary":
            boxes[component.id] = Box(_middle(component, component.place), BOX)
        elif component.site == "on_premise":
            raise DiagramError(f"Component {component.id!r} is not in AWS and needs a place in the overview: {FILE}.")
    for flow in platform.flow:
        for end in (flow.source, flow.target):
            if flow.carries != "operations" and end not in boxes and platform[end].site != "boundary":
                raise DiagramError(
                    f"Component {end!r} takes part in the flow {flow.id!r} and needs a place in the overview: {FILE}."
                )
    for one, other in combinations(boxes, 2):
        if boxes[one].overlaps(boxes[other]):
            raise DiagramError(f"Components {one!r} and {other!r} have the same place in the overview: {FILE}.")
    rows = max([ROWS, *(component.place[1] for component in platform.component if component.place)])
    for name, place in boxes.items():
        if place.overlaps(_panel_of(rows)):
            raise DiagramError(f"Component {name!r} stands where the panel of shared services is: {FILE}.")
    return _Drawing(boxes, rows, said)


def _middle(component: Component, place: tuple[str, int]) -> Point:
    column, row = place
    if column not in COLUMNS_OF[component.site] or row < 1:
        columns = ", ".join(COLUMNS_OF[component.site])
        raise DiagramError(
            f"Component {component.id!r} cannot stand at {column!r}, {row}: columns {columns}, rows from 1. "
            f"Change its place in {FILE}."
        )
    return COLUMNS[column], TOP + (row - 1) * PITCH


def _frames(sheet: Sheet, platform: Platform, bottom: float) -> None:
    top, height = 42.0, bottom - 42
    sheet.frame("Plant", (12, top), (184, height), font=15, **LOOK_PLANT)
    sheet.frame("Boundary", (208, top), (224, height), font=15, **LOOK_BOUNDARY)
    sheet.frame(
        f"AWS, {platform.region} (Paris): account Platform, unless another is named",
        (444, top),
        (724, height),
        font=15,
        **LOOK_AWS,
    )


def _gates(sheet: Sheet, platform: Platform, drawing: _Drawing) -> None:
    """Router and VPN as two bars that each arrow goes through, with a gap for what goes over the internet."""
    outside = [_way(flow, drawing) for flow in drawn_flows(platform) if flow.boundary_exception]
    gaps = sorted(_height_at_gate(points) for points in outside)
    crossing = [_height_at_gate(_way(flow, drawing)) for flow in drawn_flows(platform) if platform.crosses(flow)]
    heights = (TOP + row * PITCH / 2 for row in range(2 * drawing.rows))
    free = next(y for y in heights if all(abs(y - taken) > CHIP[1] for taken in crossing))
    top, bottom = 98.0, TOP + (drawing.rows - 1) * PITCH + 60
    for x, component in zip(GATES, platform.at("boundary"), strict=True):
        edges = [top, *(edge for y in gaps for edge in (y - HOLE / 2, y + HOLE / 2)), bottom]
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            size = (GATE_WIDTH, end - start)
            sheet.box((x, (start + end) / 2), size, fill=TINTS["boundary"], border=LOOK_BOUNDARY["color"])
        sheet.icon(icon(component), (x, free), 28)
        name = "\\n".join(textwrap.wrap(component.name, 12))
        sheet.text(name, (x + (26 if x == GATES[0] else -26), 82), 12, bold=True)


def _height_at_gate(points: list[Point]) -> float:
    """At which height a way crosses the middle column."""
    x = COLUMNS["gate"]
    return next(start[1] for start, end in pairwise(points) if min(start[0], end[0]) < x < max(start[0], end[0]))


def _panel(sheet: Sheet, platform: Platform, at: Point) -> None:
    """Services that everything uses, without their arrows."""
    shared = [component for component in platform.component if not component.place]
    if len(shared) > PANEL_HOLDS:
        raise DiagramError(
            f"The panel of shared services holds {PANEL_HOLDS} components, not {len(shared)}: "
            f"give {shared[-1].id!r} a place in {FILE}."
        )
    (x, y), (width, height) = at, PANEL_SIZE
    sheet.frame(
        "Shared by all", (x - width / 2, y - height / 2), PANEL_SIZE, fill=TINTS["regional"], color="#486581", font=13
    )
    for i, component in enumerate(shared):
        left, top = x - 67 + (i % 3) * 67, y - height / 2 + 38 + (i // 3) * 52
        sheet.icon(icon(component), (left, top), 24)
        name = short_name(component, 11) + ("*" if component.account else "")
        sheet.text(name, (left, top + (26 if "\\n" in name else 20)), 12)
    sheet.text("* in an account of its own", (x, y + height / 2 - 10), 12, color=MUTED)


def _flow(sheet: Sheet, platform: Platform, nodes: dict[str, Node], flow: Flow, drawing: _Drawing) -> None:
    line = drawing.said[flow.id].line
    points = drawing.ways[flow.id] = _way(flow, drawing)
    ends = (nodes[flow.source], nodes[flow.target])
    sheet.arrow(ends, points, line, "both" if flow.direction == "two-way" else "forward")
    start, end = max(pairwise(points), key=lambda piece: dist(*piece))
    if platform.crosses(flow):
        _gate(sheet, flow, points, drawing)
    elif start[1] == end[1]:
        _beside(sheet, flow, ((start[0] + end[0]) / 2, start[1]), line, drawing)
    else:
        _on_the_way_down(sheet, flow, (start, end), line, drawing)


def _way(flow: Flow, drawing: _Drawing) -> list[Point]:
    ends = (drawing.boxes[flow.source], drawing.boxes[flow.target])
    others = [place for name, place in drawing.boxes.items() if name not in (flow.source, flow.target)]
    columns = [(x + x1) / 2 for x, x1 in pairwise(COLUMNS.values())]
    rows = [TOP + (row + 0.5) * PITCH for row in range(drawing.rows - 1)]
    found = way(ends, flow.drawn.shift, (columns, rows), [*others, _panel_of(drawing.rows)], drawing.ways.values())
    if not found:
        raise DiagramError(
            f"The arrow of flow {flow.id!r} ({flow.source} → {flow.target}) finds no free way in the overview: "
            f"move a component (place) or the arrow (drawn = {{ shift = [22, 22] }}) in {FILE}."
        )
    return found


def _gate(sheet: Sheet, flow: Flow, points: list[Point], drawing: _Drawing) -> None:
    """What crosses, as a chip in the middle column."""
    x, y = COLUMNS["gate"], _height_at_gate(points)
    drawing.labels[flow.id] = Box((x, y), CHIP)
    said = drawing.said[flow.id]
    sheet.chip(f"{said.first}\\n{said.second}", (x, y), CHIP, said.chip, font=12)


def _beside(sheet: Sheet, flow: Flow, at: Point, line: Line, drawing: _Drawing) -> None:
    """Protocol above the line, kind below it."""
    x, y = at[0] - 3, at[1]
    said = drawing.said[flow.id]
    label = said.first
    drawing.labels[flow.id] = Box((x, y), (max(len(label), len(said.second)) * 6, 34))
    sheet.text(label, (x, y - 11), 12.5, color=line.color)
    sheet.text(said.second, (x, y + 11), 12.5, color=line.color)


def _on_the_way_down(sheet: Sheet, flow: Flow, piece: tuple[Point, Point], line: Line, drawing: _Drawing) -> None:
    """Beside a short line, on a long one."""
    (x, top), (_, bottom) = piece
    y = (top + bottom) / 2 + flow.drawn.label_shift
    if abs(top - bottom) < PITCH:
        words = drawing.said[flow.id].first  # its colour and dashes tell the kind
        half = len(words) * 3
        middle = x + 8 + half if x + 8 + 2 * half < WIDTH - 12 else x - 8 - half
        drawing.labels[flow.id] = Box((middle, y), (2 * half, 14))
        sheet.text(words, (middle, y), 12, color=line.color)
        return
    said = drawing.said[flow.id]
    label = said.first
    size = (max(len(label), len(said.second)) * 6 + 18, 38)
    drawing.labels[flow.id] = Box((x, y), size)
    sheet.chip(f"{label}\\n{said.second}", (x, y), size, line)


def _refuse_covered(drawing: _Drawing) -> None:
    """Refuse a label that lies on a box or on another label."""
    panel = {"the panel of shared services": _panel_of(drawing.rows)}
    for name, label in drawing.labels.items():
        labels = {other: place for other, place in drawing.labels.items() if other != name}
        for other, place in (panel | drawing.boxes | labels).items():
            if label.overlaps(place):
                raise DiagramError(
                    f"The label of flow {name!r} lies on {other!r} in the overview: shorten it, move a component "
                    f"(place), or move it (drawn = {{ label_shift = 26 }}) in {FILE}."
                )
