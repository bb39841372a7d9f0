"""Renders the drawings of the platform as SVG or PNG, and writes them to files."""

from pathlib import Path

from indutech.architecture.diagrams import (
    canvas,
    data,
    described,
    failure,
    network,
    overview,
    poc,
    threats,
    waves,
    ways,
)
from indutech.architecture.diagrams.icons import DiagramError
from indutech.architecture.model import Format, Platform, View
from indutech.show.pictures import Picture
from indutech.system.settings import PROJECT

DIAGRAMS = PROJECT / "assets" / "diagrams"
PNG_WIDTH = 1600
NOTEBOOK_WIDTH = 1200  # where no SVG is drawn; a page of a notebook is no wider


_DRAW = {
    View.OVERVIEW: overview.draw, View.NETWORK: network.draw, View.POC: poc.draw, View.FAILURE: failure.draw,
    View.WAYS: ways.draw, View.THREATS: threats.draw, View.DATA: data.draw, View.WAVES: waves.draw,
}  # fmt: skip


def svg(view: View | str, platform: Platform) -> bytes:
    """One view as SVG, with its icons and letters inside; the same model gives the same bytes."""
    return _DRAW[View(view)](platform)


def picture(view: View | str, platform: Platform, form: Format = Format.SVG) -> bytes:
    """One view in that format."""
    drawn = svg(view, platform)
    return drawn if form is Format.SVG else canvas.png(drawn, PNG_WIDTH)


def shown(view: View | str, platform: Platform) -> Picture:
    """One view as a notebook shows it, with its alternative text."""
    drawn = svg(view, platform)
    return Picture(drawn, canvas.png(drawn, NOTEBOOK_WIDTH), described.sentence(View(view), platform))


def write(
    platform: Platform, folder: Path = DIAGRAMS, views: tuple[View, ...] = tuple(View), form: Format = Format.SVG
) -> list[Path]:
    """Write the views into `folder`; returns the files.

    Raises:
        DiagramError: naming the folder that cannot be written.
    """
    files = {folder / f"{view}.{form}": picture(view, platform, form) for view in views}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            file.write_bytes(content)
    except OSError as error:
        raise DiagramError(
            f"No drawing can be written to {folder}: {error.strerror}. Choose another --output."
        ) from None
    return list(files)
