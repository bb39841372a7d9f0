"""What several tests share: one data folder, one real broker and one real Spark for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indutech import broker as brokers
from indutech.broker import Broker
from indutech.settings import Settings


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with spaces and accents in its path, because users have those."""
    return tmp_path_factory.mktemp("données de test")


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    """Settings of the session: its own folder, the embedded broker, no `.env` of the developer."""
    return Settings(_env_file=None, bootstrap_servers=None, data_dir=data_dir)


@pytest.fixture(scope="session")
def broker(settings: Settings) -> Iterator[Broker]:
    """A real broker that lives as long as the session."""
    with brokers.connected(settings) as connected:
        yield connected
