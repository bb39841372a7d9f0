"""Ctrl-C in a terminal: one sentence, no traceback, nothing left running; a second one leaves at once."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from indutech.kafka.connection import Broker
from indutech.producer.audit import read_audit
from indutech.producer.produce import produce
from indutech.system.settings import Settings
from tests.terminal import Terminal

NewSettings = Callable[..., Settings]
STOPS_WITHIN_S = 20
LEAVES_WITHIN_S = 5
KILLED_WITHIN_S = 0.5


@pytest.fixture(scope="module")
def shared(broker: Broker, new_settings: NewSettings) -> Settings:
    """One topic with tickets in it, and the folder that all of these commands use one after the other."""
    settings = new_settings("ctrl-c")
    produce(settings, broker, count=100, seed=1, progress=False)
    return settings


def test_produce_stops_with_its_sentence(shared: Settings) -> None:
    """What was sent is acknowledged, and the exit code is 0."""
    with Terminal(shared, "produce", "--rate", "200", "--seed", "4") as terminal:
        terminal.wait_until(lambda: " acknowledged" in terminal.written and acknowledged(shared) > 150)
        terminal.press_ctrl_c()
        code, [sentence] = terminal.ends_within(STOPS_WITHIN_S)

        assert code == 0
        assert sentence.startswith("Stopped early: ")
        assert terminal.leaves_nothing_within(LEAVES_WITHIN_S)


def test_stream_stops_with_its_sentence(shared: Settings) -> None:
    """An idle stream says that it waits; it ends as after SIGTERM, although Spark would handle Ctrl-C itself."""
    with Terminal(shared, "stream") as terminal:
        terminal.wait_until(lambda: "Waiting for tickets: " in terminal.written)
        terminal.press_ctrl_c()
        code, said = terminal.ends_within(STOPS_WITHIN_S)

        assert code == 0, said
        assert "tickets stored in" in " ".join(said)
        assert said[0].startswith("Stopped: ")
        assert "Traceback" not in terminal.written
        assert terminal.leaves_nothing_within(LEAVES_WITHIN_S)


def test_stream_stops_while_spark_starts(shared: Settings) -> None:
    """The start is finished, nothing is read, and the sentence says so."""
    with Terminal(shared, "stream") as terminal:
        terminal.wait_until(lambda: terminal.runs("org.apache.spark.deploy.SparkSubmit"))
        terminal.press_ctrl_c()
        terminal.wait_until(lambda: "Stopping; Ctrl-C again leaves at once" in terminal.written)
        code, said = terminal.ends_within(2 * STOPS_WITHIN_S)

        assert code == 0, said
        assert said[0].startswith("Stopped: 0 tickets stored in")
        assert "Traceback" not in terminal.written
        assert terminal.leaves_nothing_within(LEAVES_WITHIN_S)


def test_a_second_ctrl_c_leaves_at_once(shared: Settings) -> None:
    """Without a word, the cursor back on the screen, and Spark's Java gone with it."""
    with Terminal(shared, "stream") as terminal:
        terminal.wait_until(lambda: terminal.runs("org.apache.spark.deploy.SparkSubmit"))
        terminal.press_ctrl_c()
        terminal.wait_until(lambda: "Stopping; Ctrl-C again leaves at once" in terminal.written)
        terminal.press_ctrl_c()
        code, said = terminal.ends_within(LEAVES_WITHIN_S)

        assert (code, said) == (130, [])
        assert terminal.written.rindex("\x1b[?25h") > terminal.written.rindex("\x1b[?25l")
        assert terminal.leaves_nothing_within(KILLED_WITHIN_S)


def test_monitor_stops_with_its_sentence(shared: Settings) -> None:
    """The table stays on the screen, and the exit code is 0."""
    with Terminal(shared, "monitor", "--every", "0.2") as terminal:
        terminal.wait_until(lambda: "acknowledged" in terminal.written)
        terminal.press_ctrl_c()

        assert terminal.ends_within(STOPS_WITHIN_S) == (0, ["Stopped watching; producer and stream go on."])
        assert terminal.leaves_nothing_within(LEAVES_WITHIN_S)


def test_report_stops_with_its_sentence(shared: Settings) -> None:
    """Kernels end with it, and the exit code is 130, because there is no report."""
    with Terminal(shared, "report") as terminal:
        terminal.wait_until(lambda: re.search(r"cell ([5-9]|\d\d)/", terminal.written) is not None)
        terminal.press_ctrl_c()
        code, said = terminal.ends_within(STOPS_WITHIN_S)

        assert (code, said) == (130, ["Stopped, with everything that this command had started."])
        assert "Traceback" not in terminal.written
        assert terminal.leaves_nothing_within(LEAVES_WITHIN_S)


def test_a_starting_embedded_broker_is_stopped(tmp_path: Path) -> None:
    """Ctrl-C before the broker answers ends it too."""
    with Terminal(Settings(_env_file=None, bootstrap_servers=None, data_dir=tmp_path), "produce") as terminal:
        terminal.wait_until((tmp_path / "broker" / "broker.json").exists)
        terminal.press_ctrl_c()
        code, said = terminal.ends_within(STOPS_WITHIN_S)

        assert (code, said) == (130, ["Stopped, with everything that this command had started."])
        assert terminal.processes() == []  # it has waited for the end


def acknowledged(settings: Settings) -> int:
    """How many tickets the broker has acknowledged, as far as the audit knows."""
    audit = read_audit(settings)
    return audit.acknowledged if audit else 0
