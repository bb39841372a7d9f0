"""The migration: one bar a step over the weeks, with its size, the condition for the next step, and the way back."""

from indutech.architecture.diagrams.canvas import INK, MUTED, Line, Sheet
from indutech.architecture.diagrams.style import LOOK_AWS
from indutech.architecture.model import Platform
from indutech.architecture.plan import Wave

WIDTH, LEFT, RIGHT = 1180.0, 330.0, 1156.0
TOP, PITCH, BAR = 96.0, 92.0, 26.0
NOTE = 520.0  # width of the two notes beside a bar
GRID, GATE = Line("#CBD2D9", "dotted", 1.0), "#15702F"
TICK = 4  # weeks


def draw(platform: Platform) -> bytes:
    """The migration as SVG."""
    total = sum(wave.weeks for wave in platform.wave)
    bottom = TOP + len(platform.wave) * PITCH
    with Sheet("InduTech: migration, step by step", WIDTH, bottom + 50) as sheet:
        sheet.text("InduTech: migration, step by step", (WIDTH / 2, 20), 20, bold=True)
        sheet.text("step and size", (170, 66), 13, bold=True)
        sheet.text("weeks from the start; each step begins when the one before may be left", (743, 46), 13, bold=True)
        for week in range(0, int(total) + 1, TICK):
            x = _at(week, total)
            sheet.line([(x, 76), (x, bottom)], GRID, "none")
            sheet.text(str(week), (x, 66), 12.5, color=MUTED)
        start = 0.0
        for i, wave in enumerate(platform.wave):
            _row(sheet, wave, TOP + i * PITCH, (_at(start, total), _at(start + wave.weeks, total)))
            start += wave.weeks
        words = "Order, sizes and weeks are assumed; a step takes as long as its condition asks for."
        sheet.text(words, (WIDTH / 2, bottom + 26), 13, color=MUTED)
    return sheet.svg()


def _at(week: float, total: float) -> float:
    return LEFT + (RIGHT - LEFT) * week / total


def _row(sheet: Sheet, wave: Wave, top: float, across: tuple[float, float]) -> None:
    (x, end), y = across, top + BAR / 2
    used = sheet.note(f"{wave.order}  {wave.what}", (16, top), LEFT - 34, 14, bold=True)
    sheet.note(wave.size, (32, top + used + 3), LEFT - 50, 12.5, color=MUTED)
    sheet.box(((x + end) / 2, y), (end - x, BAR), style="filled", fill="#DCE9F7", border=LOOK_AWS["color"])
    sheet.text(f"{wave.weeks:g}", ((x + end) / 2, y), 13, bold=True, color=INK)
    sheet.box((end, y), (16, 16), fill=GATE, border=GATE, style="filled", shape="diamond")
    left = max(LEFT, min(x, RIGHT - NOTE))
    used = sheet.note(f"Next step when: {wave.go}", (left, top + BAR + 5), NOTE, 12.5, color=GATE)
    sheet.note(f"Way back: {wave.back}", (left, top + BAR + 7 + used), NOTE, 12.5, color=MUTED)
