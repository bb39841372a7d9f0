"""The network and security view: subnets per zone, security groups with what they let in, endpoints, keys, identity."""

import textwrap
from collections import defaultdict

from indutech.architecture.diagrams.canvas import INK, MUTED, PAPER, Line, Point, Sheet
from indutech.architecture.diagrams.icons import DiagramError, icon
from indutech.architecture.diagrams.style import LINES, LOOK_BOUNDARY, LOOK_PLANT, TINTS, Look, short_name
from indutech.architecture.model import Component, Flow, Platform, SecurityGroup
from indutech.architecture.platform import PLANT

WIDTH = 1260.0
TOP, PITCH, ROW = 130.0, 98.0, 80.0
LEFT, HEADER, ZONE = 258.0, 226.0, 140.0  # of the rows: their left edge, their text, each zone
RIGHT = LEFT + HEADER + 3 * ZONE
SHARED, DIRECTORY = "sg_endpoints", "sg_directory"
MOST_IN_A_CELL, CROWDED, ACROSS = (
    2,
    76.0,
    3,
)  # components of a group in a zone; pixels from one regional service to the next
PEOPLE = "identity_center"  # stands next to the directory that it reads
GUARD = Line("#B7791F", "dashed", 1.4)
OPEN = Line("#334E68", "solid", 1.6)


def draw(platform: Platform) -> bytes:
    """The network and security view as SVG."""
    rows = {group.id: TOP + i * PITCH for i, group in enumerate(platform.security_group)}
    bottom = TOP + len(rows) * PITCH
    with Sheet("InduTech: network and security", WIDTH, bottom + 56) as sheet:
        sheet.text("InduTech: network and security", (WIDTH / 2, 20), 20, bold=True)
        _plant(sheet, platform, bottom)
        _vpc(sheet, platform, bottom)
        for group in platform.security_group:
            _row(sheet, platform, group, rows[group.id])
        _openings(sheet, platform, rows)
        _regional(sheet, platform, rows, bottom)
        _legend(sheet, platform, bottom + 34)
    return sheet.svg()


def _plant(sheet: Sheet, platform: Platform, bottom: float) -> None:
    sheet.frame("Plant", (12, 42), (118, bottom - 54), font=15, **LOOK_PLANT)
    sheet.frame("Boundary", (140, 42), (88, bottom - 54), font=15, **LOOK_BOUNDARY)
    for x, boxes in ((71, platform.at("on_premise")), (184, platform.at("boundary"))):
        for i, component in enumerate(boxes):
            y = 42 + (bottom - 54) * (i + 0.5) / len(boxes)
            sheet.icon(icon(component), (x, y), 38)
            sheet.text(component.name.replace(" VPN", "\\nVPN"), (x, y + (39 if " VPN" in component.name else 31)), 13)
    router, tunnels = 42 + (bottom - 54) * 0.25, 42 + (bottom - 54) * 0.75
    sheet.line([(130, router), (162, router)], OPEN, "both")
    sheet.line([(184, router + 62), (184, tunnels - 26)], OPEN, "both")
    sheet.chip("2 IPsec\\ntunnels", (184, (router + tunnels) / 2), (64, 38), OPEN, font=12)
    sheet.line([(206, tunnels), (228, tunnels)], OPEN, "none")


def _vpc(sheet: Sheet, platform: Platform, bottom: float) -> None:
    title = f"Account Platform, VPC {platform.vpc_cidr}: private subnets only, no internet gateway, no NAT"
    sheet.frame(title, (LEFT - 20, 42), (RIGHT - LEFT + 44, bottom - 54), fill="#F6FBF6", color="#22543D", font=14)
    for i, subnet in enumerate(platform.subnet):
        corner = (LEFT + HEADER + i * ZONE + 4, 70.0)
        look = Look(fill="#FFFFFF", color="#486581", style="dashed,filled")
        sheet.frame(subnet.zone, corner, (ZONE - 8, bottom - 90), font=13, **look)
        sheet.text(subnet.cidr, (corner[0] + ZONE / 2 - 4, 104), 12, color=MUTED)


