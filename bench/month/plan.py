"""What a month is: as many generated tickets as its gigabytes hold, and the room that they need on the disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from indutech.costs.inputs.measurement import read_measurement
from indutech.costs.inputs.usage import read_usage
from indutech.system.settings import Settings
from indutech.tickets import product as products

DAYS_A_MONTH = 30
SAMPLE = 200_000  # tickets whose bytes are counted
CHUNK = 1_000
FREE_ALWAYS = 2 * 10**9  # bytes that the replay leaves to the rest of the machine


@dataclass(frozen=True)
class Month:
    """So many days of it, from a seed."""

    days: float
    seed: int
    gb_a_month: float  # 10^9 bytes of JSON
    bytes_a_ticket: float

    @property
    def tickets(self) -> int:
        """How many tickets hold those bytes."""
        return round(self.gb_a_month * 10**9 * self.days / DAYS_A_MONTH / self.bytes_a_ticket)

    @property
    def raw_bytes(self) -> int:
        """Bytes of all tickets as JSON, from what the sample takes."""
        return round(self.tickets * self.bytes_a_ticket)

    @property
    def period(self) -> timedelta:
        """Over which the dates of the tickets are spread, by the hours of work."""
        return timedelta(days=self.days)

    def room(self, backlog_bytes: int) -> int:
        """Bytes of disk: the Parquet, once more while it is compacted, the topic's backlog, and what stays free."""
        reference, _ = read_measurement()
        return round(2 * self.tickets * float(reference.parquet_bytes_per_ticket)) + backlog_bytes + FREE_ALWAYS


def planned(settings: Settings, days: float, seed: int) -> Month:
    """Return the month of the usage assumptions, in tickets as the generator makes them."""
    sizes = list(islice(_sizes(settings, days, seed), SAMPLE))
    return Month(days, seed, float(read_usage()["sensor_gb_month"].base), sum(sizes) / len(sizes))


def _sizes(settings: Settings, days: float, seed: int) -> Iterator[int]:
    for block in products.of(settings).messages(SAMPLE, seed, timedelta(days=days), CHUNK):
        yield from (len(value) for _, value in block)
