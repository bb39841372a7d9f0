"""What a reading takes, as it was measured: assets/readings-measurement.json, written by `python -m bench readings`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from indutech.system.settings import PROJECT

FILE = PROJECT / "assets" / "readings-measurement.json"


@dataclass(frozen=True)
class Sizes:
    """Bytes of many generated readings, all together."""

    measured_on: str
    made_by: str
    readings: int
    days: int
    json_bytes: int
    broker_bytes: int
    parquet_bytes: int
    files: int
    cores: int
    over_mqtt_per_s: int
    mqtt_broker: str

    @classmethod
    def read(cls, file: Path = FILE) -> Self:
        """Return the committed measurement."""
        return cls(**json.loads(file.read_text("utf-8")))

    @property
    def table(self) -> str:
        """A row for each place, as Markdown."""
        places = {
            "JSON, as it is sent": self.json_bytes,
            "on the broker, lz4": self.broker_bytes,
            "Parquet, zstd": self.parquet_bytes,
        }
        rows = [
            f"| {place} | {size / self.readings:.1f} | {100 * size / self.json_bytes:.0f} % |"
            for place, size in places.items()
        ]
        said = (
            f"Measured on {self.measured_on} by `{self.made_by}`: {self.readings:,} generated readings of "
            f"{self.days} day{'s' * (self.days != 1)}, {self.files} files of Parquet. From a gateway over MQTT "
            f"({self.mqtt_broker}) to Kafka went {self.over_mqtt_per_s:,} readings a second on {self.cores} cores, "
            "with Kafka, MQTT broker, bridge and gateway on them."
        )
        return "\n".join(["| a reading takes | bytes | of its JSON |", "|---|---|---|", *rows, "", said])
