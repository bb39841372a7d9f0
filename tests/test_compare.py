"""Two models compared: picture, money, what stops; the same each time."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.system.settings import PROJECT

CLOUD, EDGE = (str(PROJECT / "assets" / name) for name in ("platform.toml", "platform-edge.toml"))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The brokers in AWS against the edge broker."""
    result = CliRunner().invoke(app, ["compare", CLOUD, EDGE, "--json"])
    assert result.exit_code == 0, result.exception
    return json.loads(result.output)


def test_the_picture(found: dict[str, Any]) -> None:
    """What is added, what is gone."""
    assert found["components"]["added"] == ["edge_broker"]
    assert found["components"]["removed"] == ["nlb", "mqtt_bridge"]
    assert set(found["flows"]["added"]) == {"readings_taken", "readings_forwarded"}


def test_the_money_adds_up(found: dict[str, Any]) -> None:
    """The lines that differ are the difference of the totals; the plant's purchase is beside the bill."""
    bill = found["bill"]
    cents = sum(round(float(line["difference"]) * 100) for line in bill["lines"])

    assert cents == round(float(bill["difference"]) * 100)
    assert cents < 0
    assert {line["component"] for line in bill["lines"]} == {"nlb", "mqtt_bridge", "secrets_manager", "cloudwatch"}
    assert found["bought_by_the_plant_usd"][0] == 0 < found["bought_by_the_plant_usd"][1]


def test_what_a_broken_link_loses(found: dict[str, Any]) -> None:
    """With the bridge in AWS readings wait nowhere that is known; with the edge broker for three days."""
    cloud, edge = found["link_down"]

    assert cloud["hours_kept"] == 0 < cloud["readings_lost_in_the_first_hour"]
    assert edge["hours_kept"] == 72
    assert edge["readings_lost_in_the_first_hour"] == 0
    assert "edge_broker" in edge["data_waits_in"]


def test_what_stops_and_who_may_come_in(found: dict[str, Any]) -> None:
    """The router's failure has another effect; the brokers are open to the plant, which they were not."""
    effects = {row["component"]: row["effect"] for row in found["stops"]}

    assert effects["edge_broker"][0] is None
    assert "edge_broker" in effects["customer_gateway"][1]["waits_in"]
    assert found["security_groups"]["added"] == ["sg_redpanda ← plant: 9093"]


def test_a_model_against_itself_differs_in_nothing() -> None:
    """No noise."""
    same = json.loads(CliRunner().invoke(app, ["compare", CLOUD, CLOUD, "--json"]).output)

    assert same["components"] == {"added": [], "removed": [], "changed": {}}
    assert same["bill"]["lines"] == same["stops"] == []


def test_a_change_of_a_component_is_named(tmp_path: Path) -> None:
    """One field of one entry."""
    overlay = tmp_path / "one.toml"
    (tmp_path / "platform.toml").write_text(Path(CLOUD).read_text())
    overlay.write_text('base = "platform.toml"\n[[component]]\nid = "customer_gateway"\ncopies = 2\n')

    found = json.loads(CliRunner().invoke(app, ["compare", CLOUD, str(overlay), "--json"]).output)

    assert found["components"]["changed"] == {"customer_gateway": {"copies": [1, 2]}}
    assert found["single_points"] == {"added": [], "removed": ["customer_gateway"]}


def test_the_page_needs_nothing_else_and_is_the_same_twice(tmp_path: Path) -> None:
    """Both pictures are inside."""
    pages = [tmp_path / name for name in ("once.html", "twice.html")]
    for page in pages:
        assert CliRunner().invoke(app, ["compare", CLOUD, EDGE, "--output", str(page)]).exit_code == 0

    once, twice = (page.read_bytes() for page in pages)
    assert once == twice
    assert once.count(b"data:image/svg+xml;base64,") == 2
    assert b'src="http' not in once
    assert b'href="' not in once


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    result = CliRunner().invoke(app, ["compare", CLOUD, str(tmp_path / "none.toml")])

    assert result.exit_code == 1
    assert "none.toml is no model that can be read" in str(result.exception)
