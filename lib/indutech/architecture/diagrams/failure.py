"""The failure view: for each component that stops, what stops with it, what shows old data, and where data waits."""

from indutech.architecture import failures
from indutech.architecture.diagrams.canvas import INK, MUTED, PAPER, Sheet
from indutech.architecture.diagrams.style import LOOK_AWS, LOOK_BOUNDARY, LOOK_PLANT, Look
from indutech.architecture.failures import Outage, Redundancy
from indutech.architecture.model import Component, Platform

NAMES, SPARE, CELL = 196.0, 190.0, 28.0
TOP = 104.0
STOPS, OLD, WAITS = ("#A61B1B", "S"), ("#F6D7A7", "o"), ("#BFD7F5", "W")
SPARES = {
    Redundancy.NONE: "none",
    Redundancy.ONE_ZONE: "one, in the same zone",
    Redundancy.COPIES: "another copy",
    Redundancy.ZONES: "in another zone",
    Redundancy.REGION: "run by AWS in several zones",
}
SITES: dict[str, Look] = {"on_premise": LOOK_PLANT, "boundary": LOOK_BOUNDARY, "aws": LOOK_AWS}


def draw(platform: Platform) -> bytes:
    """The failure view as SVG."""
    count = len(platform.component)
    width, height = 36 + NAMES + SPARE + count * CELL, TOP + count * CELL + 62
    with Sheet("InduTech: what stops when it stops", width, height) as sheet:
        sheet.text("InduTech: what stops when it stops", (width / 2, 20), 20, bold=True)
        sheet.text("If all copies of this stop", (12 + NAMES / 2, 76), 13, bold=True)
        sheet.text("spare after one failure", (12 + NAMES + SPARE / 2, 76), 13, bold=True)
        sheet.text("then these are hit (numbers as on the left)", (_left(count / 2 - 0.5), 52), 13, bold=True)
        alone = {component.id for component in failures.single_points(platform)}
        for i, component in enumerate(platform.component):
            sheet.text(str(i + 1), (_left(i), 84), 12.5, color=MUTED)
            _row(sheet, platform, component, i, alone=component.id in alone)
        _legend(sheet, height - 24)
    return sheet.svg()


def _left(column: float) -> float:
    return 24 + NAMES + SPARE + (column + 0.5) * CELL


def _row(sheet: Sheet, platform: Platform, component: Component, row: int, *, alone: bool) -> None:
    y = TOP + (row + 0.5) * CELL
    end = failures.outage(platform, component.id)
    color = STOPS[0] if alone else INK
    look = SITES[component.site]
    sheet.box((12 + NAMES / 2, y), (NAMES, CELL - 4), fill=look["fill"], border=look["color"])
    sheet.text(f"{row + 1}  {component.name}", (12 + NAMES / 2, y), 13, bold=alone, color=color)
    spare = SPARES[failures.redundancy(platform, component)]
    sheet.text(spare, (12 + NAMES + SPARE / 2, y), 12.5, bold=alone, color=color)
    for i, other in enumerate(platform.component):
        found = _hit(end, other.id)
        fill = found[0] if found else PAPER
        sheet.box((_left(i), y), (CELL - 4, CELL - 4), fill=fill, border="#CBD2D9", style="filled")
        if found:
            sheet.text(found[1], (_left(i), y), 13, bold=True, color=PAPER if found is STOPS else INK)


def _hit(end: Outage, name: str) -> tuple[str, str] | None:
    """What an outage does to a component."""
    if name in end.stopped:
        return STOPS
    if name in {keeper.id for keeper in end.buffered_in}:
        return WAITS
    return OLD if name in end.stale else None


def _legend(sheet: Sheet, y: float) -> None:
    x = 24.0
    for (fill, letter), words in (
        (STOPS, "stops"),
        (OLD, "runs on, with old data"),
        (WAITS, "keeps what cannot be passed on"),
    ):
        sheet.box((x + 12, y), (22, 22), fill=fill, border="#CBD2D9", style="filled")
        sheet.text(letter, (x + 12, y), 13, bold=True, color=PAPER if letter == "S" else INK)
        half = len(words) * 3.2
        sheet.text(words, (x + 32 + half, y), 13)
        x += 56 + 2 * half
    words = "red name: nothing takes over after one failure"
    sheet.text(words, (x + len(words) * 3.2, y), 13, bold=True, color=STOPS[0])
