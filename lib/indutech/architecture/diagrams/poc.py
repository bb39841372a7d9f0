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

WIDTH, HEIGHT = 1180.0, 650.0
CHAIN, PROOF = 348.0, 526.0  # heights of the two rows of parts
LEFT, PITCH, COLUMNS = 124.0, 233.0, 5
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
        sheet.frame("This repository, on one machine", (12, 254), (WIDTH - 24, 350), title_at=0.197, **LOOK_PLANT)
        nodes = {part.id: _part(sheet, platform, part) for part in platform.poc}
        for flow in platform.poc_flow:
            _flow(sheet, nodes, places, flow)
        legend(sheet, (24, HEIGHT - 21), {flow.kind for flow in platform.poc_flow}, ("on_premise", "vpc", "regional"))
    return sheet.svg()


def _place(part: PocPart) -> Point:
    column, row = part.place
    if not 1 <= column <= COLUMNS or row not in (1, 2):
        raise DiagramError(
            f"Part {part.id!r} cannot stand at {column}, {row}: columns 1 to {COLUMNS}, rows 1 and 2. "
            "Change its place in assets/platform.toml."
        )
    return LEFT + (column - 1) * PITCH, CHAIN if row == 1 else PROOF


def _part(sheet: Sheet, platform: Platform, part: PocPart) -> Node:
    x, y = _place(part)
    node = sheet.box((x, y), (190, 108), fill="#FFFFFF", border="#829AB1")
    sheet.icon(icon(part), (x, y - 28), 40)
    sheet.text(part.name, (x, y + 5), 14.5, bold=True)
    sheet.text(part.what.replace(", ", ",\\n", 1), (x, y + 32), 12, color=MUTED)
    if y == CHAIN:
        _stood_for(sheet, platform, part, node)
    else:
        names = ", ".join(platform[name].name for name in part.stands_for)
        sheet.text(f"stands for {names}", (x, y + 66), 12.5, color=MUTED)
    return node


def _stood_for(sheet: Sheet, platform: Platform, part: PocPart, node: Node) -> None:
    """The components above their part."""
    x, y = _place(part)[0], 132.0
    for i, name in enumerate(part.stands_for):
        component = platform[name]
        left = x + (i - (len(part.stands_for) - 1) / 2) * 72
        sheet.box((left, y), (68, 108), fill=TINTS[place_of(component)], border="#829AB1")
        sheet.icon(icon(component), (left, y - 22), 40)
        words = component.name.split()
        half = (len(words) + 1) // 2
        sheet.text("\\n".join(filter(None, (" ".join(words[:half]), " ".join(words[half:])))), (left, y + 24), 11.5)
    sheet.arrow((node, node), [(x, CHAIN - 54), (x, y + 54)], STANDS_FOR)
    sheet.text("stands for", (x + 36, 232), 12, color=MUTED)


def _flow(sheet: Sheet, nodes: dict[str, Node], places: dict[str, Point], flow: PocFlow) -> None:
    (sx, sy), (tx, ty) = places[flow.source], places[flow.target]
    line = LINES[flow.kind]
    ends = (nodes[flow.source], nodes[flow.target])
    if sy == ty:
        sheet.arrow(ends, [(sx + 95, sy), (tx - 95, ty)], line)
        sheet.text(flow.label, ((sx + tx) / 2, sy + 68), 12, color=line.color)
        return
    level = PROOF + (20 if abs(sx - tx) > 300 else -20)
    side = 95 if sx > tx else -95
    sheet.arrow(ends, [(sx, sy + 54), (sx, level), (tx + side, level)], line)
    sheet.text(flow.label, ((sx + tx + side) / 2, level - 11), 12, color=line.color)
