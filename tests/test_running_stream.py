"""What a ticket waits while the stream runs: measured on a real broker and a real Spark, apart from other data."""

import pytest
from pyspark.sql import SparkSession

from indutech.kafka import topics
from indutech.kafka.broker import Broker
from indutech.report import running_stream
from indutech.report.running_stream import StreamTooSlow


def test_each_ticket_waits_once_and_the_notebooks_own_topic_stays_as_it_is(
    broker: Broker, spark: SparkSession, new_settings
) -> None:
    """A second run counts its own tickets only."""
    settings = new_settings("live-test")

    runs = [running_stream.waited(settings, broker, spark, rate=100, seconds=1, seed=seed) for seed in (1, 2)]

    assert [len(waited) for waited in runs] == [100, 100]
    assert all(0 < waited.min() <= waited.max() < running_stream.DEADLINE_S for waited in runs)
    assert topics.describe_topic(broker, settings.topic) is None


def test_a_stream_that_does_not_keep_up_is_an_error(
    broker: Broker, spark: SparkSession, new_settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the topic and the log, and does not wait for ever."""
    monkeypatch.setattr(running_stream, "DEADLINE_S", 0)
    settings = new_settings("live-late")

    with pytest.raises(StreamTooSlow, match=r"live-late-live.*spark\.log"):
        running_stream.waited(settings, broker, spark, rate=100, seconds=1, seed=1)
