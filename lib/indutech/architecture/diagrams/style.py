"""How the drawings show the model: the box of a component, a line for each kind of flow, a tint for each place."""

import textwrap
from collections.abc import Iterable
from typing import TypedDict

from diagrams import Node

from indutech.architecture.diagrams.canvas import MUTED, Line, Sheet
from indutech.architecture.diagrams.icons import icon
from indutech.architecture.model import Component, Platform


class Look(TypedDict, total=False):
    """Colours of a frame."""

    fill: str
    color: str
    style: str


BOX = (152.0, 92.0)
LINES = {
    "stream": Line("#B93815", "solid", 2.4),
    "batch": Line("#1D4ED8", "dashed", 2.0),
    "sync": Line("#15702F", "solid", 1.6),
    "request": Line("#7A2E8E", "dotted", 2.2),
}
EXCEPTION = Line("#A61B1B")  # crosses outside the VPN, or in plain text; the model says why
KIND_WORDS = {
    "stream": "stream, event by event",
    "batch": "batch, on a schedule",
    "sync": "sync, kept equal",
    "request": "request, when asked",
}
LOOK_PLANT: Look = {"fill": "#FCFAF5", "color": "#7A5C1E"}
LOOK_BOUNDARY: Look = {"fill": "#FFF8F8", "color": "#A61B1B", "style": "dashed,filled"}
LOOK_AWS: Look = {"fill": "#FBFDFF", "color": "#243B53"}
TINTS = {"on_premise": "#F5F1E8", "boundary": "#FDECEC", "vpc": "#EAF4EA", "regional": "#E9F1FB"}
PLACE_WORDS = {"on_premise": "on-premise", "vpc": "in the VPC", "regional": "regional service"}


def place_of(component: Component) -> str:
    """Which tint it gets."""
    if component.site == "aws":
        return "regional" if component.regional else "vpc"
    return component.site


def short_name(component: Component, letters: int = 12) -> str:
    """Its name where there is little room, in lines of so many letters."""
    return "\\n".join(textwrap.wrap(component.short or component.name, letters))


def caption(platform: Platform, component: Component) -> str:
    """What stands under its name: `3 copies in 3 zones`."""
    if component.account:
        return f"account: {component.account}"
    if component.caption or component.regional:
        return component.caption or "regional service"
    zones = len(set(platform.zones_of(component)))
    copies = "1 cluster" if component.copies == 1 else f"{component.copies} copies"
    return f"{copies} in {zones} zone{'s' if zones > 1 else ''}"


def box(sheet: Sheet, platform: Platform, component: Component, at: tuple[float, float]) -> Node:
    """A component's box: icon, name, caption."""
    x, y = at
    node = sheet.box(at, BOX, fill=TINTS[place_of(component)], border="#829AB1")
    sheet.icon(icon(component), (x, y - 20), 42)
    sheet.text(component.name, (x, y + 14), 14.5, bold=True)
    sheet.text(caption(platform, component), (x, y + 32), 12.5, color=MUTED)
    return node


def legend(
    sheet: Sheet,
    at: tuple[float, float],
    kinds: Iterable[str],
    places: tuple[str, ...] = (),
    exceptions: bool = False,
) -> None:
    """The kinds of flow that are drawn, then tints, then the mark of an exception, in one row from the left."""
    x, y = at
    for kind in (kind for kind in LINES if kind in set(kinds)):
        line = LINES[kind]
        sheet.line([(x, y), (x + 44, y)], line)
        width = len(KIND_WORDS[kind]) * 6.1
        sheet.text(KIND_WORDS[kind], (x + 52 + width / 2, y), 12.5)
        x += 52 + width + 16
    for place in places:
        sheet.box((x + 9, y), (18, 14), fill=TINTS[place], border="#829AB1")
        width = len(PLACE_WORDS[place]) * 6.1
        sheet.text(PLACE_WORDS[place], (x + 26 + width / 2, y), 12.5)
        x += 26 + width + 16
    if exceptions:
        sheet.box((x + 12, y), (24, 14), border=EXCEPTION.color)
        sheet.text("stated exception", (x + 32 + 49, y), 12.5, color=EXCEPTION.color)