def _row(sheet: Sheet, platform: Platform, group: SecurityGroup, top: float) -> None:
    """One security group: what it lets in, and the components that it protects in each zone."""
    middle = top + ROW / 2
    size = (RIGHT - LEFT, ROW)
    sheet.box((LEFT + size[0] / 2, middle), size, border=GUARD.color, style="rounded,dashed", width=1.4)
    lines = _let_in(platform, group)
    sheet.text(group.id, (LEFT + HEADER / 2, middle - 7.5 * len(lines) - 2), 13.5, bold=True, color=GUARD.color)
    sheet.text("\\n".join(lines), (LEFT + HEADER / 2, middle + 9), 12.5, color=INK)
    for i, subnet in enumerate(platform.subnet):
        inside = [component for component in _guarded(platform, group) if subnet.id in component.subnets]
        if len(inside) > MOST_IN_A_CELL:
            raise DiagramError(
                f"{group.id!r} guards {len(inside)} components in {subnet.zone}; a row has room for {MOST_IN_A_CELL}. "
                "Give one a security group of its own in assets/platform.toml."
            )
        for j, component in enumerate(inside):
            x = LEFT + HEADER + (i + (j + 0.5) / len(inside)) * ZONE
            _in_its_zone(sheet, platform, component, (x, middle), alone=len(inside) == 1)


def _in_its_zone(sheet: Sheet, platform: Platform, component: Component, at: Point, *, alone: bool) -> None:
    """Icon, name and key of a component; smaller beside another one."""
    (x, y), size = at, 40 if alone else 26
    sheet.icon(icon(component), (x, y - 12), size)
    name = component.name if alone else short_name(component, 10)
    sheet.text(name, (x, y + (19 if alone else 16)), 12.5 if alone else 12, bold=True)
    if component.key:
        sheet.icon(icon(platform[component.key]), (x + size / 2 + 14, y - 12), 18 if alone else 12)


def _guarded(platform: Platform, group: SecurityGroup) -> list[Component]:
    return [component for component in platform.component if component.security_group == group.id]


def _let_in(platform: Platform, group: SecurityGroup) -> list[str]:
    """`from bridge, spark: 9093`, wrapped."""
    origins: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for opening in group.inbound:
        origins[opening.ports].append("itself" if opening.origin == group.id else opening.origin.removeprefix("sg_"))
    rules = [f"from {', '.join(who)}: {', '.join(ports)}" for ports, who in origins.items()] or ["nothing may come in"]
    for flow in _reaching_out(platform, group):
        rules.append(f"out to {platform.reached(flow).name}: {', '.join(flow.ports)}")
    return [line for rule in rules for line in textwrap.wrap(rule, 38)]


def _reaching_out(platform: Platform, group: SecurityGroup) -> list[Flow]:
    """Flows for which a component of this group opens a connection into the plant."""
    crossing = [flow for flow in platform.flow if platform.crosses(flow)]
    return [flow for flow in crossing if platform.opener(flow).security_group == group.id]


def _openings(sheet: Sheet, platform: Platform, rows: dict[str, float]) -> None:
    """Arrows: the plant into a row, a row into the next, and one line for all that use the endpoints."""
    order = list(rows)
    middle = {group: top + ROW / 2 for group, top in rows.items()}
    for group in platform.security_group:
        for opening in group.inbound:
            if opening.origin == PLANT:
                sheet.line([(228, middle[group.id]), (LEFT, middle[group.id])], OPEN)
            elif group.id != SHARED and opening.origin != group.id:
                _between_rows(sheet, order, rows, opening.origin, group.id)
        for _ in _reaching_out(platform, group):
            sheet.line([(LEFT, middle[group.id]), (228, middle[group.id])], OPEN)
    shared = next(group for group in platform.security_group if group.id == SHARED)
    users = [opening.origin for opening in shared.inbound if opening.origin != PLANT]
    highest, *others = sorted(users, key=lambda origin: rows[origin])
    far = RIGHT + 12
    way = [(RIGHT, middle[highest]), (far, middle[highest]), (far, middle[SHARED]), (RIGHT, middle[SHARED])]
    sheet.line(way, LINES["request"])
    for origin in others:
        sheet.line([(RIGHT, middle[origin]), (far, middle[origin])], LINES["request"], "none")


def _between_rows(sheet: Sheet, order: list[str], rows: dict[str, float], origin: str, group: str) -> None:
    if abs(order.index(origin) - order.index(group)) != 1:
        raise DiagramError(f"{group!r} lets {origin!r} in: list them next to each other in platform.toml to draw it.")
    down = rows[group] > rows[origin]
    x = LEFT + HEADER + (30 if down else 46) - 60
    start, end = (rows[origin] + ROW, rows[group]) if down else (rows[origin], rows[group] + ROW)
    sheet.line([(x, start), (x, end)], OPEN)


