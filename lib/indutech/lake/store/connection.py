"""Connects to the lake's store: a folder needs nothing, S3 an endpoint, and without one an embedded server is shared.

Whoever works on the lake does it `with connected(settings) as settings`: the settings that come back reach the store.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr

from indutech.lake.store import bucket as buckets
from indutech.lake.store import embedded
from indutech.lake.store.bucket import StoreNotReady
from indutech.lake.store.s3_path import S3Path
from indutech.system import embedded_server, supervisor
from indutech.system.embedded_server import Server
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings


@dataclass(frozen=True)
class StoreStatus:
    """What `indutech lake status` tells of an embedded server."""

    running: bool
    endpoint: str | None
    bucket: str | None
    pid: int | None
    leases: list[int]  # process ids of the lease holders
    kept: bool  # `start` was asked for it, so only `stop` ends it
    data_dir: Path
    restarts: int = 0  # how often it died and was started again


@contextlib.contextmanager
def connected(settings: Settings) -> Iterator[Settings]:
    """Give settings that reach the lake's store; an embedded server starts if need be and stops with its last user.

    Raises:
        StoreNotReady: nobody answers within the time that is waited for a broker.
        StoreRefused: the key is not accepted.
        BucketMissing: there is no such bucket.
    """
    if settings.lake_bucket is None:
        yield settings
        return
    if settings.s3_endpoint:
        buckets.of(settings, settings.broker_timeout_s).probe()
        yield settings
        return
    try:
        with embedded_server.used(_server(settings)):
            yield _reaching(settings)
    finally:
        _remove_sockets_of_the_dead(settings)


def known(settings: Settings) -> Settings:
    """Return settings that reach the store if it is there; nothing is started.

    Raises:
        StoreNotReady: no endpoint is named, and the embedded server does not run.
    """
    if settings.s3_endpoint or settings.lake_bucket is None:
        return settings
    if not supervisor.is_supervised(settings.s3_dir):
        raise StoreNotReady(
            f"The lake {settings.lake_uri} is on the embedded S3 server, which does not run: `indutech lake start` "
            "starts it, or name another with INDUTECH_S3_ENDPOINT."
        )
    return _reaching(settings)


def start(settings: Settings) -> Settings:
    """Start the embedded server and keep it until `stop`; return settings that reach it."""
    _bucket(settings)
    if settings.s3_endpoint:
        raise InduTechError(f"INDUTECH_S3_ENDPOINT names {settings.s3_endpoint}: unset it to use an embedded server.")
    embedded_server.keep(_server(settings))
    return _reaching(settings)


def server(settings: Settings, host: str, port: int) -> Callable[[], NoReturn]:
    """Return what turns this process into an S3 server for other machines, with the lake's bucket.

    Raises:
        StoreNotReady: it cannot listen there, this folder's server runs, or the packages bring none for this machine.
    """
    folder = settings.s3_dir
    if supervisor.is_supervised(folder):
        raise StoreNotReady(f"An embedded S3 server already uses {folder}: `indutech lake stop` ends it.")
    return embedded.server(folder, _bucket(settings), host, port)


def stop(settings: Settings) -> bool:
    """End what `start` began; return whether the server is down, which it is not while others use it."""
    ended = embedded_server.stop(_server(settings))
    _remove_sockets_of_the_dead(settings)
    return ended


def status(settings: Settings) -> StoreStatus:
    """Return what is known about the embedded server, without starting anything."""
    folder = settings.s3_dir
    found = embedded_server.status(_server(settings))
    return StoreStatus(
        running=found.running,
        endpoint=embedded.endpoint(folder) if found.running else None,
        bucket=settings.lake_bucket[0] if found.running and settings.lake_bucket else None,
        pid=found.pid,
        leases=found.leases,
        kept=found.kept,
        data_dir=folder,
        restarts=found.restarts,
    )


def for_readers(settings: Settings) -> Settings:
    """Return the settings with the key of the embedded server that may only read."""
    return _reaching(settings, "reader")


def write_reader_settings(settings: Settings) -> Path:
    """Write the variables of a reader of the embedded server into a file for this user only, and return it."""
    reader = for_readers(settings)
    file = settings.s3_dir / "reader.env"
    file.touch(mode=0o600)
    secret = reader.aws_secret_access_key
    values = {
        "INDUTECH_LAKE_URI": settings.lake_uri,
        "INDUTECH_S3_ENDPOINT": reader.s3_endpoint,
        "AWS_ENDPOINT_URL_S3": reader.s3_endpoint,
        "AWS_REGION": reader.aws_region,
        "AWS_ACCESS_KEY_ID": reader.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
    }
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")
    return file


def _server(settings: Settings) -> Server:
    folder = settings.s3_dir

    def launch(new_ports: bool) -> None:
        embedded.kill_orphan(folder)
        embedded.prepare(folder, _bucket(settings), new_ports=new_ports)
        embedded.launch(folder)

    def answers() -> bool:
        try:
            _make_bucket(_reaching(settings))
        except StoreNotReady:
            return False
        return True

    return Server(
        name="The embedded S3 server",
        folder=folder,
        state=embedded.STATE,
        log=embedded.log_file(folder),
        launch=launch,
        answers=answers,
        not_ready=StoreNotReady,
        answers_within_s=30,
    )


def _bucket(settings: Settings) -> str:
    if settings.lake_bucket is None:
        raise InduTechError(
            "The lake is in a folder, which needs no server: set INDUTECH_LAKE_URI=s3a://BUCKET/PREFIX."
        )
    return settings.lake_bucket[0]


def _make_bucket(reached: Settings) -> None:
    """See that a file can be written: the server answers before it can keep anything."""
    bucket = buckets.of(reached, 0.2)
    ready = S3Path(bucket, "indutech-ready")
    try:
        ready.write_bytes(b"")
    except (buckets.BucketMissing, buckets.StoreRefused):  # one that is not there is refused as well
        admin = buckets.of(_reaching(reached, "admin"))
        with admin.explained():
            admin.columns.create_dir(admin.name)
        ready.write_bytes(b"")


def _reaching(settings: Settings, who: str = "writer") -> Settings:
    key = embedded.key(settings.s3_dir, who)
    return settings.model_copy(
        update={
            "s3_endpoint": embedded.endpoint(settings.s3_dir),
            "aws_access_key_id": key.id,
            "aws_secret_access_key": SecretStr(key.secret or ""),
            "aws_session_token": None,
        }
    )


def _remove_sockets_of_the_dead(settings: Settings) -> None:
    if not supervisor.is_supervised(settings.s3_dir):
        embedded.remove_sockets(settings.s3_dir)
