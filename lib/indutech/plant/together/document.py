"""The generated parts of docs/running.md about the plant on one machine."""

from collections.abc import Callable, Mapping

from indutech.plant.together.measured import PlantRun

PARTS: Mapping[str, Callable[[], str]] = {"measured": lambda: PlantRun.read().table}
