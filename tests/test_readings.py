"""Sensor readings go through the same pipeline as tickets: the setting INDUTECH_PRODUCT is all that differs."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession

from indutech.kafka.broker import Broker
from indutech.lake import quarantine, reader, reset
from indutech.lake.quarantine import Selection
from indutech.plant.sensors import fleet
from indutech.plant.sensors.contract import PRODUCT
from indutech.plant.sensors.generator import BOOT, reading_messages
from indutech.plant.sensors.measured import Sizes
from indutech.producer import produce
from indutech.proof import monitor, reconcile
from indutech.stream import job, transforms
from indutech.stream.fast_path import fast_path
from indutech.system.settings import PROJECT, Settings
from indutech.tickets import contract as tickets
from indutech.tickets import product as products
from indutech.tickets import schema
from indutech.tickets.files import ReplayRefused
from indutech.tickets.strict_json import Rejected
from tests.topics_filled import send

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
RIGHT = {
    "machine_id": "MX-0042",
    "measured_at": "2026-03-02T08:15:30.250Z",
    "sequence": 29360128,
    "site": "Saint-Étienne",
    "metric": "vibration",
    "measured_value": 2.84,
    "unit": "mm/s",
    "quality": "BONNE",
}
NUMBERS = (
    *("0", "-0", "-0.0", "1.50", "1e2", "1E+2", "1e-400", "1e400", "-100", "-100.01", "20000", "20000.0000001"),
    *("19999.999999999999999999", "01", "1.", ".5", "+1", "NaN", "Infinity", '"2.84"', "true", "null", "[]", "{}"),
)
OTHERS: dict[str, tuple[object, ...]] = {
    "machine_id": ("MX-042", "mx-0042", "MX-00420", "MX-٠٠٤٢", " MX-0042", 42, None),
    "measured_at": ("2026-03-02T08:15:30Z", "2026-03-02T09:15:30.250+01:00", "2026-02-30T08:15:30.250Z", "2026-03-02"),
    "sequence": (2**53 - 1, 2**53, -1, 1.0, "1"),
    "site": ("Saint-E\u0301tienne", " Lyon ", "Paris"),
    "unit": ("\u00b0C", "\u02daC", "tr/min"),
    "quality": ("bonne", None),
}


def compact(row: dict[str, Any]) -> str:
    """JSON as the plant writes it."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def messages() -> list[bytes]:
    """One right reading, and near misses of each field of it."""
    made = [compact(RIGHT)]
    made += [compact({**RIGHT, "measured_value": "?"}).replace('"?"', number) for number in NUMBERS]
    made += [compact({**RIGHT, name: value}) for name, values in OTHERS.items() for value in values]
    made += [compact({key: value for key, value in RIGHT.items() if key != absent}) for absent in RIGHT]
    made += [
        json.dumps({**RIGHT, "measured_value": -0.0}),
        json.dumps(RIGHT),
        compact(RIGHT) + "}",
        compact(RIGHT)[:-1],
    ]
    return [one.encode() for one in made]


def kafka_rows(spark: SparkSession, values: list[bytes]) -> DataFrame:
    """Rows as Spark's Kafka source gives them."""
    rows = [
        {"key": b"k", "value": value, "topic": "t", "partition": 0, "offset": offset, "timestamp": NOON}
        for offset, value in enumerate(values)
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=schema.KAFKA))


def plain(row: Any) -> dict[str, Any]:
    """A reading as a dictionary, words as text."""
    return {name: str(value) if isinstance(value, StrEnum) else value for name, value in row.model_dump().items()}


def generated(count: int, seed: int = 7, **more: Any) -> list[bytes]:
    """The values of that many readings."""
    return [value for batch in reading_messages(count, seed, **more) for _, value in batch]


def rows(count: int, seed: int = 7, **more: Any) -> list[Any]:
    """The readings themselves."""
    return [PRODUCT.validate(value) for value in generated(count, seed, **more)]


