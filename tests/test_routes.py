"""Arrows of the overview go through no box, on no other arrow, and with as few corners as they can."""

from indutech.architecture.diagrams.routes import Box, way

SIZE = (100.0, 60.0)
COLUMNS, ROWS = [200.0, 400.0], [150.0, 250.0]  # between boxes at x 100, 300, 500 and y 100, 200, 300


def box(column: int, row: int) -> Box:
    """The box of that column and row, from 0."""
    return Box((100.0 + 200 * column, 100.0 + 100 * row), SIZE)


def corners(start: Box, end: Box, *others: Box, shift: tuple[float, float] = (0, 0), taken: object = ()) -> object:
    """The way between two boxes."""
    return way((start, end), shift, (COLUMNS, ROWS), others, taken)  # type: ignore[arg-type]


def test_boxes_of_one_row_or_column_are_joined_straight() -> None:
    """From the side of the one to the side of the other, at the shift asked for."""
    assert corners(box(0, 0), box(1, 0)) == [(150, 100), (250, 100)]
    assert corners(box(1, 2), box(1, 0), shift=(20, 20)) == [(320, 270), (320, 130)]


def test_the_other_corner_is_taken_when_a_box_is_in_the_way() -> None:
    """Across and down; down and across; with two corners between the rows."""
    assert corners(box(0, 0), box(1, 1)) == [(150, 100), (300, 100), (300, 170)]
    assert corners(box(0, 0), box(1, 1), box(1, 0)) == [(100, 130), (100, 200), (250, 200)]
    round_both = corners(box(0, 0), box(1, 1), box(1, 0), box(0, 1))
    assert round_both == [(100, 130), (100, 150), (300, 150), (300, 170)]


def test_a_box_between_two_of_a_row_is_gone_round() -> None:
    """Below it, between the rows."""
    assert corners(box(0, 0), box(2, 0), box(1, 0)) == [(100, 130), (100, 150), (500, 150), (500, 130)]


def test_two_arrows_do_not_lie_on_each_other() -> None:
    """The second of the same boxes goes elsewhere; a line that is only crossed is no hindrance."""
    straight = [(150.0, 100.0), (250.0, 100.0)]
    beside = [(150, 122), (250, 122)]
    assert corners(box(0, 0), box(1, 0), taken=[straight]) == [(100, 130), (100, 150), (300, 150), (300, 130)]
    assert corners(box(0, 0), box(1, 0), Box((200, 180), (300, 70)), taken=[straight]) == beside
    assert corners(box(0, 0), box(1, 0), taken=[[(200.0, 0.0), (200.0, 300.0)]]) == straight


def test_no_way_is_no_way() -> None:
    """Shut in on every side."""
    around = [Box((300, 100), (100, 400)), Box((100, 200), (100, 60))]
    assert corners(box(0, 0), box(2, 0), *around) is None
