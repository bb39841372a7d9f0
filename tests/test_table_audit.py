"""The audit of anybody's table: twelve planted defects in four shapes, clean tables, and two public bugs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.kafka.connection import confluent_config
from indutech.proof import receipt, run_audit
from indutech.proof.audit_result import Audit
from indutech.proof.sources.columns import PRESETS, Columns
from indutech.proof.sources.unit import TableUnreadable
from indutech.proof.table_audit import Rules
from indutech.proof.topic_side import TopicUnknown
from indutech.system.settings import PROJECT
from tests import audited_tables
from tests.audited_tables import SHAPES, Rows, rows

AT = datetime(2026, 1, 1, tzinfo=UTC)
EACH = 60
COMPLETE = [rows(0, 0, 30), rows(0, 30, 60), rows(1, 0, 30), rows(1, 30, 60)]


@pytest.fixture(scope="module")
def filled(broker: Broker) -> Callable[..., str]:
    """Make a topic of two partitions with so many records in each: `filled("name", each=60)`."""
    admin = AdminClient(confluent_config(broker))

    def make(name: str, *, each: int = EACH, transactional: bool = False) -> str:
        admin.create_topics([NewTopic(name, 2, 1)])[name].result()
        more = {"transactional.id": name} if transactional else {}
        producer = Producer({**confluent_config(broker), "enable.idempotence": True, **more})
        if transactional:
            producer.init_transactions()
            for commits in (True, False, True):  # 20 records and a marker, three times; the second is aborted
                producer.begin_transaction()
                for partition in range(2):
                    for _ in range(20):
                        producer.produce(name, b"x", partition=partition)
                assert producer.flush(30) == 0
                producer.commit_transaction() if commits else producer.abort_transaction()
            return name
        for number in range(2 * each):
            producer.produce(name, b"x", partition=number % 2)
        assert producer.flush(30) == 0
        return name

    return make


@pytest.fixture(scope="module")
def topic(filled) -> str:
    """Two partitions of 60 plain records."""
    return filled("audited")


@pytest.fixture(scope="module")
def transactional(filled) -> str:
    """Per partition: 0 to 19 committed, a marker, 21 to 40 aborted, a marker, 42 to 61 committed, a marker."""
    return filled("audited-transactions", transactional=True)


@pytest.fixture(scope="module")
def expired(broker: Broker, filled) -> str:
    """60 records each, of which the broker has deleted the first 20."""
    name = filled("audited-expired")
    admin = AdminClient(confluent_config(broker))
    for deleted in admin.delete_records([TopicPartition(name, partition, 20) for partition in range(2)]).values():
        deleted.result()
    return name


@pytest.fixture(scope="module")
def recreated(broker: Broker, filled) -> str:
    """A topic that was deleted and made again: it had 60 records, now it has 10."""
    topics.delete_topic(broker, filled("audited-again"))
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while topics.describe_topic(broker, "audited-again"):
        assert datetime.now(UTC) < deadline, "the topic is still there"
    return filled("audited-again", each=10)


@dataclass(frozen=True)
class Defect:
    """What is planted, and what the audit must say of it; ranges are (partition, first, last)."""

    topic: str
    files: list[Rows]
    exit_code: int
    says: dict[str, set[tuple[int, int, int]]] = field(default_factory=dict)
    rewritten: list[Rows] | None = None
    cut: int | None = None
    dead_letters: Rows = ()
    rules: Rules = field(default_factory=Rules)


DEFECTS = {
    "nothing": Defect("topic", COMPLETE, 0),
    "a hole of one": Defect("topic", [rows(0, 0, 30, without=[13]), *COMPLETE[1:]], 1, {"missing": {(0, 13, 13)}}),
    "a hole at a file's edge": Defect(
        "topic", [COMPLETE[0], rows(0, 31, 60), *COMPLETE[2:]], 1, {"missing": {(0, 30, 30)}}
    ),
    "a doubled file": Defect("topic", [*COMPLETE, COMPLETE[1]], 1, {"duplicate": {(0, 30, 59)}}),
    "one lost and one doubled": Defect(
        "topic",
        [[*rows(0, 0, 30, without=[13]), (0, 14)], *COMPLETE[1:]],
        1,
        {"missing": {(0, 13, 13)}, "duplicate": {(0, 14, 14)}},
    ),
    "a foreign partition": Defect("topic", [*COMPLETE, rows(7, 5, 8)], 1, {"foreign": {(7, 5, 7)}}),
    "a recreated topic": Defect("recreated", COMPLETE, 1, {"foreign": {(0, 10, 59), (1, 10, 59)}}),
    "expired offsets": Defect(
        "expired",
        [rows(0, 10, 30), *COMPLETE[1:2], rows(1, 25, 60)],
        1,
        {"expired": {(0, 0, 9), (1, 0, 19)}, "missing": {(1, 20, 24)}},
    ),
    "a hole that has expired": Defect(
        "expired", [rows(0, 0, 30, without=[7]), *COMPLETE[1:]], 0, {"unverifiable": {(0, 7, 7)}}
    ),
    "a hole that has expired, strictly": Defect(
        "expired", [rows(0, 0, 30, without=[7]), *COMPLETE[1:]], 1, {"missing": {(0, 7, 7)}}, rules=Rules(strict=True)
    ),
    "a marker gap": Defect(
        "transactional",
        [rows(p, first, first + 20) for p in (0, 1) for first in (0, 42)],
        0,
        {"gaps": {(p, low, high) for p in (0, 1) for low, high in ((20, 41), (62, 62))}},
    ),
    "a hole beside a marker gap": Defect(
        "transactional",
        [rows(0, 0, 19), rows(0, 42, 62), rows(1, 0, 20), rows(1, 43, 62)],
        1,
        {
            "missing": {(0, 19, 19), (1, 42, 42)},
            "gaps": {(p, low, high) for p in (0, 1) for low, high in ((20, 41), (62, 62))},
        },
    ),
    "a compaction that dropped a row": Defect(
        "topic",
        COMPLETE,
        1,
        {"missing": {(0, 29, 29)}},
        rewritten=[[*rows(0, 0, 60, without=[29]), *rows(1, 0, 60)]],
    ),
    "dead-letter rows": Defect(
        "topic", [rows(0, 0, 60, without=[5, 6]), rows(1, 0, 60)], 0, dead_letters=rows(0, 5, 7)
    ),
    "a dead letter that is stored as well": Defect(
        "topic", COMPLETE, 1, {"duplicate": {(0, 5, 6)}}, dead_letters=rows(0, 5, 7)
    ),
    "a late partition": Defect("topic", COMPLETE[:3], 2, {"pending": {(1, 30, 59)}}),
    "a partition without any row": Defect("topic", COMPLETE[:2], 2, {"pending": {(1, 0, 59)}}),
    "a partition that must be complete": Defect(
        "topic", COMPLETE[:3], 1, {"missing": {(1, 30, 59)}}, rules=Rules(complete=True)
    ),
    "a truncated file": Defect("topic", COMPLETE, 1, {"missing": {(0, 0, 29)}}, cut=0),
}
TOLD = ("missing", "duplicate", "foreign", "pending", "gaps", "expired", "unverifiable")


def told(audit: Audit) -> dict[str, set[tuple[int, int, int]]]:
    """What an audit says, without what it does not say."""
    found = {
        kind: {(part.partition, *one) for part in audit.partitions for one in getattr(part, kind)} for kind in TOLD
    }
    return {kind: some for kind, some in found.items() if some}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DEFECTS)
def test_each_planted_defect_is_found_and_nothing_else(
    name: str, shape: str, broker: Broker, tmp_path: Path, request: pytest.FixtureRequest
):
    """Twelve kinds of defect and their neighbours, in each shape, against a real topic: offset by offset."""
    defect = DEFECTS[name]
    table = SHAPES[shape](tmp_path / "table", defect.files)
    if defect.rewritten:
        SHAPES[shape](tmp_path / "table", defect.rewritten)
    aside = SHAPES[shape](tmp_path / "aside", [defect.dead_letters]) if defect.dead_letters else None
    question = run_audit.Question(table, request.getfixturevalue(defect.topic), dead_letter=aside, rules=defect.rules)
    if defect.cut is not None:
        file = audited_tables.data_files(shape, tmp_path / "table")[defect.cut]
        file.write_bytes(file.read_bytes()[:-20])
        if shape == "duckdb":  # DuckDB reads a view as a whole or not at all
            with pytest.raises(TableUnreadable, match=file.name):
                run_audit.against(question, broker, AT)
            return

    audit = run_audit.against(question, broker, AT)

    assert told(audit) == defect.says
    assert audit.exit_code == defect.exit_code
    assert audit.dead_letters == len(defect.dead_letters)
    assert {(one.kind, one.partition, one.first, one.last) for one in audit.findings} == {
        (kind, *one) for kind in ("missing", "duplicate", "foreign") for one in defect.says.get(kind, ())
    }
    assert bool(audit.recreated) == (name == "a recreated topic")
    if defect.cut is not None:
        assert [file.name in unreadable for unreadable in audit.unreadable] == [True]


@pytest.mark.parametrize("shape", ["parquet", "iceberg", "delta"])
def test_a_finding_names_the_file(shape: str, broker: Broker, topic: str, tmp_path: Path):
    """The one that should hold a missing offset, those around an edge, and both that hold a duplicate."""
    files = [rows(0, 0, 30, without=[13]), rows(0, 31, 60), rows(1, 0, 30), rows(1, 29, 60)]
    table = SHAPES[shape](tmp_path / "table", files)
    names = [path.name for path in audited_tables.data_files(shape, tmp_path / "table")]

    audit = run_audit.against(run_audit.Question(table, topic), broker, AT)

    where = {(one.partition, one.first): one.where for one in audit.findings}
    assert [("should be in" in line, names[0] in line) for line in where[0, 13]] == [(True, True)]
    after, before = where[0, 30]
    assert "after" in after
    assert names[0] in after
    assert "before" in before
    assert names[1] in before
    assert {name for name in names for line in where[1, 29] if name in line} == set(names[2:])


@strategies.composite
def clean_tables(draw: strategies.DrawFn) -> tuple[list[Rows], Rows, str]:
    """Files, dead letters and ranges that fit: any number of partitions and files, any order, cut anywhere."""
    places: list[tuple[int, int]] = []
    ranges = []
    for partition in range(draw(strategies.integers(1, 4))):
        start = draw(strategies.sampled_from([0, 1, 5, (1 << 20) - 3, 1 << 40]))
        stored = draw(strategies.integers(0, 40))
        pending = draw(strategies.integers(0, 3))
        places += rows(partition, start, start + stored)
        ranges.append(f"{partition}:{start}:{start + stored + pending}")
    if draw(strategies.booleans()):
        Random(draw(strategies.integers(0, 1 << 30))).shuffle(places)  # noqa: S311, an order, not a secret
    cuts = sorted(draw(strategies.lists(strategies.integers(0, len(places)), max_size=4)))
    bounds = [0, *cuts, len(places)]
    pieces = [places[low:high] for low, high in pairwise(bounds)]
    aside = draw(strategies.integers(0, len(pieces) - 1)) if len(pieces) > 1 else None
    files = [piece for number, piece in enumerate(pieces) if number != aside]
    return files, pieces[aside] if aside is not None else [], ",".join(ranges)


def _audit_clean(shape: str, folder: Path, made: tuple[list[Rows], Rows, str]) -> Audit:
    files, aside, ranges = made
    table = SHAPES[shape](folder / "table", files)
    dead_letter = SHAPES[shape](folder / "aside", [aside]) if aside else None
    return run_audit.offline(run_audit.Question(table, "made", dead_letter=dead_letter), ranges, AT)


@pytest.mark.slow
@hypothesis_settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=clean_tables())
def test_a_thousand_clean_tables_raise_no_alarm(tmp_path: Path, made: tuple[list[Rows], Rows, str]):
    """Whatever the order and the files, dead letters or not: nothing is missing, duplicate or foreign."""
    audit = _audit_clean("parquet", tmp_path, made)

    assert set(told(audit)) <= {"pending", "expired"}
    assert audit.exit_code == (2 if audit.pending else 0)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["iceberg", "delta", "duckdb"])
def test_clean_tables_of_the_other_shapes_raise_none_either(shape: str, tmp_path: Path):
    """Fewer of them: a commit costs more than a file."""
    count = iter(range(1000))

    @hypothesis_settings(max_examples=10, deadline=None, database=None)
    @given(made=clean_tables())
    def audited(made: tuple[list[Rows], Rows, str]) -> None:
        audit = _audit_clean(shape, tmp_path / str(next(count)), made)
        assert set(told(audit)) <= {"pending", "expired"}

    audited()


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=clean_tables(), data=strategies.data())
def test_whatever_is_taken_or_copied_is_found(tmp_path: Path, made: tuple[list[Rows], Rows, str], data):
    """Any row that is not the newest of its partition, taken away; any row stored again."""
    files, aside, ranges = made
    places = sorted(place for some in [*files, aside] for place in some)
    newest = dict(places)
    inner = [place for place in places if newest[place[0]] != place[1]]
    taken = set(data.draw(strategies.lists(strategies.sampled_from(inner), max_size=5)) if inner else [])
    copied = set(data.draw(strategies.lists(strategies.sampled_from(places), max_size=5)) if places else []) - taken
    damaged = [[place for place in some if place not in taken] for some in files] + [sorted(copied)]

    audit = _audit_clean("parquet", tmp_path, (damaged, [p for p in aside if p not in taken], ranges))

    found = told(audit)
    missing, duplicate = (
        {(p, offset) for p, low, high in found.get(kind, ()) for offset in range(low, high + 1)}
        for kind in ("missing", "duplicate")
    )
    assert missing == taken
    assert duplicate == copied
    assert audit.exit_code == 1 or not (taken or copied)


@pytest.fixture
def sink_table(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """An Iceberg table as the Kafka Connect sink leaves it: each commit registers data files written before."""
    columns = PRESETS["iceberg-sink"]
    catalog = audited_tables.iceberg_catalog(tmp_path / "warehouse")
    catalog.create_namespace("lake")
    written = tmp_path / "written"
    written.mkdir()

    def make(files: dict[str, Rows], commits: list[list[str]]) -> str:
        for name, some in files.items():
            pq.write_table(audited_tables.arrow(some, (columns.partition, columns.offset)), written / name)
        table = catalog.create_table("lake.sink", schema=pq.read_schema(written / min(files)))
        for commit in commits:
            table.add_files([str(written / name) for name in commit], check_duplicate_files=False)
        return f"iceberg:sqlite:///{tmp_path}/warehouse/catalog.db#lake.sink"

    yield make
    catalog.close()


def test_iceberg_17340_the_same_file_in_two_commits(broker: Broker, topic: str, sink_table):
    """After a rebalance the coordinator committed files again: live twice, and every scan reads them twice."""
    table = sink_table(
        {"a.parquet": rows(0, 0, 30), "b.parquet": rows(0, 30, 60), "c.parquet": rows(1, 0, 60)},
        [["a.parquet", "c.parquet"], ["a.parquet", "b.parquet"]],
    )

    audit = run_audit.against(run_audit.Question(table, topic), broker, AT)

    [finding] = audit.findings
    assert (finding.kind, finding.partition, finding.first, finding.last) == ("duplicate", 0, 0, 29)
    assert audit.columns == "_kafka_metadata_partition, _kafka_metadata_offset"
    assert [("a.parquet" in line, "snapshot" in line) for line in finding.where] == [(True, True)] * 2
    assert finding.where[0] != finding.where[1]


def test_iceberg_17551_files_that_were_never_committed(broker: Broker, topic: str, sink_table):
    """The group went on, the coordinator skipped files: between rows, and at the end, which only the group shows."""
    table = sink_table(
        {
            "a.parquet": rows(0, 0, 20),
            "b.parquet": rows(0, 20, 40),
            "c.parquet": rows(0, 40, 50),
            "d.parquet": rows(1, 0, 60),
        },
        [["a.parquet"], ["c.parquet", "d.parquet"]],
    )
    consumer = Consumer({**confluent_config(broker), "group.id": "connect-sink", "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, 0, 58), TopicPartition(topic, 1, 60)], asynchronous=False)
    consumer.close()

    alone = run_audit.against(run_audit.Question(table, topic), broker, AT)
    with_group = run_audit.against(run_audit.Question(table, topic, group="connect-sink"), broker, AT)

    assert told(alone) == {"missing": {(0, 20, 39)}, "pending": {(0, 50, 59)}}
    assert told(with_group) == {"missing": {(0, 20, 39), (0, 50, 57)}, "pending": {(0, 58, 59)}}
    with pytest.raises(TopicUnknown, match="nobody"):
        run_audit.against(run_audit.Question(table, topic, group="nobody"), broker, AT)


@pytest.mark.parametrize("where", ["sqlite:///{}/missing.db#lake.sink", "sqlite:///{}/empty.db#lake.sink", "{}"])
def test_an_iceberg_table_that_is_not_there(where: str, tmp_path: Path):
    """One sentence, and nothing is created."""
    (tmp_path / "empty.db").touch()

    with pytest.raises(TableUnreadable, match="No Iceberg table at"):
        run_audit.offline(run_audit.Question(f"iceberg:{where.format(tmp_path)}", "t"), "0:0:1", AT)

    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("empty.db", 0)]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_preset_is_recognised_in_each_shape(preset: str, shape: str, tmp_path: Path):
    """Flat columns and fields of a struct, without being named."""
    columns = PRESETS[preset]
    table = SHAPES[shape](tmp_path / "t", [rows(0, 0, 3), rows(0, 4, 6)], (columns.partition, columns.offset))

    audit = run_audit.offline(run_audit.Question(table, "t"), "0:0:6", AT)

    assert told(audit) == {"missing": {(0, 3, 3)}}


def test_help_and_document_name_every_preset():
    """And the document its columns."""
    asked = [sys.executable, "-m", "indutech", "audit", "--help"]
    told = " ".join(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.replace("│", "").split())
    document = (PROJECT / "docs" / "audit.md").read_text("utf-8")

    assert f"Whose columns: {', '.join(PRESETS)}." in told
    for name, columns in PRESETS.items():
        assert f"| `{name}` | `{columns.partition}`, `{columns.offset}`" in document


def test_columns_of_ones_own_and_one_topic_of_several(tmp_path: Path):
    """Named by options; rows of other topics are not counted."""
    table = audited_tables.arrow([(0, 0), (0, 1), (0, 1)], ("p", "o")).append_column("t", [["mine", "mine", "other"]])
    pq.write_table(table, tmp_path / "one.parquet")
    question = run_audit.Question(str(tmp_path / "*.parquet"), "mine", Columns("p", "o", "t"))

    assert run_audit.offline(question, "0:0:2", AT).exit_code == 0
    with pytest.raises(TableUnreadable, match="no column q"):
        run_audit.offline(run_audit.Question(str(tmp_path), "mine", Columns("q", "o")), "0:0:2", AT)
    with pytest.raises(TableUnreadable, match="--partition-column"):
        run_audit.offline(run_audit.Question(str(tmp_path), "mine"), "0:0:2", AT)


def test_a_partition_that_only_the_path_names(tmp_path: Path):
    """Hive folders: the column is not in the files."""
    for partition in (0, 1):
        folder = tmp_path / f"kafka_partition={partition}"
        folder.mkdir()
        pq.write_table(audited_tables.arrow(rows(0, 0, 3)).drop(["kafka_partition"]), folder / "a.parquet")

    assert run_audit.offline(run_audit.Question(str(tmp_path), "t"), "0:0:3,1:0:3", AT).exit_code == 0


def test_rows_without_a_place_are_no_proof(tmp_path: Path):
    """A row whose offset is null may be any record, or none."""
    pq.write_table(audited_tables.arrow([(0, 0), (0, None)]), tmp_path / "a.parquet")

    audit = run_audit.offline(run_audit.Question(str(tmp_path), "t"), "0:0:1", AT)

    assert (audit.rows_without_place, audit.exit_code) == (1, 1)


@pytest.mark.parametrize(("module", "shape"), [("pyiceberg", "iceberg"), ("deltalake", "delta")])
def test_without_the_extra_the_error_says_what_to_install(module: str, shape: str, monkeypatch: pytest.MonkeyPatch):
    """Both packages are optional."""
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(TableUnreadable, match="pip install"):
        run_audit.offline(run_audit.Question(f"{shape}:somewhere", "t"), "0:0:1", AT)


@pytest.mark.parametrize("ranges", ["", "0", "0:1", "0:5:1", "0:0:5:6", "0:0:5,0:5:9", "a:0:1", "0:-1:5"])
def test_ranges_that_cannot_be_meant_are_refused(ranges: str, tmp_path: Path):
    """With the form that is expected."""
    with pytest.raises(TopicUnknown, match="PARTITION:START:END"):
        run_audit.offline(run_audit.Question(str(tmp_path), "t"), ranges, AT)


def test_the_history_says_since_when(tmp_path: Path):
    """Pending, then stored, then gone; and what was there from the first audit on."""
    history = tmp_path / "proofs.jsonl"

    def audited(day: int, files: list[Rows]) -> Audit:
        table = audited_tables.parquet(tmp_path / "table", files)
        return run_audit.offline(run_audit.Question(table, "t", history=history), "0:0:60", AT + timedelta(days=day))

    audited(0, [rows(0, 0, 30, without=[3])])
    audited(1, [rows(0, 0, 60, without=[3])])
    gone = audited(2, [rows(0, 0, 60, without=[3, 40])])
    still = audited(3, [rows(0, 0, 60, without=[3, 40])])

    assert [one.since for one in gone.findings] == [
        "seen since 2026-01-01T00:00:00Z, the first audit",
        "new: stored at 2026-01-02T00:00:00Z",
    ]
    assert still.findings[1].since == "seen since 2026-01-03T00:00:00Z, stored at 2026-01-02T00:00:00Z"
    assert len(history.read_text().splitlines()) == 4


def test_the_history_remembers_what_the_topic_forgets(broker: Broker, filled, tmp_path: Path):
    """A marker that was asked for in time stays a marker, and a loss a loss, after the topic has deleted both."""
    name = filled("audited-remembered", transactional=True)
    table = audited_tables.parquet(tmp_path / "table", [rows(0, 0, 20, without=[7]), rows(0, 42, 62), rows(1, 42, 62)])
    question = run_audit.Question(table, name, history=tmp_path / "proofs.jsonl", rules=Rules(from_first_row=True))
    before = run_audit.against(question, broker, AT)
    admin = AdminClient(confluent_config(broker))
    admin.delete_records([TopicPartition(name, 0, 50)])[TopicPartition(name, 0)].result()

    after = run_audit.against(question, broker, AT)
    forgetful = run_audit.against(run_audit.Question(table, name), broker, AT)

    assert before.missing == after.missing == 1
    assert before.gaps == after.gaps
    assert after.unverifiable == 0
    assert forgetful.unverifiable == 23


def test_a_recreated_topic_is_known_by_its_id(broker: Broker, recreated: str, tmp_path: Path):
    """Even when it has as many records as before, which its offsets would not show."""
    table = audited_tables.parquet(tmp_path / "table", [rows(0, 0, 10), rows(1, 0, 10)])
    question = run_audit.Question(table, recreated, history=tmp_path / "proofs.jsonl")
    assert run_audit.against(question, broker, AT).exit_code == 0
    line = json.loads((tmp_path / "proofs.jsonl").read_text())
    (tmp_path / "proofs.jsonl").write_text(json.dumps({**line, "topic_id": "another"}) + "\n")

    audit = run_audit.against(question, broker, AT)

    assert audit.exit_code == 1
    assert "made again" in audit.recreated


class _Text(HTMLParser):
    """The words of a page, and the addresses it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_receipt_stands_alone_and_is_safe(tmp_path: Path):
    """It loads nothing, names what was found, and what stands in names cannot become markup."""
    table = audited_tables.parquet(tmp_path / "<b>&table", [rows(0, 0, 30, without=[13])])
    audit = run_audit.offline(run_audit.Question(table, "t"), "0:0:30", AT)

    read = _Text()
    read.feed(page := receipt.page(audit))

    assert read.loads == []
    assert "<b>&table" not in page
    text = " ".join(read.words)
    for word in ("Not proven", "29 rows, 1 missing, 0 duplicate", "should be in 000.parquet", "&table (Parquet"):
        assert word in text


@pytest.mark.parametrize(
    ("stored", "exit_code", "verdict"),
    [(50, 2, "proven as far as it was stored"), (0, 1, "")],
)
def test_the_command(stored: int, exit_code: int, verdict: str, broker: Broker, topic: str, tmp_path: Path):
    """As a script would call it: exit code, JSON and receipt; an error is one sentence."""
    if stored:
        audited_tables.parquet(tmp_path / "table", [rows(p, 0, stored) for p in (0, 1)])
    command = [sys.executable, "-m", "indutech", "audit", str(tmp_path / "table"), "--topic", topic, "--json"]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}

    ran = subprocess.run(
        [*command, "--html", str(tmp_path / "receipt.html")], env=environment, capture_output=True, text=True
    )

    assert ran.returncode == exit_code, ran.stderr
    if stored:
        assert json.loads(ran.stdout)["verdict"] == verdict
        assert (tmp_path / "receipt.html").read_text().startswith("<!doctype html>")
    else:
        assert ran.stdout == ""
        assert ran.stderr.startswith("indutech: No Parquet file at")
        assert len(ran.stderr.splitlines()) == 1
