"""The way of an arrow between two boxes of a grid: along rows, columns and the space between them, through no box."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from indutech.architecture.diagrams.canvas import Point

SHIFTS = (0.0, 22.0, -22.0, 44.0, -44.0)  # tried in turn, along the side of a box, where the middle is taken
CLEAR = 5.0  # pixels between a line and a box or another line beside it


@dataclass(frozen=True)
class Box:
    """A rectangle around a centre."""

    at: Point
    size: Point

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have more than an edge in common."""
        return all(
            abs(mine - theirs) < (own + its) / 2
            for mine, theirs, own, its in zip(self.at, other.at, self.size, other.size, strict=True)
        )

    def around(self, margin: float) -> "Box":
        """The same, larger by a margin on every side."""
        return Box(self.at, (self.size[0] + 2 * margin, self.size[1] + 2 * margin))


def way(
    ends: tuple[Box, Box],
    shift: Point,
    gaps: tuple[Sequence[float], Sequence[float]],
    boxes: Iterable[Box],
    taken: Iterable[Sequence[Point]],
) -> list[Point] | None:
    """The first free way, the simplest first; None if there is none.

    Args:
        ends: the boxes that it joins.
        shift: how far from the middle of its side it leaves the first box and enters the second, if that is free.
        gaps: the x between columns and the y between rows along which an arrow may run.
        boxes: what it may not touch.
        taken: the ways of other arrows, on which it may not lie.
    """
    boxes, taken = [box.around(CLEAR) for box in boxes], list(taken)
    inside = [box.around(-1) for box in ends]
    shifts = [shift, *((shift[0] + leaves, shift[1] + enters) for leaves, enters in product(SHIFTS, SHIFTS))]
    for points in (points for some in shifts for points in _candidates(*ends, some, gaps)):
        pieces = [_piece(*piece) for piece in pairwise(points)]
        others = [_piece(*piece).around(CLEAR) for other in taken for piece in pairwise(other)]
        touches = any(piece.overlaps(box) for piece in pieces for box in [*boxes, *inside])
        if not touches and not any(_lies_on(piece, other) for piece in pieces for other in others):
            return points
    return None


def _candidates(
    source: Box, target: Box, shift: Point, gaps: tuple[Sequence[float], Sequence[float]]
) -> Iterator[list[Point]]:
    """Straight, then with one corner, then with two, the nearest gap first."""
    (sx, sy), (tx, ty) = source.at, target.at
    (dx, dy), (leaves, enters) = ((source.size[0] / 2, source.size[1] / 2), shift)
    right, down = (1 if tx > sx else -1), (1 if ty > sy else -1)
    if sy == ty and leaves == enters:
        yield [(sx + right * dx, sy + leaves), (tx - right * dx, ty + leaves)]
    if sx == tx and leaves == enters:
        yield [(sx + leaves, sy + down * dy), (tx + leaves, ty - down * dy)]
    if sx != tx and sy != ty:
        yield [(sx + right * dx, sy + leaves), (tx + enters, sy + leaves), (tx + enters, ty - down * dy)]
        yield [(sx + leaves, sy + down * dy), (sx + leaves, ty + enters), (tx - right * dx, ty + enters)]
    columns, rows = gaps
    for y in sorted({(sy + ty) / 2, *rows}, key=lambda y: abs(y - (sy + ty) / 2)):
        if y not in (sy, ty):
            ends = (sy + (dy if y > sy else -dy), ty + (dy if y > ty else -dy))
            yield [(sx + leaves, ends[0]), (sx + leaves, y), (tx + enters, y), (tx + enters, ends[1])]
    for x in sorted(columns, key=lambda x: abs(x - (sx + tx) / 2)):
        ends = (sx + (dx if x > sx else -dx), tx + (dx if x > tx else -dx))
        yield [(ends[0], sy + leaves), (x, sy + leaves), (x, ty + enters), (ends[1], ty + enters)]


def _piece(start: Point, end: Point) -> Box:
    """The rectangle without breadth that a straight piece is."""
    (x, y), (x1, y1) = start, end
    return Box(((x + x1) / 2, (y + y1) / 2), (abs(x1 - x), abs(y1 - y)))


def _lies_on(piece: Box, other: Box) -> bool:
    """Whether it runs along the other; crossing it is fine."""
    across = [side > 2 * CLEAR + 1 for side in other.size]
    return piece.overlaps(other) and [side > 0 for side in piece.size] == across
