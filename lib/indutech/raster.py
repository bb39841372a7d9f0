"""Pixels from SVG without a system library: small icons for the drawings, and drawings as PNG."""

import base64
from functools import lru_cache
from pathlib import Path

import resvg_py

from indutech.settings import PROJECT

FONTS = PROJECT / "assets" / "fonts"
ICON_PIXELS = 96  # drawn at 42 or less: sharp on a dense screen, and a tenth of the weight of the 300-pixel originals


def png(svg: bytes, width: int) -> bytes:
    """A drawing as a PNG of that width, with the project's own letters."""
    fonts = [str(FONTS / f"Arimo-{weight}.ttf") for weight in ("Regular", "Bold")]
    pixels: bytes = resvg_py.svg_to_bytes(
        svg_string=svg.decode(), width=width, font_files=fonts, skip_system_fonts=True, sans_serif_family="Arimo"
    )
    return bytes(pixels)


@lru_cache
def small_icon(file: Path) -> bytes:
    """A picture as a small PNG."""
    if file.suffix == ".svg":
        return bytes(resvg_py.svg_to_bytes(svg_path=str(file), width=ICON_PIXELS, skip_system_fonts=True))
    data = base64.b64encode(file.read_bytes()).decode()
    image = f'<image width="{ICON_PIXELS}" height="{ICON_PIXELS}" xlink:href="data:image/png;base64,{data}"/>'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    svg = f'<svg {spaces} width="{ICON_PIXELS}" height="{ICON_PIXELS}">{image}</svg>'
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
