"""Connects to the lake's store: a folder needs nothing, S3 an endpoint, and without one an embedded server is shared.

Whoever works on the lake does it `with connected(settings) as settings`: the settings that come back reach the store.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr

from indutech.lake.store import bucket as buckets
from indutech.lake.store import embedded
from indutech.lake.store.bucket import StoreNotReady
from indutech.lake.store.s3_path import S3Path
from indutech.system import leases, supervisor
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

ANSWERS_WITHIN_S = 30
STOPS_WITHIN_S = 35


class _Died(StoreNotReady):
    """The embedded server ended before it answered."""


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
    held, reached = _take_lease(settings)
    try:
        yield reached
    finally:
        held.release()
        _wait_for_the_end(settings)


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
    held, reached = _take_lease(settings)
    try:
        (settings.s3_dir / "kept").touch()
    finally:
        held.release()
    return reached


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
    (settings.s3_dir / "kept").unlink(missing_ok=True)
    return _wait_for_the_end(settings)


def status(settings: Settings) -> StoreStatus:
    """Return what is known about the embedded server, without starting anything."""
    folder = settings.s3_dir
    if not supervisor.is_supervised(folder):
        return StoreStatus(False, None, None, None, [], False, folder)
    return StoreStatus(
        running=True,
        endpoint=embedded.endpoint(folder),
        bucket=settings.lake_bucket[0] if settings.lake_bucket else None,
        pid=next(iter(supervisor.pids_of(folder, embedded.STATE)), None),
        leases=leases.holders(folder / "leases"),
        kept=(folder / "kept").exists(),
        data_dir=folder,
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


def _take_lease(settings: Settings) -> tuple[leases.Lease, Settings]:
    folder = settings.s3_dir
    try:
        return supervisor.leased(folder, 2 * ANSWERS_WITHIN_S + STOPS_WITHIN_S, lambda: _running(settings))
    except TimeoutError as error:
        raise StoreNotReady(
            f"Another process has been starting or stopping the S3 server for too long ({error}): try again."
        ) from error
    except KeyboardInterrupt:
        _wait_for_the_end(settings)  # it may have been starting
        raise
    except OSError as error:
        raise StoreNotReady(f"The embedded S3 server cannot keep its data in {folder}: {error}.") from error


def _running(settings: Settings) -> Settings:
    """Return settings that reach the server of this folder, started if need be; the caller holds the folder's lock."""
    folder = settings.s3_dir
    if supervisor.is_supervised(folder):
        with contextlib.suppress(_Died):  # it was about to end; then we start it again
            return _answering(settings)
    try:
        _launch(settings, new_ports=False)
        return _answering(settings)
    except _Died:
        if "address already in use" not in embedded.log_tail(folder, 50):
            raise
    _launch(settings, new_ports=True)  # somebody took a port between our look and the server's
    return _answering(settings)


def _launch(settings: Settings, *, new_ports: bool) -> None:
    folder = settings.s3_dir
    supervisor.forget(folder)
    embedded.kill_orphan(folder)
    embedded.prepare(folder, _bucket(settings), new_ports=new_ports)
    embedded.launch(folder)


def _answering(settings: Settings) -> Settings:
    """Wait until the server answers, and see to it that the bucket is there."""
    folder, reached = settings.s3_dir, _reaching(settings)
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        try:
            _make_bucket(reached)
            break
        except StoreNotReady as error:
            if not supervisor.is_supervised(folder):
                raise _Died(
                    f"The embedded S3 server stopped while starting: {embedded.log_tail(folder)} "
                    f"(the whole log: {embedded.log_file(folder)})."
                ) from error
            if time.monotonic() > deadline:
                raise StoreNotReady(
                    f"The embedded S3 server does not answer within {ANSWERS_WITHIN_S} s: look at "
                    f"{embedded.log_file(folder)}."
                ) from error
            time.sleep(0.05)
    (folder / "answered").touch()  # from now on the supervisor starts it again if it dies
    return reached


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


def _wait_for_the_end(settings: Settings) -> bool:
    ended = supervisor.has_ended(settings.s3_dir, STOPS_WITHIN_S)
    if ended:
        embedded.remove_sockets(settings.s3_dir)
    return ended
