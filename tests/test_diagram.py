"""The drawings are complete, self-contained and the same each time."""

import base64
import copy
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indutech.architecture import failures, tables
from indutech.architecture.diagrams import overview, render
from indutech.architecture.diagrams.canvas import Line, Sheet
from indutech.architecture.diagrams.icons import DiagramError
from indutech.architecture.diagrams.style import KIND_WORDS
from indutech.architecture.model import Format, Platform, View
from indutech.architecture.platform import checked, facts, platform, read
from indutech.cli.app import app
from indutech.system.settings import PROJECT

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module", params=list(View))
def drawn(request: pytest.FixtureRequest) -> bytes:
    """Each view, drawn now."""
    return render.svg(request.param, platform())


def words(svg: bytes) -> str:
    """All that can be read in a drawing, in one line."""
    return " ".join(text for element in ET.fromstring(svg).iter(f"{SVG}text") if (text := element.text))  # noqa: S314


def packed(text: str) -> str:
    """Without spaces and quotes: where a line breaks does not matter."""
    return re.sub(r"[\s`]", "", text)


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
    for icon in icons:
        assert icon.startswith("data:image/png;base64,")
        assert base64.b64decode(icon.partition(",")[2]).startswith(b"\x89PNG")
    outside = set(re.findall(r"(?:https?:)?//[^\s\"')]+", re.sub(r"base64,[A-Za-z0-9+/=]+", "", drawn.decode())))
    assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert drawn.count(b"@font-face") == 2


@pytest.mark.parametrize(
    ("view", "least"), [(View.OVERVIEW, 28), (View.NETWORK, 28), (View.POC, 11), (View.THREATS, 28), (View.DATA, 7)]
)
def test_components_are_drawn_with_their_icons(view: View, least: int) -> None:
    """A box without its picture would be a table."""
    assert len(list(ET.fromstring(render.svg(view, platform())).iter(f"{SVG}image"))) >= least  # noqa: S314


PRINTED = (1085.0, 672.8)  # CSS pixels of landscape A4 less margins and caption: assets/report/report.css
SIX_POINTS = 6 * 96 / 72


def test_the_smallest_words_are_six_points_in_print(drawn: bytes) -> None:
    """A drawing is as large as its page lets it be, and is read without a lens."""
    root = ET.fromstring(drawn)  # noqa: S314
    scale = min(of / float(root.get(side, 0)) for of, side in zip(PRINTED, ("width", "height"), strict=True))
    smallest = min(float(text.get("font-size", 0)) for text in root.iter(f"{SVG}text"))

    assert smallest * scale >= SIX_POINTS


def test_the_report_prints_a_drawing_on_a_page_of_its_own() -> None:
    """With its caption, on the page that the sizes above are for; and on a phone a sign that a drawing can be moved."""
    style = (PROJECT / "assets" / "report" / "report.css").read_text()
    assert "@page drawing { size: A4 landscape; margin: 7mm 5mm 11mm; }" in style
    assert ".drawing, .text > .picture { page: drawing;" in style
    assert "max-height: 178mm" in style
    assert "data-sideways" in style


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
        wide = len(text.text or "") * float(text.get("font-size", 0)) * 0.56
        left = float(text.get("x", 0)) - (0 if text.get("text-anchor") == "start" else wide / 2)
        assert left >= -1, text.text
        assert left + wide <= width + (1 if text.get("text-anchor") != "start" else 24), text.text
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
    undrawn = {flow.id for flow in model.flow if flow.carries != "operations"} - {
        f.id for f in overview.drawn_flows(model)
    }
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


def test_the_ways_view_says_for_each_way_what_limits_it_and_what_remains() -> None:
    """No way without its gate, and none without what the gate lets through."""
    model = platform()
    said = packed(words(render.svg(View.WAYS, model)))
    for way in model.way_out:
        for part in (way.way, way.how, way.limited_by, way.remains):
            assert packed(part) in said, part


