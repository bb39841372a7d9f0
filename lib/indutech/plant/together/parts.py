"""The parts of the plant on one machine: servers that others share, and programs, each under a supervisor of its own.

A program is an `indutech` command as a user would type it. It lives as an embedded server does: started with the first
lease, started again if it dies, ended when `plant up`, which holds the lease, ends or is killed.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from indutech.plant.mqtt import gateway
from indutech.system import leases, supervisor
from indutech.system.embedded_server import Server
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

VARIABLES = "plant.env"  # marks the folder of a plant, and brings a shell into it
LAKE = "s3a://indutech/lake"
TICKETS, READINGS = "tickets", "readings"
GATEWAY = "gateway-1"
# Bounds of one Spark for both streams, unless the settings name others.
DRIVER_MEMORY = "640m"
DRIVER_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:MaxMetaspaceSize=320m -XX:MaxDirectMemorySize=128m"
MOST_IN_A_BATCH = 100_000
TRIGGER_S = 5.0  # fewer files and less work than with the two seconds of a stream alone
STATE = "program.json"
READY = "ready"
_MARK = "part"
_STOPS_WITHIN_S = 40.0


class PartFailed(InduTechError):
    """A program of the plant does not start."""


@dataclass(frozen=True)
class Traffic:
    """What flows through the plant: messages and changes a second, and how many clients a new ERP has."""

    tickets: float = 20
    readings: float = 100
    changes: float = 1
    clients: int = 9_000


def settings_of_plant(settings: Settings) -> Settings:
    """Return the settings of the plant: a data folder of its own, its lake on S3, and little memory for Spark.

    In a shell that has loaded the variables of a plant, these settings are of the plant already.
    """
    if (settings.data_dir / VARIABLES).exists():
        return settings.for_product(TICKETS)
    given = settings.model_fields_set
    bounds = {
        "driver_memory": DRIVER_MEMORY,
        "driver_options": DRIVER_OPTIONS,
        "max_batch_tickets": MOST_IN_A_BATCH,
        "trigger_s": TRIGGER_S,
    }
    own = {name: value for name, value in bounds.items() if name not in given}
    lake = f"{settings.lake_uri}-plant" if settings.lake_uri else LAKE
    return settings.for_product(TICKETS).model_copy(update={**own, "data_dir": settings.plant_dir, "lake_uri": lake})


def write_variables(settings: Settings) -> Path:
    """Write the variables that bring a shell into the plant, and return their file."""
    names = ("INDUTECH_DATA_DIR", "INDUTECH_LAKE_URI", "INDUTECH_DRIVER_MEMORY", "INDUTECH_MAX_BATCH_TICKETS")
    values = settings.as_environment()
    file = settings.data_dir / VARIABLES
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{name}='{values[name]}'\n" for name in names), "utf-8")
    return file


def carriers(settings: Settings) -> list[Server]:
    """The programs that carry what comes: both streams, the job of the ERP, and the bridge."""
    readings = settings.for_product(READINGS)
    return [
        _program(settings, "streams", ["-m", "indutech.plant.together.streams"], stops_within_s=90),
        _program(
            settings,
            "erp-store",
            ["-m", "indutech", "erp", "store"],
            lambda: leases.is_locked(settings.data_dir / "erp-clients.lock"),
        ),
        _program(
            readings,
            "bridge",
            ["-m", "indutech", "mqtt", "bridge"],
            lambda: leases.is_locked(readings.product_dir / "bridge.lock"),
        ),
    ]


def sources(settings: Settings, traffic: Traffic) -> list[Server]:
    """The programs that make the traffic; seeds are drawn at each start, so that none sends what another has sent."""
    readings = settings.for_product(READINGS)
    store = gateway.store_file(readings, GATEWAY)
    return [
        _program(
            readings,
            "gateway",
            ["-m", "indutech", "mqtt", "send", "--gateway", GATEWAY, "--rate", f"{traffic.readings:g}"],
            lambda: leases.is_locked(store.with_suffix(".lock")),
        ),
        _program(settings, "producer", ["-m", "indutech", "produce", "--rate", f"{traffic.tickets:g}"], _at_once),
        _program(
            settings,
            "erp-changes",
            ["-m", "indutech", "erp", "change", "--rate", f"{traffic.changes:g}", "--count", str(10**9)],
            _at_once,
        ),
    ]


def programs(settings: Settings) -> list[Server]:
    """All programs, in the order in which they start."""
    return [*carriers(settings), *sources(settings, Traffic())]


def at_once(program: Server) -> Server:
    """Return the program as one that is not waited for when it starts."""
    return replace(program, answers=_at_once)


def servers(settings: Settings) -> list[Path]:
    """The folders of the embedded servers, in the order in which they end."""
    erp = [settings.erp_dir / "connect", settings.erp_dir / "postgres"]
    return [*erp, settings.mqtt_dir, settings.broker_dir, settings.s3_dir]


def _at_once() -> bool:
    return True


def _program(
    settings: Settings,
    name: str,
    arguments: list[str],
    answers: Callable[[], bool] | None = None,
    *,
    stops_within_s: float = _STOPS_WITHIN_S,
) -> Server:
    folder = settings.data_dir / "parts" / name
    log = folder / "program.log"

    def launch(_new_ports: bool) -> None:
        end_orphan(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / READY).unlink(missing_ok=True)
        (folder / _MARK).touch()
        log.unlink(missing_ok=True)
        command = [sys.executable, "-P", *arguments]
        # glibc keeps an arena of freed memory for each thread; two are enough for what is done here.
        environment = {"MALLOC_ARENA_MAX": "2", **os.environ, **settings.as_environment()}
        launched = supervisor.launch(
            folder, command, state=STATE, mark=_MARK, env=environment, log=log, stops_within_s=stops_within_s
        )
        if not launched:
            raise PartFailed(f"The program in {folder} is still ending: try again.")

    return Server(
        name=name,
        folder=folder,
        state=STATE,
        log=log,
        launch=launch,
        answers=answers or (folder / READY).exists,
        not_ready=PartFailed,
        answers_within_s=120,
        stops_within_s=stops_within_s + 5,
    )


def end_orphan(folder: Path) -> None:
    """End a program whose supervisor was killed, if that process is still the program of this folder."""
    for pid in supervisor.pids_of(folder, STATE):
        with contextlib.suppress(psutil.Error, OSError):
            found = psutil.Process(pid)
            if Path(found.cwd()).samefile(folder) and any("indutech" in word for word in found.cmdline()):
                found.terminate()
                try:
                    found.wait(_STOPS_WITHIN_S)
                except psutil.TimeoutExpired:
                    found.kill()
                    found.wait(10)
