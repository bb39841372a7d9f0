"""The program that stores tickets and readings in one Spark: `python -m indutech.plant.together.streams`.

Two programs, each with a JVM of its own, would take two thirds more memory: docs/decisions/0055.
"""

from pathlib import Path

from indutech.kafka import broker as brokers
from indutech.lake.store import connection as store
from indutech.plant.together.parts import READINGS, READY, TICKETS
from indutech.stream import together
from indutech.system.settings import Settings
from indutech.system.signals import stop_asked


def main() -> None:
    """Store both until a signal comes; says in a file of its folder once it does."""
    with store.connected(Settings()) as settings, brokers.connected(settings) as broker, stop_asked() as stop:
        products = [settings.for_product(name) for name in (TICKETS, READINGS)]
        together.run(products, broker, stop=stop, started=Path(READY).touch)


if __name__ == "__main__":
    main()