def test_python_and_spark_validate_readings_alike(spark: SparkSession) -> None:
    """Reason and value are the same for each number at a bound, and each near miss of a code, a word or a moment."""
    values = messages()
    nothing = dict.fromkeys(PRODUCT.fields)
    python = [
        {"reason": one.reason, **nothing} if isinstance(one, Rejected) else {"reason": None, **plain(one)}
        for one in map(PRODUCT.validate, values)
    ]

    seen = transforms.validated(kafka_rows(spark, values), PRODUCT).orderBy("offset")

    found = seen.select("reason", *PRODUCT.fields).toArrow().to_pylist()
    assert found == python
    for one in (found, python):  # to be equal is not enough for zeros
        assert not [row for row in one if str(row["measured_value"]).startswith("-0")]
    reasons = {row["reason"] for row in python}
    assert {
        *("measured_value is not a number", "measured_value out of range", "measured_value is null", None),
        *("machine_id is not MX- and 4 digits: mx-0042", "sequence out of range: 9007199254740992"),
        *("unknown site: Paris", "unknown unit: ˚C", "missing field: measured_value"),
    } <= reasons


def test_the_fast_path_takes_what_the_plant_writes(spark: SparkSession) -> None:
    """All generated readings, with the values that Python reads; and of the near misses only right ones."""
    made, others = generated(1_500), messages()

    taken = fast_path(kafka_rows(spark, [*made, *others]), PRODUCT).where("fast_path_ok").orderBy("offset")
    table = taken.select("offset", *PRODUCT.fields).toArrow().to_pylist()

    by_offset = {row.pop("offset"): row for row in table}
    assert set(range(len(made))) <= by_offset.keys()
    for offset, row in by_offset.items():
        found = PRODUCT.validate([*made, *others][offset])
        assert not isinstance(found, Rejected)
        assert row == plain(found)


def test_readings_repeat_and_do_not_depend_on_their_number() -> None:
    """The same seed makes the same bytes; a longer run begins as a shorter one; keys are the machines."""
    assert generated(2_500) == generated(2_500)
    assert generated(2_500)[:1_200] == generated(1_200)
    assert generated(100, seed=8) != generated(100)
    assert all(key == value[15:22] for batch in reading_messages(300, 7) for key, value in batch)
    assert len(list(islice(reading_messages(None, 7, batch=700), 3))) == 3


def test_a_machine_counts_its_readings_without_a_hole() -> None:
    """So that whoever has them can see whether one is missing; another run counts elsewhere."""
    counted: dict[str, list[int]] = {}
    for row in rows(5_000):
        counted.setdefault(row.machine_id, []).append(row.sequence)

    assert len(counted) == fleet.MACHINES
    assert {tuple(numbers) for numbers in counted.values()} == {tuple(range(7 * BOOT, 7 * BOOT + 25))}


@pytest.mark.slow
def test_machines_work_in_shifts_and_failures_show_before() -> None:
    """At night most stand still; a machine that will fail shakes more in its last hour than a day before; then none."""
    days = timedelta(days=2)
    found = generated(200 * 5 * 2 * 72, start=START, period=days)
    shaking = [
        row for value in found if b"vibration" in value and not isinstance(row := PRODUCT.validate(value), Rejected)
    ]
    [failure, *_] = [one for one in fleet.failures(7, START, days.total_seconds()) if 9 <= one.failed_at.hour <= 18]

    def mean(since: datetime, until: datetime, *machines: str) -> float:
        then = [row for row in shaking if since <= row.measured_at < until]
        here = [row.measured_value for row in then if not machines or row.machine_id in machines]
        return sum(here) / len(here)

    night, noon = START + timedelta(hours=1), START + timedelta(hours=11)
    hour = timedelta(hours=1)
    assert mean(night, night + hour) < 0.5 * mean(noon, noon + hour)
    before, healthy = failure.failed_at - hour, failure.shows_from - hour
    assert mean(before, failure.failed_at, failure.machine_id) > 1.8 * mean(healthy, healthy + hour, failure.machine_id)
    assert mean(failure.failed_at + hour, failure.failed_at + 2 * hour, failure.machine_id) < 0.6


