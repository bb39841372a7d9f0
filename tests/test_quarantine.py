"""What was refused can be looked at and sent again: each message once, wherever a replay is killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner, Result

from indutech.cli.app import app
from indutech.kafka import broker as brokers
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake import quarantine, reader, replay_log
from indutech.lake.quarantine import Place, Selection
from indutech.lake.replay_log import HEADER, SecondReplay
from indutech.producer import quarantine_replay
from indutech.producer.audit import read_audit
from indutech.producer.confluent import Marked, MarkedSender
from indutech.producer.produce import SendingBroke
from indutech.proof import monitor, reconcile
from indutech.stream import job
from indutech.system.settings import Settings
from indutech.tickets import generator
from indutech.tickets.cases import malformed_cases
from indutech.tickets.mending import with_fields
from indutech.tickets.strict_json import Rejected
from tests.topics_filled import send

NewSettings = Callable[..., Settings]

A_MOMENT = 6  # messages that each killed run was to send
# Each line replaces something by what kills the process there. A run sends only after the plan is written.
KILLED = {
    "before the plan is written": "ReplayLog.plan = die",
    "in the middle of writing the plan": "ReplayLog._append = half_a_line",
    "when nothing is sent yet": "MarkedSender.offer = die",
    "when one message is queued": "MarkedSender.offer = lambda *given: die(offer(given[0], given[1][:1]))",
    "when all are queued": "MarkedSender.offer = lambda *given: die(offer(*given))",
    "while they are on their way": "MarkedSender.offer = lambda *given: die(offer(*given), time.sleep(0.03))",
    "at the first delivery report": "MarkedSender._report = dies_at(1)",
    "at the fourth delivery report": "MarkedSender._report = dies_at(4)",
    "before it writes down what was sent": "Run.send = lambda *given: die(send(*given))",
    "in the middle of writing down what was sent": "Run.send = lambda *given: (send(*given), half_a_line_next())",
    "before the audit is written": "AuditWriter.__exit__ = die",
    "when it writes down what a killed run had sent": "ReplayLog.replayed = die",
}
PROGRAM = """
import json, os, signal, sys, time
from indutech.kafka import broker as brokers
from indutech.lake.quarantine import Selection
from indutech.lake.replay_log import ReplayLog, log_file
from indutech.producer import quarantine_replay
from indutech.producer.audit_log import AuditWriter
from indutech.producer.confluent import MarkedSender
from indutech.producer.pacing import Run
from indutech.system.settings import Settings
from indutech.tickets.mending import with_fields

offer, report, send = MarkedSender.offer, MarkedSender._report, Run.send
settings = Settings(_env_file=None)

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half_a_line(self, entry):
    with log_file(settings).open("ab") as file:
        file.write(json.dumps(entry).encode()[:20])
    die()

def half_a_line_next():
    ReplayLog._append = half_a_line

def dies_at(number):
    reports = []
    def counted(self, one):
        heard = report(self, one)
        def hear(*given):
            heard(*given)
            reports.append(given)
            if len(reports) == number:
                die()
        return hear
    return counted

def replay(ranges):
    with brokers.connected(settings) as broker:
        mend = lambda value: with_fields(value, {"priority": '"HAUTE"'})
        quarantine_replay.replay(settings, broker, Selection(ranges=ranges), mend=mend)

# Everything is imported once; each run is a process of its own, and the Kafka clients are its own.
ends = []
for patch, ranges in json.loads(sys.argv[1]):
    if (child := os.fork()) == 0:
        exec(patch)
        replay(ranges)
        os._exit(0)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ends))
