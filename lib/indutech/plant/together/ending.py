"""`indutech plant down`: asks `plant up` to end, and ends what one that was killed has left."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indutech.kafka import broker as brokers
from indutech.lake.store import connection as store
from indutech.plant.erp import embedded as erp
from indutech.plant.mqtt import connection as mqtt
from indutech.plant.together import parts, state
from indutech.plant.together.proofs import SETTLES_WITHIN_S
from indutech.system import embedded_server, leases, supervisor
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

ENDS_WITHIN_S = 2 * SETTLES_WITHIN_S + 240


class StillEnding(InduTechError):
    """The plant, or a part of it, does not end in time, or somebody else uses it."""


@dataclass(frozen=True)
class Ended:
    """What there was to end: a `plant up`, parts that one had left, or nothing."""

    pid: int | None
    left: list[str]


def down(settings: Settings, *, on_wait: Callable[[], object] = lambda: None) -> Ended:
    """End the plant, and return what there was to end.

    Raises:
        StillEnding: it takes too long, or another process uses a part of it.
    """
    before = state.look(settings)
    if before.pid:
        if before.phase != "ending":  # a second signal would let it leave at once
            with contextlib.suppress(ProcessLookupError):
                os.kill(before.pid, signal.SIGTERM)
        deadline = time.monotonic() + ENDS_WITHIN_S
        while leases.is_locked(settings.data_dir / state.LOCK):
            if time.monotonic() > deadline:
                raise StillEnding(
                    f"The plant (process {before.pid}) has not ended within {ENDS_WITHIN_S:g} s: look at "
                    "`indutech plant status`, and kill that process if it does nothing any more; then again "
                    "`indutech plant down`."
                )
            on_wait()
            time.sleep(0.2)
    left = end_leftovers(settings)
    return Ended(before.pid, [] if before.pid else left)


def end_leftovers(settings: Settings) -> list[str]:
    """End what a `plant up` that was killed has left, and return its names; the rest of its parts end by themselves.

    Raises:
        StillEnding: another process uses a part of it.
    """
    left = [part.name for part in state.look(settings).parts if part.runs and part.name != "plant up"]
    still_used = []
    for program in reversed(parts.programs(settings)):
        if not embedded_server.stop(program):
            still_used.append(program.name)
            continue
        parts.end_orphan(program.folder)
    still_used += erp.stop(settings)
    for name, folder, stop in (
        ("The MQTT broker", settings.mqtt_dir, mqtt.stop),
        ("The Kafka broker", settings.broker_dir, brokers.stop),
        ("The S3 server", settings.s3_dir, store.stop),
    ):
        if supervisor.is_supervised(folder) and not stop(settings):
            still_used.append(name)
    if still_used:
        users = sorted({pid for folder in _folders(settings) for pid in leases.holders(folder / "leases")})
        raise StillEnding(
            f"{', '.join(still_used)}: still used by process {', '.join(map(str, users))} and ending with it; "
            "stop that first."
        )
    return left


def _folders(settings: Settings) -> list[Path]:
    return [*parts.servers(settings), *(program.folder for program in parts.programs(settings))]
