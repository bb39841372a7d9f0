"""Start over: lake, checkpoint, audit, broker, ERP, gateways and plant go together: each is meaningless alone."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from indutech.kafka import broker as brokers
from indutech.lake.store import connection, files
from indutech.lake.store.files import LakePath
from indutech.lake.writer_lock import sole_writer
from indutech.system import leases, supervisor
from indutech.system.errors import InduTechError
from indutech.system.settings import PRODUCTS, Settings


class StillInUse(InduTechError):
    """Somebody uses what would be deleted."""


@contextlib.contextmanager
def reached(settings: Settings) -> Iterator[Settings]:
    """Give settings that reach the lake; a server of ours that never ran is not started to delete nothing."""
    if settings.lake_bucket and not settings.s3_endpoint and not settings.s3_dir.exists():
        settings = settings.model_copy(update={"lake_uri": None})
    with connection.connected(settings) as reaching:
        yield reaching


def listed(settings: Settings) -> list[tuple[LakePath, int]]:
    """What would be deleted, with its size in bytes: of every product where its topic goes with the broker's data."""
    return [found for one in _products(settings) for found in _listed(one)] + _existing(_shared(settings))


def _listed(settings: Settings) -> list[tuple[LakePath, int]]:
    there = _existing(_parts(settings))
    lake = files.root(settings)
    # Spark leaves empty marks of folders, which are nothing to ask about.
    if not isinstance(lake, Path) and (size := sum(path.stat().st_size for path in lake.below())):
        there.insert(0, (lake, size))
    return there


def delete(settings: Settings) -> None:
    """Delete it all.

    Raises:
        SecondWriter: a stream or compaction is writing.
        StillInUse: one of the embedded servers, a gateway or the plant runs.
    """
    with contextlib.ExitStack() as held:
        for one in _products(settings):
            held.enter_context(sole_writer(one))
        for name, folders, command in (
            ("The ERP", settings.erp_dir.glob("*"), "indutech erp stop"),
            ("The MQTT broker", [settings.mqtt_dir], "indutech mqtt stop"),
            (
                "The plant",
                [place for depth in ("*", "*/*") for place in settings.plant_dir.glob(depth)],
                "indutech plant down",
            ),
        ):
            if any(supervisor.is_supervised(folder) for folder in folders):
                raise StillInUse(f"{name} is running: `{command}` first. Nothing was deleted.")
        if sending := [lock for one in _products(settings) for lock in _locked(one.gateways_dir)]:
            raise StillInUse(f"The gateway {sending[0].stem} sends readings: stop it first. Nothing was deleted.")
        if any(leases.is_locked(one.route_lock) for one in _products(settings)):
            raise StillInUse("Urgent tickets are being routed: stop `indutech route` first. Nothing was deleted.")
        if not settings.bootstrap_servers and not brokers.stop(settings):
            users = ", ".join(str(pid) for pid in brokers.status(settings).leases)
            raise StillInUse(f"The embedded broker is used by process {users}: stop it first. Nothing was deleted.")
        for path, _ in listed(settings):
            files.remove_tree(path)


def _products(settings: Settings) -> list[Settings]:
    """The settings of each product whose lake would be meaningless afterwards."""
    if settings.bootstrap_servers:
        return [settings]
    return [settings.for_product(name) for name in PRODUCTS]


def _locked(folder: Path) -> list[Path]:
    return [lock for lock in folder.glob("*.lock") if leases.is_locked(lock)]


def _existing(paths: list[Path]) -> list[tuple[LakePath, int]]:
    return [(path, _size(path)) for path in paths if path.exists()]


def _shared(settings: Settings) -> list[Path]:
    own_broker = [] if settings.bootstrap_servers else [settings.broker_dir]
    return [settings.erp_dir, settings.mqtt_dir, settings.plant_dir, *own_broker]


def _parts(settings: Settings) -> list[Path]:
    ours = [settings.lake_dir, settings.checkpoint_dir, settings.audit_file.parent, settings.metrics_file.parent]
    return [*ours, settings.staging_dir, settings.gateways_dir, settings.route_dir]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
