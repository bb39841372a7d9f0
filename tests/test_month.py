"""The parts of `make month`, small: what it plans, what it deletes from the topic, and when the producer waits."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bench.month import __main__ as month_command
from bench.month import plan, programs, topic
from bench.month import producer as month_producer
from bench.month.growth import Growth
from bench.month.plan import Month
from bench.month.run import Passing
from bench.month.shown import Display
from pyspark.sql import SparkSession

from indutech.costs.inputs.usage import read_usage
from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.lake.checkpoint import Checkpoint
from indutech.producer import produce
from indutech.proof import reconcile
from indutech.stream import job
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

NewSettings = Callable[..., Settings]
GB = 10**9


@pytest.fixture
def of_month(tmp_path: Path) -> Settings:
    """Settings of a month in a folder that is not there yet."""
    return month_command.settings_of_month(Settings(_env_file=None, data_dir=tmp_path))


@pytest.fixture
def month() -> Month:
    """A month of 10 GB in tickets of 250 bytes."""
    return Month(days=30, seed=7, gb_a_month=10, bytes_a_ticket=250)


def test_a_month_has_the_tickets_that_its_gigabytes_hold(settings: Settings) -> None:
    """The gigabytes are the assumption of the bill, the bytes of a ticket are counted, and days are a share of it."""
    whole, tenth = plan.planned(settings, 30, 7), plan.planned(settings, 3, 7)

    assumed = float(read_usage()["sensor_gb_month"].base) * GB
    assert whole.raw_bytes == pytest.approx(assumed, rel=1e-6)
    assert tenth.tickets == pytest.approx(whole.tickets / 10, rel=0.01)


def test_too_small_a_disk_is_said_before_the_first_ticket(month: Month, tmp_path: Path) -> None:
    """What it takes has the Parquet twice, for compaction, and the backlog."""
    huge = replace(month, gb_a_month=10**9)

    assert month.room(5 * GB) - month.room(4 * GB) == GB
    month_command.refuse_without_room(replace(month, gb_a_month=0.001), tmp_path, 0)
    with pytest.raises(InduTechError, match=r"are free: ask for fewer --days"):
        month_command.refuse_without_room(huge, tmp_path, 0)


def test_only_what_is_committed_leaves_the_topic(
    broker: Broker, new_settings: NewSettings, spark: SparkSession
) -> None:
    """The first offset left is the first that is not committed, and nothing is lost, twice or unverifiable."""
    settings = new_settings("month")
    topic.make(settings, broker, backlog_bytes=1)
    assert topic.delete_committed(settings, broker, {}) == {}  # nothing is committed yet
    produce.produce(settings, broker, count=300, seed=1, load=True, progress=False)
    job.run(settings, broker, once=True, spark=spark)
    produce.produce(settings, broker, count=300, seed=2, load=True, progress=False)
    ends = topics.end_offsets(broker, settings.topic)

    left = topic.delete_committed(settings, broker, {})

    committed = Checkpoint(settings.checkpoint_dir).committed_offsets(settings.topic)
    assert left == committed == topics.start_offsets(broker, settings.topic)
    assert ends == topics.end_offsets(broker, settings.topic)
    assert sum(ends.values()) - sum(left.values()) == 300
    proof = reconcile.prove(settings, broker)
    assert (proof.lost, proof.twice, proof.gaps, proof.unverifiable, proof.pending) == (0, 0, 0, 0, 300)
    job.run(settings, broker, once=True, spark=spark)
    assert topic.delete_committed(settings, broker, left) == ends
    proof = reconcile.prove(settings, broker)
    assert (proof.exit_code, proof.stored, proof.acknowledged) == (0, 600, 600)
    assert topics.describe_topic(broker, settings.topic).config["segment.bytes"] == str(topic.SMALLEST_SEGMENT)


def test_the_producer_waits_while_the_topic_is_too_large_or_the_disk_nearly_full(
    month: Month, of_month: Settings
) -> None:
    """It goes on once half of the bound is free again; a disk that others have filled ends the month."""
    of_month.data_dir.mkdir()
    passing = Passing(month, of_month, None, 4 * GB, Display(1))

    def waits(on_disk: float, free: float, nothing_waits: bool = False) -> bool:
        passing.hold_or_go_on(round(on_disk), round(free), nothing_waits=nothing_waits)
        return passing.hold.exists()

    assert not waits(3 * GB, 50 * GB)
    assert waits(4.1 * GB, 50 * GB)
    assert waits(3 * GB, 50 * GB)
    assert not waits(1.9 * GB, 50 * GB)
    assert waits(1 * GB, 0.9 * plan.FREE_ALWAYS)
    assert waits(1 * GB, 1.4 * plan.FREE_ALWAYS)
    assert not waits(1 * GB, 1.6 * plan.FREE_ALWAYS)
    assert waits(1 * GB, 0.4 * plan.FREE_ALWAYS)
    with pytest.raises(InduTechError, match="nearly full"):
        waits(0, 0.4 * plan.FREE_ALWAYS, nothing_waits=True)


def test_the_producer_sends_nothing_while_it_is_held(broker: Broker, new_settings: NewSettings) -> None:
    """It waits from the start to the end of the hold, then sends all; a program that fails is named with its reason."""
    settings = new_settings("month-held")
    topics.ensure_topic(broker, settings)
    hold = settings.data_dir / "hold"
    hold.touch()
    with programs.started("producer", settings, "-m", "bench.month.producer", "500", "7", "1", str(hold)) as producer:
        deadline = time.monotonic() + 60
        while month_producer.HELD not in producer.logged() and time.monotonic() < deadline:
            time.sleep(0.05)
        looked_until = time.monotonic() + 1  # 500 tickets take a tenth of that
        while time.monotonic() < looked_until:
            assert sum(topics.end_offsets(broker, settings.topic).values()) == 0
        assert producer.runs()
        hold.unlink()
        assert producer.finished() == 0
    assert sum(topics.end_offsets(broker, settings.topic).values()) == 500
    assert producer.told()["waited_s"] > 1
    assert producer.peak_mib > 10
    with pytest.raises(InduTechError, match="The compaction ended with exit code 2: "):
        programs.done("compaction", settings, "compact", "--no-such-option")


def test_segments_count_once_when_they_are_deleted(of_month: Settings) -> None:
    """A deleted segment is renamed before it goes: what was written is the sum of the largest sizes that were seen."""
    settings = of_month
    folder = settings.broker_dir / "data" / f"{settings.topic}-0"
    folder.mkdir(parents=True)
    first, second = folder / "00000000000000000000.log", folder / "00000000000000000100.log"
    first.write_bytes(bytes(70))
    on_disk = topic.OnDisk(settings)

    assert on_disk.bytes_now() == 70
    first.write_bytes(bytes(100))
    second.write_bytes(bytes(30))
    assert on_disk.bytes_now() == 130
    first.rename(first.with_name(f"{first.name}.deleted"))
    assert on_disk.bytes_now() == 130
    first.with_name(f"{first.name}.deleted").unlink()
    assert (on_disk.bytes_now(), on_disk.bytes_written) == (30, 130)


def test_the_folder_is_empty_alone_and_removed(of_month: Settings) -> None:
    """What a killed month left is deleted, a kept one is not, and two at once are refused."""
    settings = of_month
    left = settings.data_dir / "lake" / "left.parquet"
    left.parent.mkdir(parents=True)
    left.touch()

    with month_command.own_folder(settings, keep=False):
        assert not left.exists()
        with (
            pytest.raises(InduTechError, match="Another process"),
            month_command.own_folder(settings, keep=False),
        ):
            pass
    assert not settings.data_dir.exists()

    def ends_with(error: BaseException, *, keep: bool) -> None:
        with month_command.own_folder(settings, keep=keep):
            assert not left.exists()
            left.parent.mkdir(parents=True)
            left.touch()
            raise error

    with pytest.raises(InduTechError, match=r"It failed\. What it wrote stays in "):
        ends_with(InduTechError("It failed."), keep=False)
    assert left.exists()
    with pytest.raises(KeyboardInterrupt):
        ends_with(KeyboardInterrupt(), keep=False)
    assert not settings.data_dir.exists()
    with month_command.own_folder(settings, keep=True):
        pass
    with pytest.raises(InduTechError, match="A month is kept"), month_command.own_folder(settings, keep=False):
        pass


def test_the_pace_at_a_size_is_that_of_the_full_batches_before_it(of_month: Settings) -> None:
    """Their median; a size is looked at once, and a batch counts for the first size after it."""
    growth = Growth(of_month.model_copy(update={"max_batch_tickets": 1_000}))
    assert (growth.is_due(999_999), growth.is_due(1_000_000)) == (False, True)
    seen = {"seconds": {}, "stream_mib": 1}
    growth.found = [{"stored": 1, "last_batch": 3, **seen}, {"stored": 2, "last_batch": 5, **seen}]
    alone = [(1, 1_000, 4), (2, 500, 1), (3, 1_000, 2), (5, 500, 1), (6, 1_000, 1)]

    paced = growth.with_pace([{"batch": batch, "rows": rows, "seconds": took} for batch, rows, took in alone])

    assert [one["tickets_per_s"] for one in paced] == [375, None]
