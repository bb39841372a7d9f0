"""The data view: where each class of data lies, in the colour of its class, who reads it in clear, what protects it."""

from collections import defaultdict

from indutech.architecture.diagrams.canvas import INK, MUTED, PAPER, Sheet
from indutech.architecture.diagrams.icons import DiagramError, icon
from indutech.architecture.diagrams.style import LOOK_AWS, LOOK_PLANT, Look
from indutech.architecture.model import Component, Platform
from indutech.architecture.plan import DataClass

WIDTH, MARGIN, GAP = 1180.0, 12.0, 12.0
CHIP, HEAD, ZONE_TOP = 26.0, 44.0, 74.0
CARD = (572.0, 92.0)
# From what may be read in the company to what nobody reads: fill and border.
LEVELS = {
    "internal": ("#DDEBF7", "#1D4ED8"),
    "personal": ("#FBE3D6", "#B93815"),
    "confidential": ("#F6E7C1", "#8A5A00"),
    "secret": ("#E9D8EE", "#7A2E8E"),
}
ZONES = ("Plant", "VPC", "regional services")


def draw(platform: Platform) -> bytes:
    """The data view as SVG.

    Raises:
        DiagramError: a class has a level without a colour.
    """
    for data in platform.data_class:
        if data.level not in LEVELS:
            raise DiagramError(f"Data class {data.name!r} is {data.level!r}; levels are {', '.join(LEVELS)}.")
    zones = _zones(platform)
    tallest = max(sum(_tall(platform, one) + GAP for one in inside) for inside in zones.values())
    cards = ZONE_TOP + tallest + 60
    rows = -(-len(platform.data_class) // 2)
    with Sheet("InduTech: classes of data", WIDTH, cards + rows * (CARD[1] + 8) + 50) as sheet:
        sheet.text("InduTech: classes of data", (WIDTH / 2, 20), 20, bold=True)
        width = (WIDTH - 2 * MARGIN - (len(zones) - 1) * GAP) / len(zones)
        for i, (name, inside) in enumerate(zones.items()):
            x = MARGIN + i * (width + GAP)
            look: Look = LOOK_PLANT if name == ZONES[0] else LOOK_AWS
            sheet.frame(name, (x, 42), (width, tallest + 46), font=13, **look)
            top = ZONE_TOP
            for component in inside:
                _holder(sheet, platform, component, (x + 10, top), width - 20)
                top += _tall(platform, component) + GAP
        sheet.text(
            "who reads it in clear, and what protects it (all of it assumed)", (WIDTH / 2, cards - 14), 14, bold=True
        )
        for i, data in enumerate(platform.data_class):
            _card(sheet, data, (MARGIN + (i % 2) * (CARD[0] + GAP), cards + 4 + i // 2 * (CARD[1] + 8)))
        _legend(sheet, cards + rows * (CARD[1] + 8) + 28)
    return sheet.svg()


def _zones(platform: Platform) -> dict[str, list[Component]]:
    """What holds data, by where it stands: plant, VPC, regional services, and each other account."""
    accounts = {account.id: f"account {account.name}" for account in platform.account}
    found: dict[str, list[Component]] = defaultdict(list)
    held = {place for data in platform.data_class for place in data.where}
    for component in platform.component:
        if component.id in held:
            zone = ZONES[0] if component.site == "on_premise" else ZONES[2] if component.regional else ZONES[1]
            found[accounts.get(component.account, zone)].append(component)
    return dict(found)


def _classes(platform: Platform, component: Component) -> list[DataClass]:
    return [data for data in platform.data_class if component.id in data.where]


def _tall(platform: Platform, component: Component) -> float:
    return HEAD + len(_classes(platform, component)) * (CHIP + 4) + 6


def _holder(sheet: Sheet, platform: Platform, component: Component, corner: tuple[float, float], width: float) -> None:
    (x, y), height = corner, _tall(platform, component)
    sheet.box((x + width / 2, y + height / 2), (width, height), fill=PAPER, border="#829AB1")
    sheet.icon(icon(component), (x + 26, y + 22), 32)
    sheet.text(component.name, (x + width / 2 + 16, y + 22), 14, bold=True)
    for i, data in enumerate(_classes(platform, component)):
        fill, border = LEVELS[data.level]
        at = (x + width / 2, y + HEAD + i * (CHIP + 4) + CHIP / 2)
        sheet.box(at, (width - 14, CHIP), fill=fill, border=border)
        sheet.text(data.name.replace("`", ""), at, 12.5, color=INK)


def _card(sheet: Sheet, data: DataClass, corner: tuple[float, float]) -> None:
    (x, y), (width, height) = corner, CARD
    _, border = LEVELS[data.level]
    sheet.box((x + width / 2, y + height / 2), CARD, fill=PAPER, border=border)
    sheet.box((x + 5, y + height / 2), (10, height), fill=border, border=border, style="filled")
    used = 8 + sheet.note(f"{data.name.replace('`', '')}: {data.level}", (x + 20, y + 8), width - 30, 13, bold=True)
    used += 2 + sheet.note(f"In clear: {data.readers}", (x + 20, y + used + 2), width - 30, 12.5)
    sheet.note(data.protection, (x + 20, y + used + 2), width - 30, 12.5, color=MUTED)


def _legend(sheet: Sheet, y: float) -> None:
    x = 24.0
    for level, (fill, border) in LEVELS.items():
        sheet.box((x + 12, y), (24, 16), fill=fill, border=border)
        sheet.text(level, (x + 34 + len(level) * 3.2, y), 13)
        x += 64 + len(level) * 6.4
