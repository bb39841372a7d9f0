"""Fixtures of the laboratory: one for each row, with a topic and a folder of its own."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pyspark.sql import SparkSession

from indutech.kafka import broker as brokers
from indutech.kafka import topics, users
from indutech.kafka.broker import Broker
from indutech.system.settings import Settings
from tests.faults.laboratory import Laboratory
from tests.faults.record import SEED
from tests.faults.table import Fault


@pytest.fixture
def draws(request: pytest.FixtureRequest) -> random.Random:
    """The random moments of one test: they depend on the seed and on the test's name, not on the order of tests."""
    return random.Random(f"{SEED} {request.node.name}")  # noqa: S311 - repeatable moments


@pytest.fixture
def laboratory(
    fault: Fault, broker: Broker, new_settings: Callable[..., Settings], spark: SparkSession, draws: random.Random
) -> Iterator[Laboratory]:
    """The laboratory of one fault, on the session's broker or on one that the fault may hurt."""
    settings = new_settings(f"fault-{fault.family}-{draws.randrange(10**9)}", **fault.settings)
    with ExitStack() as ends:
        if fault.own_broker:
            settings = settings.model_copy(update={"bootstrap_servers": None})
        if fault.own_broker == "plain":
            broker = ends.enter_context(brokers.connected(settings))
        elif fault.own_broker == "secured":
            broker = brokers.start(settings, secure=True)
            ends.callback(brokers.stop, settings)
            topics.ensure_topic(broker, settings)
            users.prepare(broker, settings)
        yield Laboratory(settings, broker, spark, draws, ends)
