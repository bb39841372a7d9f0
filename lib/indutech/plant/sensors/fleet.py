"""The machines of the plants, and what happens to them: shifts, wear, and failures that a sensor could see coming."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from indutech.plant.sensors.contract import Site

MACHINES = 200
MACHINE_IDS = tuple(f"MX-{number:04d}" for number in range(1, MACHINES + 1))
SITES = tuple(Site)
SITE_OF = {machine: SITES[place % len(SITES)] for place, machine in enumerate(MACHINE_IDS)}

FAILING_SHARE = 0.06  # of the machines, in the time that is looked at
WARNS_S = 6 * 3600.0  # so long before it fails, a machine begins to shake and to warm up
REPAIRED_AFTER_S = 3 * 3600.0
_RAMP_S = 900.0  # a line takes that long to come up and to run down
_EARLY, _LATE = 5, 21  # two shifts of eight hours, in the time of Paris
_ALL_NIGHT = 0.3  # of the machines run three shifts


@dataclass(frozen=True)
class Failure:
    """A breakdown: what the sensors announce, and what a ticket follows."""

    machine_id: str
    site: Site
    failed_at: datetime

    @property
    def shows_from(self) -> datetime:
        """When the sensors begin to show it."""
        return self.failed_at - timedelta(seconds=WARNS_S)


@dataclass(frozen=True)
class Fleet:
    """What a seed makes of the machines; each array has one number a machine."""

    runs_all_night: NDArray[np.bool_]
    wear: NDArray[np.float64]  # 0 new to 1 worn
    phase: NDArray[np.float64]  # of its slow ups and downs
    failing: NDArray[np.bool_]
    fails_at: NDArray[np.float64]  # a share of the time that is looked at


def fleet(seed: int) -> Fleet:
    """Return the machines of a seed."""
    draws = np.random.Generator(np.random.PCG64([seed, 3, 0]))
    night, wear, phase, failing, when = draws.random((5, MACHINES))
    # Not in the first third: there would be nothing to see before it.
    return Fleet(night < _ALL_NIGHT, wear, 2 * np.pi * phase, failing < FAILING_SHARE, 0.35 + 0.6 * when)


def failures(seed: int, start: datetime, seconds: float) -> list[Failure]:
    """Return the breakdowns in a time that begins at `start`, in their order."""
    machines = fleet(seed)
    found = [
        Failure(MACHINE_IDS[at], SITE_OF[MACHINE_IDS[at]], start + timedelta(seconds=seconds * machines.fails_at[at]))
        for at in np.flatnonzero(machines.failing)
    ]
    return sorted(found, key=lambda failure: failure.failed_at)


def load(local_seconds: NDArray[np.float64], all_night: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much a machine works, from 0 to 1, at seconds since a Monday at midnight in the plant's own time."""
    day, clock = np.divmod(local_seconds % (7 * 86_400), 86_400)
    early, late = _EARLY * 3600.0, _LATE * 3600.0
    up = np.clip((clock - early) / _RAMP_S, 0, 1)
    down = np.clip((late - clock) / _RAMP_S, 0, 1)
    shift = np.where(all_night, 1.0, np.minimum(up, down))
    return np.asarray(np.where(day < 5, shift, np.where(all_night, 0.35, 0.0)))


def trouble(seconds: NDArray[np.float64], fails_at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far a failure has come: 0 nothing to see, rising to 1 when it fails, 2 while the machine stands."""
    left = fails_at_s - seconds
    rising = np.exp(-3 * np.clip(left, 0, WARNS_S) / WARNS_S) * (left < WARNS_S)
    stands = (left <= 0) & (left > -REPAIRED_AFTER_S)
    return np.asarray(np.where(stands, 2.0, np.where(left > 0, rising, 0.0)))
