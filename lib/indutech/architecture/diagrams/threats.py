"""The threat view: the overview with STRIDE at each arrow, and below it what the letters mean."""

from indutech.architecture.diagrams.canvas import MUTED, Line, Sheet
from indutech.architecture.diagrams.overview import Said, drawn_flows, laid_out
from indutech.architecture.model import Flow, Platform
from indutech.architecture.threats import LETTERS, letters

ANSWERED, PARTLY, OPEN = Line("#15702F", "solid", 1.8), Line("#8A5A00", "dashed", 2.0), Line("#A61B1B", "bold", 2.4)
MEANING = "S spoofing   T tampering   R repudiation   I information disclosure   D denial of service   E elevation"


def draw(platform: Platform) -> bytes:
    """The threat view as SVG."""
    said = {flow.id: _said(platform, flow) for flow in platform.flow}
    others = [flow for flow in platform.flow if flow not in drawn_flows(platform)]
    halves = [f"{said[flow.id].first} {said[flow.id].second}" for flow in others if said[flow.id].line is not ANSWERED]
    with laid_out(platform, "InduTech: threats, flow by flow", said, foot=64) as (sheet, bottom):
        sheet.text(MEANING, (590, bottom + 14), 12.5, bold=True)
        words = f"{len(others)} flows of secrets, logs, backups and operators are not drawn; not fully answered: "
        sheet.text(words + (", ".join(halves) or "none"), (590, bottom + 32), 12.5, color=MUTED)
        _legend(sheet, bottom + 51)
    return sheet.svg()


def _said(platform: Platform, flow: Flow) -> Said:
    """The letters that are answered, then those that are not."""
    found = letters(platform, flow)
    missing = {state: "".join(x for x in LETTERS if found[x] == state) for state in ("answered", "partly", "open")}
    line = OPEN if missing["open"] else PARTLY if missing["partly"] else ANSWERED
    second = "; ".join(f"{state}: {missing[state]}" for state in ("open", "partly") if missing[state]) or "answered"
    return Said(f"{platform.number(flow)} {missing['answered'] or '–'}", second, line, line)


def _legend(sheet: Sheet, y: float) -> None:
    x = 150.0
    for line, words in (
        (ANSWERED, "all six have an answer in the model"),
        (PARTLY, "some have half an answer"),
        (OPEN, "some have none"),
    ):
        sheet.line([(x, y), (x + 44, y)], line)
        sheet.text(words, (x + 56 + len(words) * 3.1, y), 13)
        x += 96 + len(words) * 6.2
