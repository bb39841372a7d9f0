"""The drawings are complete, self-contained and the same each time."""

import base64
import copy
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indutech.architecture.diagrams import overview, render
from indutech.architecture.diagrams.canvas import Line, Sheet
from indutech.architecture.diagrams.style import KIND_WORDS, DiagramError
from indutech.architecture.model import Format, View
from indutech.architecture.platform import checked, facts, platform
from indutech.cli.app import app

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module", params=list(View))
def drawn(request: pytest.FixtureRequest) -> bytes:
    """Each view, drawn now."""
    return render.svg(request.param, platform())


def words(svg: bytes) -> str:
    """All that can be read in a drawing, in one line."""
    return " ".join(text for element in ET.fromstring(svg).iter(f"{SVG}text") if (text := element.text))  # noqa: S314


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither a clock nor a random id is in a drawing."""
    for folder in ("once", "twice"):
        result = CliRunner().invoke(app, ["diagram", "--output", str(tmp_path / folder)])
        assert result.exit_code == 0, result.output
    for view in View:
        once, twice = (tmp_path / folder / f"{view}.svg" for folder in ("once", "twice"))
        assert once.read_bytes() == twice.read_bytes()


def test_nothing_is_fetched_from_anywhere(drawn: bytes) -> None:
    """Icons and letters are inside, so that a drawing can be mailed; each icon is a real picture."""
    icons = [element.get(LINK, "") for element in ET.fromstring(drawn).iter(f"{SVG}image")]  # noqa: S314
    assert len(icons) >= 11
    for icon in icons:
        assert icon.startswith("data:image/png;base64,")
        assert base64.b64decode(icon.partition(",")[2]).startswith(b"\x89PNG")
    outside = set(re.findall(r"(?:https?:)?//[^\s\"')]+", re.sub(r"base64,[A-Za-z0-9+/=]+", "", drawn.decode())))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert drawn.count(b"@font-face") == 2


def test_no_path_of_this_machine_is_inside(drawn: bytes) -> None:
    """Where the icons came from is nobody's business."""
    plain = re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", drawn)
    assert b"site-packages" not in plain
    assert str(Path.home()).encode() not in plain
    assert b"/assets/" not in plain


def test_nothing_stands_outside_the_sheet(drawn: bytes) -> None:
    """What is drawn beyond the edge is cut."""
    root = ET.fromstring(drawn)  # noqa: S314
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    [shift] = re.findall(rb"translate\(([-0-9. ]+)\)", drawn)
    assert [float(part) for part in shift.split()] == pytest.approx([0, height], abs=1), "something is beyond the edge"
    for text in root.iter(f"{SVG}text"):
        half = len(text.text or "") * float(text.get("font-size", 0)) * 0.28
        assert float(text.get("x", 0)) - half >= -1, text.text
        assert float(text.get("x", 0)) + half <= width + 1, text.text
        assert -height - 1 <= float(text.get("y", 0)) <= 1, text.text


def test_the_overview_has_every_component_every_kind_and_every_crossing() -> None:
    """Nothing of the model is missing in the picture of the whole."""
    model = platform()
    said = words(render.svg(View.OVERVIEW, model))
    for component in model.component:
        shown = component.name.replace("VPC endpoints", "Endpoints")
        assert shown in said or shown.split()[0] in said, component.id
    for kind in KIND_WORDS.values():
        assert kind in said
    for flow in overview.drawn_flows(model):
        assert flow.label in said, flow.id
        assert flow.kind in said
    undrawn = {flow.id for flow in model.flow if flow.carries != "care"} - {f.id for f in overview.drawn_flows(model)}
    assert undrawn == set()


def test_the_network_view_has_every_group_subnet_and_port() -> None:
    """Each rule of each security group can be read."""
    model = platform()
    said = words(render.svg(View.NETWORK, model))
    for part in (*model.security_group, *model.subnet):
        assert getattr(part, "cidr", part.id) in said
    for group in model.security_group:
        for opening in group.inbound:
            for port in opening.ports:
                assert port in said, (group.id, port)


def test_a_component_without_a_place_is_named() -> None:
    """A box that was added to the model and not to the drawing is missed, not left out."""
    spoiled = copy.deepcopy(facts())
    budgets = next(entry for entry in spoiled["component"] if entry["id"] == "budgets")
    spoiled["component"].append(budgets | {"id": "grafana", "name": "Grafana"})
    with pytest.raises(DiagramError, match="'grafana' has no place in the overview"):
        render.svg(View.OVERVIEW, checked(spoiled))


def test_a_png_has_letters_without_system_fonts(tmp_path: Path) -> None:
    """The project's own font is used: words leave ink where an empty sheet has none."""
    with Sheet("blank", 80, 30) as blank:
        pass
    with Sheet("words", 80, 30) as worded:
        worded.text("Redpanda", (40, 15), 14)
    from indutech.architecture.diagrams.canvas import png

    assert len(png(worded.svg(), 80)) > len(png(blank.svg(), 80)) + 200
    [file] = render.write(platform(), tmp_path, (View.POC,), Format.PNG)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_two_way_arrow_has_two_heads() -> None:
    """The trust between directories points both ways, at the places given."""
    with Sheet("arrow", 200, 40) as sheet:
        sheet.line([(20, 20), (180, 20)], Line("#000000"), "both")
    drawn = sheet.svg().decode()
    assert len(re.findall(r'<polygon fill="#000000"', drawn)) == 2
    heads = re.findall(r'<polygon fill="#000000"[^>]*points="([^"]+)"', drawn)
    tips = {float(point.split(",")[0]) for head in heads for point in head.split()}
    assert min(tips) == pytest.approx(20, abs=4)  # the stroke adds its miter
    assert max(tips) == pytest.approx(180, abs=4)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """One sentence, not a traceback."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiagramError, match="file"):
        render.write(platform(), tmp_path / "file")