"""


@dataclass(frozen=True)
class Aside:
    """A lake with a quarantine: the refused cases of the table, and tickets with an unknown priority."""

    settings: Settings
    cases: dict[Place, bytes | None]
    urgent: list[Place]
    urgent_ids: list[str]


@pytest.fixture(scope="module")
def aside(broker: Broker, new_settings: NewSettings, spark: SparkSession) -> Aside:
    """100 tickets, every refused case, and for each moment of death some tickets that one field would mend."""
    settings = new_settings("quarantine")
    tickets = [message for block in generator.ticket_messages(100, seed=5) for message in block]
    cases = [case.value for case in malformed_cases() if case.reason is not None]
    urgent = [
        (key, with_fields(value, {"priority": '"URGENT"'}))
        for block in generator.ticket_messages((len(KILLED) + 1) * A_MOMENT, seed=6)
        for key, value in block
    ]
    assert all(isinstance(value, bytes) for _, value in urgent)
    places = send(broker, settings, [*tickets, *((b"1234", case) for case in cases), *urgent])
    job.run(settings, broker, once=True, spark=spark)
    found = [Place(*place) for place in places[len(tickets) :]]
    return Aside(
        settings,
        dict(zip(found[: len(cases)], cases, strict=True)),
        found[len(cases) :],
        [json.loads(value)["ticket_id"] for _, value in urgent],
    )


def ranges_of(places: Sequence[Place]) -> list[tuple[int, int, int]]:
    """A selection of exactly these places."""
    return [(place.partition, place.offset, place.offset) for place in places]


def run(settings: Settings, *arguments: str) -> Result:
    """The command line with these settings."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "KAFKA_TOPIC": settings.topic,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, ["quarantine", *arguments], env=environment)


def test_list_counts_then_names(aside: Aside) -> None:
    """All reasons are counted, rows are few, and each selection means what it says."""
    refused = [case.reason for case in malformed_cases() if case.reason is not None]

    told = json.loads(run(aside.settings, "list", "--json", "--most", "7").stdout)
    assert told["reasons"] == dict(Counter({**Counter(refused), "unknown priority: URGENT": 1 + len(aside.urgent)}))
    assert (told["total"], len(told["messages"])) == (len(refused) + len(aside.urgent), 7)
    place = aside.urgent[3]
    [row] = json.loads(run(aside.settings, "list", str(place), "--json").stdout)["messages"]
    assert (row["partition"], row["offset"], row["reason"]) == (
        place.partition,
        place.offset,
        "unknown priority: URGENT",
    )
    one_reason = json.loads(run(aside.settings, "list", "--reason", "missing field", "--json").stdout)
    assert one_reason["total"] == sum(reason.startswith("missing field") for reason in refused)
    assert json.loads(run(aside.settings, "list", "--until", "2020-01-01", "--json").stdout)["total"] == 0
    assert json.loads(run(aside.settings, "list", "--since", "2020-01-01", "--json").stdout)["total"] == told["total"]
    plain = run(aside.settings, "list", "--most", "2").stdout
    assert f"{told['total']} refused" in plain
    assert "The first 2" in plain


@pytest.mark.parametrize("wrong", [["2"], ["a:1"], ["1:5-x"], ["--since", "yesterday"]], ids=" ".join)
def test_a_selection_that_cannot_be_meant(aside: Aside, wrong: list[str]) -> None:
    """A place or a time that is none is a usage error, and selects nothing."""
    answer = run(aside.settings, "list", *wrong)

    assert answer.exit_code == 2
    assert wrong[-1] in answer.output


def test_show_prints_safely(aside: Aside) -> None:
    """Whatever a message holds, the terminal gets characters that can be printed, and the reason that it was given."""
    reasons = {(one.place): one.reason for one in quarantine.messages(aside.settings, Selection())}
    for place in list(aside.cases)[::3]:  # of all bytes there are: tests/test_hostile_input.py
        answer = run(aside.settings, "show", str(place))
        assert answer.exit_code == 0, answer.output
        assert all(character.isprintable() for line in answer.stdout.splitlines() for character in line)
        assert reasons[place] in answer.stdout
    [place] = [place for place, value in aside.cases.items() if value and value.startswith(b"\xff\xfe")]
    assert run(aside.settings, "show", str(place), "--raw").stdout_bytes == aside.cases[place]


def test_show_says_what_is_wrong_where(aside: Aside) -> None:
    """Byte and field of the fault, in words and in JSON."""
    place = aside.urgent[0]
    told = json.loads(run(aside.settings, "show", str(place), "--json").stdout)
    message = quarantine.message(aside.settings, place)

    [fault] = told["faults"]
    assert (fault["field"], fault["reason"]) == ("priority", "unknown priority: URGENT")
    assert message.value
    assert message.value[fault["position"] :].startswith(b'"URGENT"')
    assert f"byte {fault['position']}, field priority" in run(aside.settings, "show", str(place)).stdout