def test_the_migration_view_has_every_step_in_order() -> None:
    """Size, weeks, condition and way back of each step; the bars follow each other."""
    model = platform()
    drawn = render.svg(View.WAVES, model)
    said = packed(words(drawn))
    for wave in model.wave:
        for part in (f"{wave.order}{wave.what}", wave.size, wave.go, wave.back):
            assert packed(part) in said, part
    bars = [float(text.get("x", 0)) for text in ET.fromstring(drawn).iter(f"{SVG}text")  # noqa: S314
            if text.get("font-weight") == "bold" and (text.text or "").isdigit()]  # fmt: skip
    assert bars == sorted(bars)
    assert len(bars) == len(model.wave)


def test_the_data_view_shows_each_class_wherever_it_lies() -> None:
    """A chip in each component that holds it, in the colour of its level, and a card that says who reads it."""
    model = platform()
    said = words(render.svg(View.DATA, model))
    for data in model.data_class:
        name = data.name.replace("`", "")
        assert said.count(name) == len(data.where) + 1, name
        assert f"{name}: {data.level}" in said
        assert packed(data.protection) in packed(said)


def test_a_level_without_a_colour_is_refused() -> None:
    """A class that the picture cannot tell from another is no class."""
    content = copy.deepcopy(facts())
    content["data_class"][0]["level"] = "cosmic"
    with pytest.raises(DiagramError, match="'Sensor readings' is 'cosmic'; levels are internal, personal"):
        render.svg(View.DATA, checked(content))


def test_the_threat_view_names_what_is_open_and_what_half() -> None:
    """The letters are those of the table: an answer that is taken away turns red."""
    content = copy.deepcopy(facts())
    next(flow for flow in content["flow"] if flow["id"] == "sensor_events")["proves"] = ""
    before, after = (words(render.svg(View.THREATS, model)) for model in (platform(), checked(content)))
    numbers = {flow.id: platform().number(flow) for flow in platform().flow}

    assert f"{numbers['directory_names']} RDE open: STI" in before
    assert f"{numbers['events_in']} STIDE partly: R" in before
    assert f"{numbers['directory_trust']} SRDE partly: TI" in before, "time is not encrypted"
    assert f"{numbers['sensor_events']} STRIDE answered" in before
    assert f"{numbers['sensor_events']} TRIDE open: S" in after


def model_with(component: dict[str, Any], *flows: dict[str, Any]) -> Platform:
    """The model with one more component, made of Budgets, and flows, made of Spark's to the lake."""
    content = copy.deepcopy(facts())
    budgets = next(entry for entry in content["component"] if entry["id"] == "budgets")
    to_lake = next(entry for entry in content["flow"] if entry["id"] == "events_to_lake")
    content["component"].append(budgets | {"id": "grafana", "name": "Grafana", "icon": ""} | component)
    content["flow"] += [to_lake | flow for flow in flows]
    return checked(content)


def test_a_component_without_flow_and_place_stands_in_the_panel() -> None:
    """What everything uses needs no place of its own, and no icon."""
    assert "Grafana" in words(render.svg(View.OVERVIEW, model_with({})))
    assert "Grafana" in words(render.svg(View.NETWORK, model_with({})))


DATA = {"id": "looked_at", "target": "grafana", "label": "views"}


