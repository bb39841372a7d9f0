"""`indutech plant`: all of it on one machine starts, is watched, loses nothing to a kill, leaves no process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from indutech.cli.app import app
from indutech.lake import reset
from indutech.lake.reset import StillInUse
from indutech.plant.mqtt.store import Store
from indutech.plant.together import parts, shown, state, up
from indutech.plant.together.ending import StillEnding, down
from indutech.plant.together.measured import MOST_MB, PlantRun
from indutech.plant.together.parts import PartFailed, Traffic
from indutech.plant.together.state import PartState, PlantState
from indutech.plant.together.up import PlantRuns
from indutech.proof import doctor
from indutech.system import embedded_server, leases
from indutech.system.settings import PRODUCTS, Settings

WITHIN_S = 120.0
KILLED = ("bridge", "producer", "MQTT broker")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A data folder of its own; nothing works in it any more at the end."""
    settings = Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path / "données d'usine")
    yield settings
    for one in processes(settings):
        one.kill()


def processes(settings: Settings) -> list[psutil.Process]:
    """What works for this data folder."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get("INDUTECH_DATA_DIR", "").startswith(str(settings.data_dir)) and one.pid != os.getpid():
                found.append(one)
        except psutil.Error:
            continue
    return found


def await_that(happens: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Wait for something, with a deadline."""
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def start(settings: Settings, *arguments: str) -> "subprocess.Popen[str]":
    """`indutech plant …` in a process of its own."""
    environment = {**os.environ, "INDUTECH_DATA_DIR": str(settings.data_dir), "KAFKA_BOOTSTRAP_SERVERS": ""}
    command = [sys.executable, "-m", "indutech", "plant", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(settings: Settings, *arguments: str) -> tuple[int, str]:
    """The exit code of `indutech plant …`, and what it said."""
    process = start(settings, *arguments)
    out, err = process.communicate(timeout=2 * WITHIN_S)
    return process.returncode, out + err


@pytest.mark.java
def test_all_of_it_runs_on_one_machine(settings: Settings) -> None:
    """Killed parts are started again and named; `down` proves tickets, readings and clients, and leaves nothing."""
    plant = parts.settings_of_plant(settings)
    at_work = start(
        settings, "up", "--json", "--clients", "60", "--tickets", "30", "--readings", "200", "--changes", "5"
    )
    await_that(lambda: at_work.poll() is None and state._known(plant).get("phase") == "up")
    before = state.look(plant)
    for part in before.parts:
        if part.name in KILLED and part.pid:
            os.kill(part.pid, signal.SIGKILL)
    await_that(lambda: sum(part.restarts for part in state.look(plant).parts) == len(KILLED))
    status, told = run(settings, "status", "--json")
    with pytest.raises(StillInUse, match="plant down"):
        reset.delete(settings)
    ended, said = run(settings, "down")
    out, err = at_work.communicate(timeout=WITHIN_S)

    seen = json.loads(told)
    assert (status, seen["phase"], seen["down"]) == (0, "up", [])
    assert {part["name"] for part in seen["parts"] if part["restarts"]} == set(KILLED)
    assert 0 < seen["memory_mb"] <= seen["peak_mb"] < seen["most_mb"]
    assert ended == 0, said
    assert [line.split(":")[1].strip() for line in said.splitlines()[:3]] == ["reconciled"] * 3, said
    assert at_work.returncode == 0, err
    result = json.loads(out)
    assert result["lines"] == said.splitlines()[:3]
    assert all(result["proofs"][name]["stored"] > 0 for name in PRODUCTS)
    assert result["proofs"]["clients"]["events"] > 60
    await_that(lambda: not processes(settings), 10)
    assert state.look(plant).phase == "down"
    reset.delete(settings)
    assert reset.listed(settings) == []


@pytest.mark.java
def test_a_plant_that_is_killed_leaves_nothing(settings: Settings) -> None:
    """SIGKILL while it starts: what it had started ends by itself, and `down` has nothing left to say."""
    plant = parts.settings_of_plant(settings)
    at_work = start(settings, "up", "--clients", "60")
    await_that(lambda: any(part.runs for part in state.look(plant).parts if part.name == "Kafka broker"))
    at_work.kill()
    at_work.communicate(timeout=10)
    ended, said = run(settings, "down")

    assert ended == 0, said
    assert said.startswith("No plant was up in")
    assert run(settings, "status")[0] == 1
    assert processes(settings) == []


# ---- without a server


def test_a_plant_has_its_own_place(tmp_path: Path) -> None:
    """Folder, lake and memory are its own; in a shell that is in the plant they are the same; settings are kept."""
    settings = Settings(_env_file=None, data_dir=tmp_path, product="readings", driver_options="-Xss1m")

    plant = parts.settings_of_plant(settings)
    parts.write_variables(plant)
    inside = parts.settings_of_plant(Settings(_env_file=None, data_dir=plant.data_dir, lake_uri=plant.lake_uri))

    assert (plant.data_dir, plant.lake_uri) == (tmp_path / "plant", parts.LAKE)
    assert (plant.product, plant.topic) == ("tickets", PRODUCTS["tickets"].topic)
    assert (plant.driver_memory, plant.driver_options) == (parts.DRIVER_MEMORY, "-Xss1m")
    assert (inside.data_dir, inside.lake_uri) == (plant.data_dir, plant.lake_uri)
    elsewhere = parts.settings_of_plant(
        settings.model_copy(update={"data_dir": tmp_path / "b", "lake_uri": "s3a://abc/d"})
    )
    assert elsewhere.lake_uri == "s3a://abc/d-plant"


def test_the_stated_memory_is_that_of_the_run() -> None:
    """The committed run was reconciled, within what the code and the help state."""
    run = PlantRun.read()
    told = CliRunner().invoke(app, ["plant", "up", "--help"]).output

    assert (run.exit_code, run.most_mb) == (0, MOST_MB)
    assert run.seconds >= 600
    assert run.peak_mb < MOST_MB
    assert f"{MOST_MB / 1024:g} GB of memory" in " ".join(told.split())


def test_settings_survive_an_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that is started gets what its starter has, secrets too."""
    given = {"data_dir": tmp_path, "aws_secret_access_key": "s", "trigger_s": 7, "product": "readings"}
    settings = Settings(_env_file=None, bootstrap_servers=None, **given)
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)

    assert Settings(_env_file=None) == settings


def test_what_is_wrong_is_named() -> None:
    """A part that is down, and one that died: in the tables, in the line, and in the exit code's `down`."""
    seen = [PartState("bridge", False, says="no Kafka"), PartState("gateway", True, 7, restarts=2, memory_mb=50)]
    plant = PlantState("up", 1, None, Path("x"), seen)

    assert [part.name for part in plant.down] == ["bridge"]
    assert shown.problems(plant) == ["bridge is down (no Kafka).", "gateway died and was started again, 2 times."]
    assert "1 of 2 parts run" in shown.as_line(plant)
    starting = PlantState("starting", 1, None, Path("x"), seen)
    assert starting.down == []


@pytest.mark.slow
def test_what_is_left_is_ended_and_what_is_used_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that somebody holds is no leftover to end: `down` names who; doctor and `status` see it."""
    plant = parts.settings_of_plant(settings)
    sleeper = parts._program(plant, "bridge", ["-c", "import time; time.sleep(99)"], lambda: True, stops_within_s=1)
    monkeypatch.setattr(parts, "programs", lambda _: [sleeper])
    monkeypatch.setattr(state, "programs", lambda _: [sleeper])
    with embedded_server.used(sleeper):
        left = [part.name for part in state.look(plant).left]
        found = [one.says for one in doctor._processes(settings)]
        with pytest.raises(StillEnding, match=f"bridge: still used by process {os.getpid()}"):
            down(plant)
        [pid] = [part.pid for part in state.look(plant).left]

    assert left == ["bridge"]
    assert any("bridge running" in says for says in found)
    assert not psutil.pid_exists(pid or 0)
    assert down(plant).left == []


@pytest.mark.slow
def test_a_program_that_does_not_start_is_an_error(settings: Settings) -> None:
    """Its last words are in the sentence."""
    plant = parts.settings_of_plant(settings)
    fails = parts._program(plant, "bridge", ["-c", "print('no such thing')"], lambda: False)

    with pytest.raises(PartFailed, match="no such thing"), embedded_server.used(fails):
        pass


def test_a_reset_takes_the_gateway_along(settings: Settings) -> None:
    """Readings that wait and the MQTT broker's files; not while a gateway sends."""
    readings = settings.for_product("readings")
    settings.mqtt_dir.mkdir(parents=True)
    with Store(readings.gateways_dir / "gateway-1.db"), pytest.raises(StillInUse, match="gateway-1 sends readings"):
        reset.delete(settings)
    assert readings.gateways_dir in dict(reset.listed(settings))
    reset.delete(settings)

    assert not readings.gateways_dir.exists()
    assert not settings.mqtt_dir.exists()


def test_a_second_up_is_one_sentence(settings: Settings) -> None:
    """Whoever holds the lock is named, and nothing is started or written over."""
    plant = parts.settings_of_plant(settings)
    plant.data_dir.mkdir(parents=True)
    lock = leases.try_lock(plant.data_dir / state.LOCK)
    state.note(plant, "up", "2026-03-02T12:00:00+00:00", 0)

    with pytest.raises(PlantRuns, match=rf"is up \(process {os.getpid()}\).*`indutech plant down` ends it"):
        up.up(plant, Traffic(), watch=lambda _: None)

    assert state.look(plant).phase == "up"
    os.close(lock or 0)