def test_nothing_stands_there(aside: Aside) -> None:
    """A place without a refused message is an error that names the command that lists them."""
    answer = run(aside.settings, "show", "0:999999")

    assert isinstance(answer.exception, quarantine.NotInQuarantine)
    assert "`indutech quarantine list`" in str(answer.exception)


def test_what_is_still_refused_is_said(aside: Aside, broker: Broker) -> None:
    """Nothing is sent that today's contract refuses; each reason is counted, and the exit code is 1."""
    before = topics.end_offsets(broker, aside.settings.topic)
    answer = run(aside.settings, "replay", *map(str, aside.cases), "--json")

    told = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert (told["selected"], told["refused"], told["acknowledged"]) == (len(aside.cases), len(aside.cases), 0)
    assert told["refused_reasons"]["null value"] == 1
    assert topics.end_offsets(broker, aside.settings.topic) == before


def test_dry_run_sends_nothing(aside: Aside, broker: Broker) -> None:
    """It says how many would be sent."""
    before = topics.end_offsets(broker, aside.settings.topic)
    answer = run(aside.settings, "replay", *map(str, aside.urgent), "--set", "priority=BASSE", "--dry-run")

    assert f"{len(aside.urgent)} of {len(aside.urgent)} selected messages would be sent again" in answer.stdout
    assert topics.end_offsets(broker, aside.settings.topic) == before


@pytest.mark.parametrize(
    ("impossible", "says"),
    [
        (["--set", "colour=red"], "no field 'colour'"),
        (["--set", "priority"], "no FIELD=VALUE"),
        (["0:1-3", "--set", "ticket_id=6f1c2b34-8f0e-4c55-9a3b-0d4b2c1e7f90"], "several messages"),
        (["--with", "a.json"], "for one message"),
        (["0:1", "--with", "a.json", "--set", "type=Connexion"], "whole message"),
        (["0:1", "--with", "nowhere.json"], "cannot be read"),
    ],
)
def test_mending_that_cannot_be_meant(impossible: list[str], says: str) -> None:
    """A field that there is not, one id for several tickets, one file for several messages."""
    answer = CliRunner().invoke(app, ["quarantine", "replay", *impossible])

    assert answer.exit_code in (1, 2)
    assert says in " ".join((answer.output + str(answer.exception)).replace("│", " ").split())


