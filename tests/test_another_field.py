"""A further ticket field takes three edits, and arrives everywhere: the recipe of CONTRIBUTING, done in a copy."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from indutech.system.settings import PROJECT
from indutech.tickets.contract import FIELDS

pytestmark = pytest.mark.spark  # the copy of the project starts one

Edit = tuple[str, str, str]  # file, the text before which the new text goes, the new text
CONTRACT, GENERATOR = "lib/indutech/tickets/contract.py", "lib/indutech/tickets/generator.py"
_END_OF_FIELDS, _END_OF_BLOCK = "\n\nPRODUCT = ", "        }\n        if missing :="

# The recipe of CONTRIBUTING.md, to the letter.
ONE_WORD: list[Edit] = [
    (
        CONTRACT,
        "\n\nTEAM_FOR_TYPE",
        '''\n
class Channel(StrEnum):
    """How a ticket came in."""

    WEB = "Web"
    PHONE = "Téléphone"
''',
    ),
    (
        CONTRACT,
        _END_OF_FIELDS,
        """    channel: Annotated[Channel | None, Word(Channel)] = Field(
        default=None, description="How the ticket came in.", examples=["Web"]
    )
""",
    ),
    (
        GENERATOR,
        _END_OF_BLOCK,
        '            "channel": np.random.default_rng([seed, 7, first]).integers(0, 2, _BLOCK)[:wanted],\n',
    ),
]

# After it, two more edits for each: a field of every other kind, so that the last one is no word, as it is without
# these edits; one is required.
EVERY_KIND: list[Edit] = [
    (
        CONTRACT,
        _END_OF_FIELDS,
        """    floor: Annotated[int, Integer(range(-2, 41))] = Field(description="Floor.", examples=[7])
    site: Annotated[str | None, FreeText()] = Field(default=None, description="Site.", examples=["Lyon"])
    seen: Annotated[datetime | None, Moment(range(1975, 2051))] = Field(default=None, description="Seen.", examples=[])
    parent: Annotated[str | None, Uuid()] = Field(default=None, description="Parent.", examples=[])
""",
    ),
    (
        GENERATOR,
        _END_OF_BLOCK,
        """            "floor": np.random.default_rng([seed, 7, first]).integers(-2, 41, _BLOCK)[:wanted],
            "site": np.array(["Lyon".encode(), "Évry".encode()], object)[priority % 2],
            "seen": np.datetime64("2026-01-01T00:00:00", "s") + priority,
            "parent": ids,
""",
    ),
]


def copy(folder: Path, edits: list[Edit]) -> None:
    """A copy of the package, its assets and documents with these edits."""
    for name in ("lib", "assets", "docs"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, text in edits:
        path = folder / name
        source = path.read_text("utf-8")
        assert source.count(before) == 1, f"{name}: {before!r}"
        path.write_text(source.replace(before, text + before), "utf-8")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the package of this copy."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(folder / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )


def with_edits(folder: Path, edits: list[Edit], new: list[str]) -> dict[str, Any]:
    """What tests/another_field.py prints in a copy of the project with these edits."""
    copy(folder, edits)
    ran = run(folder, "-m", "tests.another_field", str(folder / "données"), *new)
    assert ran.returncode == 0, ran.stderr[-3_000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('batch: Annotated[int, Integer(range(10))]', "A column is called batch already"),
        ('Topic: Annotated[str, FreeText()]', "A column is called Topic already"),
        ('channel: str', "channel is declared without a kind"),
        ('channel: Annotated[str, FreeText()] = "web"', "null is the only one that Spark knows"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_work_is_refused_at_once(tmp_path: Path, line: str, reason: str) -> None:
    """Nothing starts, and the message says what is wrong with the field."""
    copy(tmp_path / "copy", [(CONTRACT, _END_OF_FIELDS, f"    {line}\n")])

    ran = run(tmp_path / "copy", "-c", "from indutech.tickets import schema")

    assert ran.returncode == 1
    assert reason in ran.stderr


def test_a_forgotten_line_of_the_generator_is_named(tmp_path: Path) -> None:
    """Nothing is generated without the new field."""
    copy(tmp_path / "copy", ONE_WORD[:2])

    ran = run(tmp_path / "copy", "-c", "from indutech.tickets import generator; generator.make_tickets(1, seed=1)")

    assert "The generator draws no channel: add a line" in ran.stderr


def test_the_fast_path_needs_its_order_of_fields(tmp_path: Path) -> None:
    """A word before the text has no known place: it is refused, not slow or wrong."""
    before = "    request: Annotated[str"
    copy(tmp_path / "copy", [(CONTRACT, before, "    urgency: Annotated[Priority, Word(Priority)]\n")])

    ran = run(tmp_path / "copy", "-c", "from indutech.tickets import compact_json")

    assert "move urgency in the contract" in ran.stderr


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The recipe done for a word, and after it for a field of every other kind."""
    names = ["channel", "floor", "site", "seen", "parent"]
    return with_edits(tmp_path_factory.mktemp("recipe") / "copy", [*ONE_WORD, *EVERY_KIND], names)