def test_readings_are_stored_refused_and_proved(
    new_settings: Callable[..., Settings], broker: Broker, spark: SparkSession
) -> None:
    """Each offset is in the lake or the quarantine; what arrived twice is counted, and curated."""
    settings = new_settings("readings", product="readings")
    sent = produce.produce(settings, broker, count=3_000, seed=7, progress=False)
    again = generated(10)
    bad = compact({**RIGHT, "measured_value": 1e9}).encode()
    send(broker, settings, [(b"k", value) for value in [*again, bad]])

    stored = job.run(settings, broker, once=True, spark=spark)
    proof = reconcile.prove(settings, broker, full=True)

    assert (sent.acknowledged, sent.product) == (3_000, "readings")
    assert (stored.stored, stored.quarantined) == (3_010, 1)
    assert (proof.stored, proof.quarantined, proof.lost, proof.twice, proof.pending) == (3_010, 1, 0, 0, 0)
    assert proof.duplicate_tickets == 10
    assert reader.read(settings, "curated").num_rows == 3_000
    assert quarantine.counts(settings, Selection()) == {"measured_value out of range": 1}
    look = monitor.Monitor(settings, broker).read()
    assert (look.stored, look.last_minute) == (3_010, None)
    assert "readings/s" in monitor.as_line(look)
    assert list((settings.lake_dir / "readings").glob("ingest_date=*/batch=*/*.parquet"))
    assert settings.lake_dir in [path for path, _ in reset.listed(settings)]


def test_products_share_a_broker_and_nothing_else(tmp_path: Path) -> None:
    """Topic, lake, checkpoint, audit and lock are each product's own, in a folder and in a bucket."""
    both = [Settings(_env_file=None, data_dir=tmp_path, product=name) for name in ("tickets", "readings")]
    own = ("topic", "lake_dir", "checkpoint_dir", "audit_file", "metrics_file", "writer_lock", "log_dir", "staging_dir")

    for name in own:
        assert getattr(both[0], name) != getattr(both[1], name), name
    assert both[0].broker_dir == both[1].broker_dir
    assert both[1].topic == "sensor_readings"
    buckets = [one.model_copy(update={"lake_uri": "s3a://some-bucket/lake"}).lake_bucket for one in both]
    assert buckets == [("some-bucket", "lake"), ("some-bucket", "lake-readings")]


def test_another_product_is_refused() -> None:
    """The names that there are are said, and nothing of the topic that would follow."""
    with pytest.raises(ValidationError, match="there is no data product 'invoices', only tickets, readings"):
        Settings(_env_file=None, product="invoices")
    ran = subprocess.run(
        [sys.executable, "-m", "indutech", "quarantine", "list"],
        env={"INDUTECH_PRODUCT": "invoices", "PYTHONPATH": str(PROJECT / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert [line for line in ran.stderr.splitlines() if line] == [
        "indutech: the setting INDUTECH_PRODUCT cannot be used: Value error, there is no data product 'invoices', "
        "only tickets, readings."
    ]


def test_each_product_declares_itself() -> None:
    """The module of the list has it, under its name."""
    assert products.named("tickets") is tickets.PRODUCT
    assert products.named("readings") is PRODUCT


def test_the_committed_measurement_is_of_these_readings() -> None:
    """Its JSON is as long as what the generator writes now; another contract needs another measurement."""
    sizes = Sizes.read()
    sample = generated(5_000, period=timedelta(days=sizes.days))

    assert abs(sizes.json_bytes / sizes.readings - sum(map(len, sample)) / len(sample)) < 2
    assert sizes.parquet_bytes < sizes.broker_bytes < sizes.json_bytes


def test_a_file_of_readings_cannot_be_replayed(new_settings: Callable[..., Settings], broker: Broker) -> None:
    """It says so, instead of taking each line for a bad ticket."""
    settings = new_settings("no-replay", product="readings")

    with pytest.raises(ReplayRefused, match="Only files of tickets can be replayed, and INDUTECH_PRODUCT is readings"):
        produce.produce(settings, broker, source=PROJECT / "README.md", progress=False)