def test_a_broker_that_freezes_while_it_is_sent_to(
    aside: Aside, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the broker had received, and stored only when it went on, is found by the next call and not sent again."""
    mine = aside.settings.model_copy(update={"broker_timeout_s": 1.0})
    selection = Selection(ranges=ranges_of(aside.urgent[-A_MOMENT:]))
    pid = brokers.status(settings).pid
    assert pid
    offer = MarkedSender.offer

    def offer_and_freeze(sender: MarkedSender, messages: Sequence[Marked]) -> int:
        taken = offer(sender, messages[:1])  # the client connects, and hears of one message
        while not sum(sender._tally.acknowledged):
            sender.poll(0.1)
        os.kill(pid, signal.SIGSTOP)
        return taken + offer(sender, messages[1:])

    monkeypatch.setattr(MarkedSender, "offer", offer_and_freeze)
    try:
        with pytest.raises(SendingBroke, match="sends none of them twice"):
            quarantine_replay.replay(mine, broker, selection, mend=high)
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    result = quarantine_replay.replay(aside.settings, broker, selection, mend=high)  # it may take a while to thaw

    headers = [value for *_, value in topics.header_values(broker, mine.topic, {}, HEADER)]
    assert len(headers) == len(set(headers)) == result.before + result.acknowledged == A_MOMENT
    assert result.recovered > 0


def high(value: bytes | None) -> bytes | Rejected:
    """Mend an unknown priority."""
    return with_fields(value, {"priority": '"HAUTE"'})


def test_killed_at_any_moment_each_ticket_stands_once(
    aside: Aside, broker: Broker, spark: SparkSession, tmp_path: Path
) -> None:
    """Replays killed wherever it hurts, then called again: each message once in the topic, each ticket once."""
    settings = aside.settings
    groups = [aside.urgent[i : i + A_MOMENT] for i in range(0, len(aside.urgent), A_MOMENT)]
    runs = [(patch, ranges_of(group)) for patch, group in zip(KILLED.values(), groups, strict=False)]
    assert killed(settings, runs) == [-signal.SIGKILL] * len(KILLED)
    assert 0 < reconcile.prove(settings, broker).replayed < len(aside.urgent)  # also what no log names yet

    last = run(settings, "replay", "--reason", "unknown priority: URGENT", "--set", "priority=HAUTE", "--json")
    again = run(settings, "replay", "--reason", "unknown priority: URGENT", "--set", "priority=HAUTE", "--json")
    # One message by hand, the last of the cases with such a priority: from --raw over an editor to --with.
    [by_hand] = [place for place, value in aside.cases.items() if value and b'"URGENT"' in value]
    (tmp_path / "mended.json").write_bytes((aside.cases[by_hand] or b"").replace(b"URGENT", b"BASSE"))

    told, nothing = json.loads(last.stdout), json.loads(again.stdout)
    everything = len(aside.urgent) + 1
    assert (last.exit_code, told["selected"], told["failed"], told["refused"]) == (0, everything, 0, 0)
    assert told["acknowledged"] + told["before"] == everything
    assert told["acknowledged"] > A_MOMENT
    assert (nothing["acknowledged"], nothing["before"], again.exit_code) == (0, everything, 0)
    assert (
        json.loads(run(settings, "replay", str(by_hand), "--with", str(tmp_path / "mended.json"), "--json").stdout)[
            "before"
        ]
        == 1
    )

    headers = [json.loads(value) for *_, value in topics.header_values(broker, settings.topic, {}, HEADER)]
    origins = Counter(Place(one["partition"], one["offset"]) for one in headers)
    assert origins == Counter([*aside.urgent, by_hand])
    assert {one["topic"] for one in headers} == {settings.topic}

    job.run(settings, broker, once=True, spark=spark)
    proof, reading = reconcile.prove(settings, broker), monitor.Monitor(settings, broker).read()
    assert (proof.exit_code, proof.lost, proof.twice, proof.duplicate_tickets) == (0, 0, 0, 0)
    assert proof.replayed == reading.replayed == everything
    assert f"{everything} replayed" in proof.sentence
    curated = reader.query(settings, "SELECT ticket_id, count(*) AS n FROM curated GROUP BY ALL")
    assert set(curated["n"]) == {1}
    assert set(aside.urgent_ids) <= set(curated["ticket_id"])
    assert len(curated) == 100 + everything
    audit = read_audit(settings)
    assert audit
    assert audit.acknowledged + audit.recovered == everything
    assert (
        sum(partition.first for partition in audit.partitions.values()) == proof.stored + proof.quarantined - everything
    )


def killed(settings: Settings, runs: list[tuple[str, list[tuple[int, int, int]]]]) -> list[int]:
    """Run each replay with its patch in a process of its own; how each ended."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
        "KAFKA_TOPIC": settings.topic,
        "INDUTECH_DATA_DIR": str(settings.data_dir),
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(runs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_without_its_log_the_topic_tells(aside: Aside, broker: Broker) -> None:
    """A log that is gone is made anew from the headers in the topic, so that nothing is sent twice."""
    known = replay_log.read(aside.settings).places
    assert known
    replay_log.log_file(aside.settings).unlink()

    result = quarantine_replay.replay(aside.settings, broker, Selection(ranges=ranges_of(list(known))))

    assert (result.before, result.recovered, result.acknowledged) == (len(known), len(known), 0)
    assert replay_log.read(aside.settings).places == known


def test_two_replays_at_once_are_refused(aside: Aside, broker: Broker) -> None:
    """The second one says so and sends nothing."""
    with replay_log.sole_replay(aside.settings), pytest.raises(SecondReplay, match="wait for it"):
        quarantine_replay.replay(aside.settings, broker, Selection())


def test_a_damaged_log_is_refused(new_settings: NewSettings) -> None:
    """A line in the middle that cannot be read stops a replay: it might have named a message that was sent."""
    settings = new_settings("quarantine-damaged")
    settings.lake_dir.mkdir(parents=True)
    replay_log.log_file(settings).write_bytes(b'{"ends": {}}\n{"repl\n{"ends": {}}\n')

    with pytest.raises(replay_log.ReplayLogDamaged, match="restore it from a copy"):
        replay_log.read(settings)
