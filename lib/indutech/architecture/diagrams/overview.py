"""The overview: on-premise, boundary and AWS in three columns, and what flows between them."""

from diagrams import Node

from indutech.architecture.diagrams.canvas import Line, Point, Sheet
from indutech.architecture.diagrams.style import (
    BOX,
    EXCEPTION,
    LINES,
    LOOK_AWS,
    LOOK_BOUNDARY,
    LOOK_PLANT,
    TINTS,
    DiagramError,
    box,
    icon,
    legend,
)
from indutech.architecture.model import Flow, Platform

WIDTH, HEIGHT = 1180.0, 948.0
TOP, PITCH = 116.0, 120.0
COLUMNS = {"plant": 104.0, "gate": 320.0, "a": 544.0, "b": 812.0, "c": 1080.0}
PLACES = {  # column and row of each box
    "sensors": ("plant", 1),
    "san": ("plant", 2),
    "datasync_agent": ("plant", 3),
    "erp_crm": ("plant", 4),
    "sql_server": ("plant", 5),
    "analysts": ("plant", 6),
    "active_directory": ("plant", 7),
    "customer_gateway": ("gate", 2),
    "vpn": ("gate", 4),
    "nlb": ("a", 1),
    "datasync": ("a", 3),
    "dms": ("a", 5),
    "managed_ad": ("a", 7),
    "mqtt_bridge": ("b", 1),
    "s3_lake": ("b", 3),
    "redshift": ("b", 5),
    "identity_center": ("b", 7),
    "redpanda": ("c", 1),
    "spark_compute": ("c", 3),
    "glue_catalog": ("c", 5),
}
SHARED = ("endpoints", "kms", "secrets_manager", "cloudwatch", "cloudtrail", "backup", "budgets")  # a panel, no arrows
SIDE = 22.0  # how far from the middle of a box its second arrow starts
SHIFTED = {"answers": -SIDE, "sign_in": SIDE, "directory_trust": -SIDE, "directory_names": SIDE}  # two flows in a row
DOWN = {
    "history_loaded": (0.0, -26.0),
    "lake_queries": (48.0, 26.0),
    "sign_on_to_warehouse": (SIDE, 0.0),
}  # line, label
OWN_WAYS = {"changes_staged", "answers", "sign_in"}  # neither straight across nor straight down


def draw(platform: Platform) -> bytes:
    """The overview as SVG.

    Raises:
        DiagramError: naming a component that has no place in it.
    """
    for name in platform.ids:
        if name not in PLACES and name not in SHARED:
            raise DiagramError(f"Component {name!r} has no place in the overview: add it to PLACES in overview.py.")
    with Sheet("InduTech: hybrid platform, overview", WIDTH, HEIGHT) as sheet:
        _frames(sheet)
        nodes = {name: box(sheet, platform, platform[name], _middle(name)) for name in PLACES}
        for flow in drawn_flows(platform):
            _flow(sheet, platform, nodes, flow)
        _shared(sheet, platform)
        sheet.text("InduTech: hybrid platform", (WIDTH / 2, 20), 20, bold=True)
        legend(sheet, (24, HEIGHT - 21), ("vpc", "regional"), exceptions=True)
    return sheet.svg()


def drawn_flows(platform: Platform) -> list[Flow]:
    """Flows between two boxes of the overview; keys, secrets, logs and copies are in the network view."""
    shown = [flow for flow in platform.flow if flow.source in PLACES and flow.target in PLACES]
    return [flow for flow in shown if flow.source != flow.target]


def _frames(sheet: Sheet) -> None:
    top, height = 42.0, HEIGHT - 84
    sheet.frame("On-premise", (12, top), (184, height), font=15, **LOOK_PLANT)
    sheet.frame("Boundary: one VPN", (208, top), (224, height), font=15, **LOOK_BOUNDARY)
    sheet.frame("AWS, eu-west-3 (Paris)", (444, top), (724, height), font=15, **LOOK_AWS)


def _middle(name: str) -> Point:
    column, row = PLACES[name]
    return COLUMNS[column], TOP + (row - 1) * PITCH