@pytest.mark.parametrize(
    ("component", "flows", "sentence"),
    [
        ({}, [DATA], "'grafana' takes part in the flow 'looked_at' and needs a place"),
        ({"place": ["b", 3]}, [DATA], "'s3_lake' and 'grafana' have the same place"),
        ({"place": ["c", 6]}, [DATA], "'grafana' stands where the panel of shared services is"),
        ({"place": ["d", 1]}, [DATA], "'grafana' cannot stand at 'd', 1: columns a, b, c"),
        ({"place": ["plant", 1]}, [DATA], "'grafana' cannot stand at 'plant', 1"),
        ({"icon": "aws.database.Dynamo"}, [], "asks for the icon 'aws.database.Dynamo'.* Near it .*DynamodbDax"),
        ({"icon": "grafana.svg"}, [], "asks for the icon 'grafana.svg'.*bridge.svg"),
        ({"icon": "Grafana"}, [], "Names are like aws.database.RDS"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_named_with_the_file_to_change(
    component: dict[str, Any], flows: list[dict[str, Any]], sentence: str
) -> None:
    """Nothing is drawn over something else, or left out."""
    with pytest.raises(DiagramError, match=sentence) as refused:
        render.svg(View.OVERVIEW, model_with(component, *flows))
    assert "assets/platform.toml" in str(refused.value)


def test_an_arrow_goes_round_a_component_that_is_put_in_its_way() -> None:
    """Between Spark and the catalog there is a place; the arrow that was straight gets corners."""
    straight = render.svg(View.OVERVIEW, platform())
    moved = render.svg(View.OVERVIEW, model_with({"place": ["c", 4]}, DATA))
    assert "Grafana" in words(moved)
    assert moved.count(b"<path") > straight.count(b"<path")


def test_an_arrow_without_a_free_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader is told what to move."""
    monkeypatch.setattr(overview, "way", lambda *_: None)
    with pytest.raises(DiagramError, match=r"flow 'sign_in' .* finds no free way .*assets/platform.toml"):
        render.svg(View.OVERVIEW, platform())


def test_a_label_that_would_cover_a_box_is_named() -> None:
    """Between two boxes of a row there is room for a few words."""
    content = copy.deepcopy(facts())
    next(flow for flow in content["flow"] if flow["id"] == "balanced_events")["label"] = "MQTT and HTTPS, all over TLS"
    with pytest.raises(DiagramError, match=r"label of flow 'balanced_events' lies on 'nlb'.*assets/platform.toml"):
        render.svg(View.OVERVIEW, checked(content))


def test_the_panel_says_when_it_is_full() -> None:
    """Twelve services have room in it."""
    content = copy.deepcopy(facts())
    budgets = next(entry for entry in content["component"] if entry["id"] == "budgets")
    content["component"] += [budgets | {"id": f"one_more_{i}"} for i in range(3)]
    with pytest.raises(DiagramError, match="holds 12 components, not 13: give 'one_more_2' a place"):
        render.svg(View.OVERVIEW, checked(content))


def test_two_components_of_one_security_group_stand_side_by_side() -> None:
    """Neither hides the other, in the picture and in the table."""
    beside = {"regional": False, "subnets": ["private_a"], "security_group": "sg_redshift"}
    model = model_with(beside)
    said = words(render.svg(View.NETWORK, model))
    assert "Grafana" in said
    assert "Redshift" in said
    [guarded] = [
        row["guards"] for _, row in tables.security_groups(model).iterrows() if row["security group"] == "sg_redshift"
    ]
    assert guarded == "Redshift, Grafana"


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


def test_the_numbers_are_those_of_the_list() -> None:
    """A flow has one number in drawing and table."""
    model = platform()
    said = words(render.svg(View.OVERVIEW, model))
    listed = tables.flows(model, ("data", "identity", "operations"))

    for flow, (_, row) in zip(model.flow, listed.iterrows(), strict=True):
        assert row["no."] == str(model.number(flow))
        if flow in overview.drawn_flows(model):
            assert f"{row['no.']} {flow.label}" in said


def test_the_legend_has_what_is_drawn_and_nothing_else() -> None:
    """The proof of concept has no batches."""
    said = words(render.svg(View.POC, platform()))
    drawn_kinds = {flow.kind for flow in platform().poc_flow}

    assert {kind for kind, text in KIND_WORDS.items() if text in said} == drawn_kinds == {"stream", "sync", "request"}


def test_the_failure_view_says_what_the_tables_say() -> None:
    """As many letters as there are components stopped, with old data, and keeping data, over all outages."""
    model = platform()
    ends = [failures.outage(model, name) for name in model.ids]
    texts = [element.text for element in ET.fromstring(render.svg(View.FAILURE, model)).iter(f"{SVG}text")]  # noqa: S314
    kept = [{c.id for c in end.buffered_in} - set(end.stopped) for end in ends]

    assert texts.count("S") - 1 == sum(len(end.stopped) for end in ends)  # one of each is in the legend
    assert texts.count("W") - 1 == sum(map(len, kept))
    assert texts.count("o") - 1 == sum(len(set(end.stale) - waits) for end, waits in zip(ends, kept, strict=True))


def test_both_models_can_be_drawn() -> None:
    """The edge broker has its place, and the network view its row of brokers."""
    edge = read(PROJECT / "assets" / "platform-edge.toml")

    for view in View:
        drawn = words(render.svg(view, edge))
        assert "Edge broker" in drawn or view in (View.WAYS, View.DATA, View.WAVES), view
