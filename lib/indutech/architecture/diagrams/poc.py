"""The proof of concept: what runs in this repository, and which box of the overview each part stands for."""

from itertools import combinations

from diagrams import Node

from indutech.architecture.diagrams.canvas import MUTED, Line, Point, Sheet
from indutech.architecture.diagrams.icons import DiagramError, icon
from indutech.architecture.diagrams.style import (
    LINES,
    LOOK_AWS,
    LOOK_PLANT,
    TINTS,
    legend,
    place_of,
)
from indutech.architecture.model import Platform, PocFlow, PocPart

WIDTH, HEIGHT = 1180.0, 792.0
ROWS = (348.0, 514.0, 672.0)  # heights of the rows of parts; above the first one stands what its parts stand for
LEFT, PITCH, COLUMNS = 115.0, 190.0, 6
BOX = (164.0, 108.0)
STOOD_FOR = (58.0, 108.0)
PORTS = 26.0  # between two arrows at the bottom of one box
BESIDE = 18.0  # between two arrows at the side of one box
STANDS_FOR = Line("#829AB1", "dashed", 1.2)


def draw(platform: Platform) -> bytes:
    """The proof of concept as SVG.

    Raises:
        DiagramError: naming a part that stands outside the drawing, or two that stand in one place.
    """
    places = {part.id: _place(part) for part in platform.poc}
    for one, other in combinations(places, 2):
        if places[one] == places[other]:
            raise DiagramError(f"Parts {one!r} and {other!r} have the same place: change one in assets/platform.toml.")
    with Sheet("InduTech: proof of concept", WIDTH, HEIGHT) as sheet:
        sheet.text("InduTech: proof of concept", (WIDTH / 2, 20), 20, bold=True)
        sheet.frame("The platform", (12, 42), (WIDTH - 24, 168), **LOOK_AWS)
        sheet.frame("This repository", (12, 254), (WIDTH - 24, 496), title_at=0.171, **LOOK_PLANT)
        nodes = {part.id: _part(sheet, platform, part) for part in platform.poc}
        for flow in platform.poc_flow:
            _flow(sheet, nodes, places, flow, platform.poc_flow)
        legend(sheet, (24, HEIGHT - 21), {flow.kind for flow in platform.poc_flow}, ("on_premise", "vpc", "regional"))
    return sheet.svg()


def _place(part: PocPart) -> Point:
    column, row = part.place
    if not 1 <= column <= COLUMNS or not 1 <= row <= len(ROWS):
        raise DiagramError(
            f"Part {part.id!r} cannot stand at {column}, {row}: columns 1 to {COLUMNS}, rows 1 to {len(ROWS)}. "
            "Change its place in assets/platform.toml."
        )
    return LEFT + (column - 1) * PITCH, ROWS[row - 1]


def _part(sheet: Sheet, platform: Platform, part: PocPart) -> Node:
    x, y = _place(part)
    node = sheet.box((x, y), BOX, fill="#FFFFFF", border="#829AB1")
    sheet.icon(icon(part), (x, y - 28), 40)
    sheet.text(part.name, (x, y + 5), 14, bold=True)
    sheet.text(part.what.replace(", ", ",\\n", 1), (x, y + 32), 11.5, color=MUTED)
    if y == ROWS[0]:
        _stood_for(sheet, platform, part, node)
    else:
        names = ", ".join(platform[name].name for name in part.stands_for)
        beside = 66 if y == ROWS[-1] else -64
        sheet.text(f"stands for {names}", (x, y + beside), 12, color=MUTED)
    return node


def _stood_for(sheet: Sheet, platform: Platform, part: PocPart, node: Node) -> None:
    """The components above their part."""
    x, y = _place(part)[0], 132.0
    for i, name in enumerate(part.stands_for):
        component = platform[name]
        left = x + (i - (len(part.stands_for) - 1) / 2) * (STOOD_FOR[0] + 4)
        sheet.box((left, y), STOOD_FOR, fill=TINTS[place_of(component)], border="#829AB1")
        sheet.icon(icon(component), (left, y - 22), 40)
        words = component.name.split()
        half = (len(words) + 1) // 2
        sheet.text("\\n".join(filter(None, (" ".join(words[:half]), " ".join(words[half:])))), (left, y + 24), 11)
    sheet.arrow((node, node), [(x, ROWS[0] - 54), (x, y + 54)], STANDS_FOR)
    sheet.text("stands for", (x + 36, 232), 12, color=MUTED)


def _flow(
    sheet: Sheet, nodes: dict[str, Node], places: dict[str, Point], flow: PocFlow, flows: tuple[PocFlow, ...]
) -> None:
    """An arrow: straight within a row, else from the bottom of the upper box to the side or top of the lower one."""
    (sx, sy), (tx, ty) = places[flow.source], places[flow.target]
    line, half = LINES[flow.kind], BOX[0] / 2
    ends = (nodes[flow.source], nodes[flow.target])
    if sy == ty:
        is_next = abs(sx - tx) <= PITCH
        level = sy if is_next else sy + BESIDE
        sheet.arrow(ends, [(sx + half, level), (tx - half, level)], line)
        at = ((sx + tx) / 2, sy + 68) if is_next else ((sx + tx) / 2, level + 14)
        sheet.text(flow.label, at, 12, color=line.color)
        return
    down = sy < ty
    (ux, uy), (lx, ly) = ((sx, sy), (tx, ty)) if down else ((tx, ty), (sx, sy))
    port = ux + _port(flow, places, flows)
    bottom = (port, uy + BOX[1] / 2)
    if ux == lx:
        points = [bottom, (port, ly - BOX[1] / 2)]
        label = (port + 6 + 3 * len(flow.label), (bottom[1] + ly) / 2)
    else:
        level = ly - BESIDE if ly == ROWS[-1] else ly
        side = (lx - half if lx > port else lx + half, level)
        points = [bottom, (port, level), side]
        label = ((max(port, lx - half) + min(port, lx + half)) / 2, level - 10)
    sheet.arrow(ends, points if down else points[::-1], line)
    sheet.text(flow.label, label, 12, color=line.color)


def _port(flow: PocFlow, places: dict[str, Point], flows: tuple[PocFlow, ...]) -> float:
    """Where an arrow is at the bottom of its upper box, from its middle, so that no two of them meet there."""

    def upper_and_lower(one: PocFlow) -> tuple[str, str]:
        first, second = sorted((one.source, one.target), key=lambda part: places[part][1])
        return first, second

    def order(one: PocFlow) -> tuple[bool, float]:
        box, other = upper_and_lower(one)
        on_the_right = places[other][0] >= places[box][0]
        return on_the_right, -places[other][1] if on_the_right else places[other][1]

    box = upper_and_lower(flow)[0]
    there = [one for one in flows if places[one.source][1] != places[one.target][1] and upper_and_lower(one)[0] == box]
    return (sorted(there, key=order).index(flow) - (len(there) - 1) / 2) * PORTS