def _shared(sheet: Sheet, platform: Platform) -> None:
    x, y = 1054.0, TOP + 5.5 * PITCH
    sheet.frame("Shared by all", (x - 104, y - 92), (208, 200), fill=TINTS["regional"], color="#486581", font=13)
    for i, name in enumerate(SHARED):
        left, top = x - 66 + (i % 3) * 66, y - 50 + (i // 3) * 58
        sheet.icon(icon(name), (left, top), 30)
        sheet.text(platform[name].name.replace("VPC e", "E").split()[0], (left, top + 23), 11)


def _flow(sheet: Sheet, platform: Platform, nodes: dict[str, Node], flow: Flow) -> None:
    line = LINES[flow.kind]
    points = _way(flow)
    ends = (nodes[flow.source], nodes[flow.target])
    sheet.arrow(ends, points, line, "both" if flow.direction == "two-way" else "forward")
    if platform.crosses(flow):
        _gate(sheet, flow, line)
    elif flow.id in OWN_WAYS:
        (x0, y), (x1, _) = points[1:3]
        _beside(sheet, flow, ((x0 + x1) / 2, y), line)
    elif points[0][1] == points[-1][1]:
        _beside(sheet, flow, ((points[0][0] + points[-1][0]) / 2, points[0][1]), line)
    else:
        x, y = points[0][0], (points[0][1] + points[-1][1]) / 2
        if abs(points[0][1] - points[-1][1]) < PITCH:
            words = f"{flow.label}, {flow.kind}"
            sheet.text(words, (x + 8 + len(words) * 3, y), 12, color=line.color)
        else:
            width = max(len(flow.label), len(flow.kind)) * 6 + 18
            sheet.chip(f"{flow.label}\\n{flow.kind}", (x, y + DOWN.get(flow.id, (0, 0))[1]), (width, 38), line)


def _beside(sheet: Sheet, flow: Flow, at: Point, line: Line) -> None:
    """Protocol above the line, kind below it."""
    sheet.text(flow.label, (at[0] - 3, at[1] - 11), 12.5, color=line.color)
    sheet.text(flow.kind, (at[0] - 3, at[1] + 11), 12.5, color=line.color)


def _gate(sheet: Sheet, flow: Flow, line: Line) -> None:
    """What crosses, as a chip in the middle column."""
    y = _middle(_plant_end(flow))[1] + SHIFTED.get(flow.id, 0)
    ports = ", ".join(flow.ports) if len(flow.ports) < 3 else f"{len(flow.ports)} port ranges"
    excused = flow.boundary_exception or flow.plaintext_reason
    how = "outside the VPN" if flow.boundary_exception else "plain, inside IPsec" if flow.plaintext_reason else ports
    words = f"{flow.label}\\n{flow.kind} · {how}"
    sheet.chip(words, (COLUMNS["gate"], y), (188, 40), EXCEPTION if excused else line)


def _plant_end(flow: Flow) -> str:
    return flow.source if PLACES[flow.source][0] == "plant" else flow.target


def _way(flow: Flow) -> list[Point]:
    """The points of an arrow: straight across, straight down, or one of the three ways of its own."""
    (sx, sy), (tx, ty) = _middle(flow.source), _middle(flow.target)
    dx, dy = BOX[0] / 2, BOX[1] / 2
    shift = SHIFTED.get(flow.id, 0)
    if flow.id == "changes_staged":
        between = (sy + ty) / 2
        return [(sx, sy - dy), (sx, between), (tx - 56, between), (tx - 56, ty + dy)]
    if flow.id == "answers":
        return [(sx - 2 * SIDE, sy + dy), (sx - 2 * SIDE, ty + shift), (tx + dx, ty + shift)]
    if flow.id == "sign_in":
        return [(sx + dx, sy + shift), (tx - 2 * SIDE, sy + shift), (tx - 2 * SIDE, ty - dy)]
    if sy == ty:
        toward = 1 if tx > sx else -1
        return [(sx + toward * dx, sy + shift), (tx - toward * dx, ty + shift)]
    if sx != tx:
        raise DiagramError(
            f"Flow {flow.id!r} is neither straight across nor straight down: give it a way in overview.py."
        )
    toward = 1 if ty > sy else -1
    side = DOWN.get(flow.id, (0, 0))[0]
    return [(sx + side, sy + toward * dy), (tx + side, ty - toward * dy)]
