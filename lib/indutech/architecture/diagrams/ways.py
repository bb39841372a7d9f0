"""The ways in and out of the VPC: each one, the gate that limits it, and what remains possible all the same."""

from indutech.architecture.diagrams.canvas import INK, MUTED, PAPER, Line, Sheet
from indutech.architecture.diagrams.style import EXCEPTION, LOOK_AWS, LOOK_BOUNDARY
from indutech.architecture.model import Platform
from indutech.architecture.plan import WayOut

WIDTH = 1180.0
TOP, PITCH, BOX = 96.0, 116.0, 104.0
COLUMNS = ((142.0, 334.0), (512.0, 306.0), (856.0, 312.0))  # left edge and width: how, limit, what remains
HEADS = ("the way", "what limits it", "what remains possible")
WAY = Line("#334E68", "solid", 1.6)
LIMIT, REMAINS = "#15702F", EXCEPTION.color


def draw(platform: Platform) -> bytes:
    """The ways in and out as SVG."""
    height = TOP + len(platform.way_out) * PITCH
    with Sheet("InduTech: ways in and out of the VPC", WIDTH, height + 46) as sheet:
        sheet.text("InduTech: ways in and out of the VPC", (WIDTH / 2, 20), 20, bold=True)
        sheet.frame("VPC", (12, 74), (92, height - 78), font=15, fill=LOOK_AWS["fill"], color=LOOK_AWS["color"])
        sheet.text("no internet\\ngateway,\\nno NAT,\\nno public\\naddress", (58, height / 2 + 36), 13, color=MUTED)
        for (left, width), head in zip(COLUMNS, HEADS, strict=True):
            sheet.text(head, (left + width / 2, 58), 14, bold=True)
        for i, way in enumerate(platform.way_out):
            _row(sheet, way, TOP - 16 + i * PITCH)
        words = "Nothing here stops everything: a machine that is taken over can still do what stands on the right."
        sheet.text(words, (WIDTH / 2, height + 22), 13, bold=True)
    return sheet.svg()


def _row(sheet: Sheet, way: WayOut, top: float) -> None:
    y = top + BOX / 2
    looks = ((PAPER, WAY.color), ("#EAF4EA", LIMIT), (LOOK_BOUNDARY["fill"], REMAINS))
    for (left, width), (fill, border) in zip(COLUMNS, looks, strict=True):
        sheet.box((left + width / 2, y), (width, BOX), fill=fill, border=border)
    (how, width), (limit, limit_width), (remains, remains_width) = COLUMNS
    used = sheet.note(way.way, (how + 10, top + 7), width - 20, 14, bold=True)
    sheet.note(way.how, (how + 10, top + 9 + used), width - 20, 12, color=INK)
    sheet.note(way.limited_by, (limit + 10, top + 8), limit_width - 20, 12.5, color=LIMIT)
    sheet.note(way.remains, (remains + 10, top + 8), remains_width - 20, 12.5, color=REMAINS)
    sheet.line([(104, y), (how, y)], WAY, "both")
    sheet.line([(how + width, y), (limit, y)], WAY, "none")
    sheet.line([(limit + limit_width, y), (remains, y)], Line(REMAINS, "dashed", 1.6))