def _new(found: Mapping[str, Any]) -> list[str]:
    return list(found["generated"])


def test_the_recipe_has_three_edits() -> None:
    """What CONTRIBUTING promises."""
    assert len(ONE_WORD) == 3


def test_the_field_stands_in_every_schema(found: dict[str, Any]) -> None:
    """JSON Schema, Arrow, Spark, DuckDB (full, empty, and over files from before), the DDL, the documents."""
    names = [*FIELDS, *_new(found)]

    assert found["JSON Schema"] == list(found["Arrow"]) == names
    assert found["breakdown"] == names  # the tickets that notebook 07 makes are whole, too
    assert [name for name in found["Spark"] if name in names] == names
    for view in ("empty view", "old view"):
        assert found[view][: len(names)] == names
    assert found["same types"]
    for name in _new(found):
        assert all(f"\n  {name} " in statement for statement in found["DDL"])
        assert f"| `{name}` |" in found["document"]
        assert f"`{name}`" in found["steps"]


def test_python_and_spark_validate_it_alike(found: dict[str, Any]) -> None:
    """The same result, reason and value for values of every kind in each new field, and for its absence."""
    assert found["alike"] == []
    reasons = {row["reason"] for row in found["python"]}
    for name in _new(found):
        assert len({reason for reason in reasons if reason and re.search(rf"\b{name}\b", reason)}) >= 2


def test_the_fast_path_takes_it(found: dict[str, Any]) -> None:
    """All that the generator writes goes by the fast path, and nothing that is no ticket."""
    generated = [row for row in found["python"][: found["fast path"]] if row["reason"] is None]

    assert found["fast path"] == len(found["generated"][_new(found)[0]]) == len(generated)
    assert found["fast path wrong"] == []


def test_the_lake_has_it(found: dict[str, Any]) -> None:
    """Its values are stored, and still there after a compaction together with files from before the field."""
    valid = [row for row in found["python"] if row["reason"] is None]

    assert found["stored rows"] == len(valid)
    assert Counter(found["reasons"]) == Counter(row["reason"] for row in found["python"] if row["reason"])
    assert found["compacted"]
    for name in _new(found):
        values = [row[name] for row in valid if row[name] is not None]
        assert len(found["stored"][name]) == len(values) > 0
        assert Counter(found["after compaction"][name]) >= Counter(values)


def test_the_generator_and_the_measurement_know_it(found: dict[str, Any]) -> None:
    """The table has the values of the messages, and the size of a message is measured with it."""
    for name in _new(found):
        messages = [row[name] for row in found["python"]]
        assert found["generated"][name] == messages[: len(found["generated"][name])]
    assert found["bytes"][0] == found["bytes"][1]


def test_tickets_with_it_can_be_sent_again(found: dict[str, Any]) -> None:
    """From a Parquet file, with and without a value in the new field."""
    rows, read, accepted = found["replayed"]

    assert rows == read == accepted > 0


def test_an_optional_field_may_be_absent(found: dict[str, Any]) -> None:
    """A producer a version behind is understood; null means the same; another word is refused."""
    assert "channel" not in found["required"]
    without = [row for row in found["python"] if row["channel"] is None]
    assert sum(row["reason"] is None for row in without) == 2  # absent, and null
    assert {"unknown channel: fax", "channel is not text"} <= {row["reason"] for row in without}
    assert "Téléphone" in {row["channel"] for row in found["python"][300:]}


def test_a_required_field_may_not(found: dict[str, Any]) -> None:
    """Its absence is the reason, in the words of every other field; and each kind has its own reasons."""
    assert "floor" in found["required"]
    reasons = {row["reason"] for row in found["python"]}
    assert {
        *("missing field: floor", "floor is null", "floor out of range: 41", "floor is not an integer"),
        *("site is blank", "site is not text", "seen out of range: 1969-03-02T08:15:30Z"),
        *("seen has no offset: 2026-03-02T08:15:30", "parent is not a UUID: fax"),
    } <= reasons
