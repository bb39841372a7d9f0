"""Generates sensor readings from a seed: what five sensors on each machine of the fleet say, machine after machine."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import orjson
from numpy.typing import NDArray

from indutech.plant.sensors.contract import HIGHEST, LOWEST, Metric, Quality, Reading, Unit
from indutech.plant.sensors.fleet import MACHINE_IDS, MACHINES, SITE_OF, Fleet, fleet, load, trouble
from indutech.tickets.generator import DEMO_START

SPACING_S = 1.0  # seconds between two readings of one sensor, when no period is asked for
BOOT = 2**22  # a run of the generator is a boot of the machines, and numbers its readings from seed × this on
FAIL_WITHIN = timedelta(hours=24)  # when no period is asked for
_FIELDS = tuple(Reading.model_fields)

METRICS = tuple(Metric)
UNITS = dict(zip(METRICS, (Unit.CELSIUS, Unit.MM_PER_S, Unit.BAR, Unit.AMPERE, Unit.RPM), strict=True))
DECIMALS = dict(zip(METRICS, (1, 2, 2, 1, 0), strict=True))  # as such sensors resolve
_ROUND = MACHINES * len(METRICS)  # readings of one moment: every sensor of every machine
_GLITCH = 0.002  # of the values, the sensor itself doubts


def reading_messages(
    count: int | None,
    seed: int,
    start: datetime = DEMO_START,
    period: timedelta | None = None,
    batch: int = 10_000,
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield readings as lists of (key, JSON), `batch` at a time; no count means without end."""
    pending: list[tuple[bytes, bytes]] = []
    for rows in _rounds(count, seed, start, period):
        pending += rows
        whole = len(pending) - len(pending) % batch
        yield from (pending[at : at + batch] for at in range(0, whole, batch))
        del pending[:whole]
    if pending:
        yield pending


def _rounds(
    count: int | None, seed: int, start: datetime, period: timedelta | None
) -> Iterator[list[tuple[bytes, bytes]]]:
    if start.tzinfo is None:
        raise ValueError(f"start has no offset: {start.isoformat()}")
    if period is not None and count is None:
        raise ValueError("a period needs a count: readings are spread over it")
    machines = fleet(seed)
    rounds = None if count is None else -(-count // _ROUND)
    spacing_s = SPACING_S if period is None or not rounds else period.total_seconds() / rounds
    whole_s = (period or FAIL_WITHIN).total_seconds()
    number = 0
    while rounds is None or number < rounds:
        rows = _round(seed, machines, start, number, spacing_s, whole_s)
        yield rows if count is None else rows[: count - number * _ROUND]
        number += 1


def _round(
    seed: int, machines: Fleet, start: datetime, number: int, spacing_s: float, whole_s: float
) -> list[tuple[bytes, bytes]]:
    """All sensors at one moment; it depends on its number only, not on how many follow."""
    draws = np.random.Generator(np.random.PCG64([seed, 4, number]))
    jitter, noise, doubt = draws.random(MACHINES), draws.standard_normal((5, MACHINES)), draws.random((5, MACHINES))
    seconds = (number + 0.9 * jitter) * spacing_s
    fails_at = np.where(machines.failing, machines.fails_at * whole_s, np.inf)
    values, doubtful = _values(machines, start, seconds, trouble(seconds, fails_at), noise)
    doubtful |= doubt < _GLITCH
    moments = np.datetime64(int(start.timestamp() * 1000), "ms") + (seconds * 1000).astype("m8[ms]")
    first = seed * BOOT + number * len(METRICS)
    rows = []
    for at, (machine, moment) in enumerate(zip(MACHINE_IDS, np.datetime_as_string(moments), strict=True)):
        key, site, measured_at = machine.encode(), SITE_OF[machine], f"{moment}Z"
        for place, metric in enumerate(METRICS):
            quality = Quality.DOUBTFUL if doubtful[place, at] else Quality.GOOD
            value = float(values[place, at])
            values_in_order = (machine, measured_at, first + place, site, metric, value, UNITS[metric], quality)
            rows.append((key, orjson.dumps(dict(zip(_FIELDS, values_in_order, strict=True)))))
    return rows


def _values(
    machines: Fleet,
    start: datetime,
    seconds: NDArray[np.float64],
    failure: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What each sensor says, and whether the value is doubtful; rows in the order of the metrics."""
    local = start.astimezone(ZoneInfo("Europe/Paris"))
    monday = (local.weekday() * 24 + local.hour) * 3600 + local.minute * 60 + local.second
    stands = failure >= 2
    works = np.where(stands, 0.0, load(monday + seconds, machines.runs_all_night))
    ill = np.where(stands, 0.0, failure)
    day = 2 * np.pi * (monday + seconds) / 86_400
    slow = np.sin(day / 0.21 + machines.phase)  # a drift of some hours, of each machine its own
    hall = 19 + 4 * np.sin(day - 2.2)  # the air around it: warmest in the afternoon
    exact = np.stack(
        [
            hall + works * (38 + 12 * machines.wear + 2 * slow) + 35 * ill + 0.4 * noise[0],
            0.05 + works * (1.6 + 1.8 * machines.wear) * (1 + 0.06 * slow) + 9 * ill + 0.08 * np.abs(noise[1]),
            works * (6.0 + 0.25 * slow) - 1.5 * ill + 0.9 + 0.03 * noise[2],
            0.4 + works * (22 + 6 * machines.wear + 1.2 * slow) + 14 * ill + 0.3 * np.abs(noise[3]),
            works * (1480 - 25 * machines.wear) * (1 - 0.3 * ill) + works * 4 * noise[4],
        ]
    )
    rounded = np.stack([np.round(row, DECIMALS[metric]) for row, metric in zip(exact, METRICS, strict=True)])
    doubtful = np.broadcast_to(ill > 0.8, rounded.shape).copy()  # shaken so much that its sensors doubt themselves
    return np.clip(rounded + 0.0, LOWEST, HIGHEST), doubtful