def _regional(sheet: Sheet, platform: Platform, rows: dict[str, float], bottom: float) -> None:
    x, width = RIGHT + 52, WIDTH - RIGHT - 64
    sheet.frame("AWS, regional", (x, 42), (width, bottom - 54), fill=TINTS["regional"], color="#243B53", font=14)
    regional = [component for component in platform.at("aws") if component.regional and component.id != PEOPLE]
    services = [component for component in regional if not component.account]
    directory, shared = rows[DIRECTORY] + ROW / 2, rows[SHARED] + ROW / 2
    first = 124.0
    rows_of = -(-len(services) // ACROSS)
    pitch = min(90.0, (directory - 70 - first) / max(1, rows_of - 1))
    if pitch < CROWDED:
        raise DiagramError(
            f"The network view has no room for {len(services)} regional services: widen it in network.py."
        )
    lowest = first + (rows_of - 1) * pitch
    own = Look(fill=TINTS["regional"], color="#243B53", style="dashed,filled")
    sheet.frame("Account Platform", (x + 10, 68), (width - 20, lowest - 68 + 56), font=12, **own)
    for i, component in enumerate(services):
        _service(sheet, platform, component, (x + width * (0.19 + 0.3 * (i % ACROSS)), first + (i // ACROSS) * pitch))
    _accounts(sheet, platform, [c for c in regional if c.account], (x + 10, width - 20), (lowest, directory))
    _service(sheet, platform, platform[PEOPLE], (x + width / 2, directory))
    sheet.line([(RIGHT, directory), (x + width / 2 - 26, directory)], LINES["sync"])
    sheet.text("AD sync", (x + 42, directory - 11), 12, color=LINES["sync"].color)
    sheet.line([(RIGHT, shared + 22), (x, shared + 22)], LINES["request"])
    sheet.text(_ways(platform), (x + width / 2 + 8, shared + 6), 12.5, color=MUTED)


def _ways(platform: Platform) -> str:
    """How AWS services are reached, and what limits it."""
    bound = sum(endpoint.resources == "organisation" for endpoint in platform.endpoint)
    return (
        f"{len(platform.endpoint)} endpoints, port 443, a policy on each:\\nonly roles of the organisation; {bound} of "
        f"them\\nreach only resources of the organisation.\\nNames: only {', '.join(platform.names.answered)}"
    )


def _accounts(
    sheet: Sheet, platform: Platform, apart: list[Component], across: tuple[float, float], between: tuple[float, float]
) -> None:
    """The other accounts as frames, one below the other; that of the people's sign-on stands beside the directory."""
    (x, width), (top, directory) = across, between
    home = platform[PEOPLE].account
    others = [account for account in platform.account if account.id not in (home, "platform")]
    pitch = (directory - 70 - top - 62) / max(1, len(others))
    look = Look(fill=PAPER, color="#243B53", style="dashed,filled")
    for i, account in enumerate(others):
        y = top + 62 + i * pitch
        sheet.frame(f"Account {account.name}", (x, y), (width, pitch - 8), font=12, **look)
        inside = [component for component in apart if component.account == account.id]
        for j, component in enumerate(inside):
            _service(sheet, platform, component, (x + width * (j + 0.5) / len(inside), y + pitch / 2))
        if not inside:
            words = textwrap.wrap(account.holds.partition(":")[0], 30)
            sheet.text("\\n".join(words), (x + width / 2, y + pitch / 2), 12, color=MUTED)
    [manages] = [account for account in platform.account if account.id == home]
    sheet.frame(f"Account {manages.name}", (x, directory - 58), (width, 120), font=12, **look)


def _service(sheet: Sheet, platform: Platform, component: Component, at: tuple[float, float]) -> None:
    sheet.icon(icon(component), at, 42)
    first, _, rest = component.name.rpartition(" ") if len(component.name) > 12 else (component.name, "", "")
    sheet.text(f"{first}\\n{rest}" if rest else first, (at[0], at[1] + (38 if rest else 31)), 12, bold=True)
    if component.key:
        sheet.icon(icon(platform[component.key]), (at[0] + 34, at[1]), 18)


def _legend(sheet: Sheet, platform: Platform, y: float) -> None:
    sheet.line([(24, y), (68, y)], OPEN)
    sheet.text("may open a connection", (140, y), 12.5)
    sheet.line([(230, y), (274, y)], LINES["request"])
    sheet.text("through an endpoint to AWS services", (384, y), 12.5)
    sheet.box((510, y), (28, 16), style="rounded,dashed", border=GUARD.color, width=1.4)
    sheet.text("security group: only what is written comes in", (662, y), 12.5)
    sheet.icon(icon(platform["kms"]), (812, y), 18)
    sheet.text("encrypted at rest with a key of KMS", (926, y), 12.5)
