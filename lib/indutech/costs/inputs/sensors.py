"""What sensor data take, measured on generated readings: the size of an event, and what Parquet makes of a GB."""

from __future__ import annotations

from decimal import Decimal

from indutech.costs.inputs.usage import Assumption, Usage
from indutech.plant.sensors.measured import Sizes


def figures(sizes: Sizes, usage: Usage) -> dict[str, Assumption]:
    """The assumptions that the measurement replaces; their brackets stay, widened where it lies outside."""
    values = {
        "event_bytes": round(Decimal(sizes.json_bytes) / sizes.readings, 1),
        "sensor_compression": round(Decimal(sizes.json_bytes) / sizes.parquet_bytes, 1),
    }
    return {name: usage.having(**{name: value})[name] for name, value in values.items()}
