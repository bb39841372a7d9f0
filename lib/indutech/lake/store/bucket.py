"""One bucket of S3, as its clients see it: obstore for whole objects, pyarrow for the columns of Parquet files.

Both wait out a store that is slow or answers 503; whatever cannot be waited out becomes one sentence. Nothing else
knows obstore, and it is imported only when a bucket is asked: a lake in a folder starts without it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from indutech.lake.store.key import key_of
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

if TYPE_CHECKING:
    import pyarrow.fs as pa_fs
    from obstore.store import S3Store

WAITS_FOR_S = 60.0  # a store that answers 503, or not at all
_LONGEST_PAUSE_S = 4
_REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


class StoreNotReady(InduTechError):
    """S3 does not answer, or cannot at the moment."""


class StoreRefused(InduTechError):
    """S3 does not accept the key, or the key lacks a right."""


class BucketMissing(InduTechError):
    """The bucket does not exist."""


class Conflict(Exception):
    """The object is not as the condition of a write says it must be."""


@dataclass(frozen=True)
class Bucket:
    """A bucket, with how to reach it; without a key, as the role that AWS gave to this machine."""

    name: str
    endpoint: str
    region: str
    key: str | None
    secret: str | None = field(repr=False)
    token: str | None = field(repr=False)
    waits_for_s: float = WAITS_FOR_S

    @functools.cached_property
    def objects(self) -> S3Store:
        """The client for whole objects."""
        return _objects(self)

    @functools.cached_property
    def columns(self) -> pa_fs.S3FileSystem:
        """The client for parts of objects, as pyarrow reads them."""
        return _columns(self)

    @property
    def is_plain(self) -> bool:
        """Tell whether the endpoint speaks without TLS, as an embedded one does."""
        return self.endpoint.startswith("http://")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what a client raises into one sentence; that an object is not there stays a FileNotFoundError.

        Raises:
            StoreNotReady: nobody answers, or only with errors, for as long as is waited.
            StoreRefused: the key is not accepted, or lacks a right.
            BucketMissing: there is no such bucket.
        """
        from obstore import exceptions

        try:
            yield
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
            raise Conflict from error
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._missing() from error
            raise
        except (exceptions.BaseError, OSError) as error:
            raise self.sentence(error) from error

    def sentence(self, error: Exception) -> InduTechError:
        """Return what an error of a client means, and what to do."""
        from obstore import exceptions

        text = str(error)
        found = re.search(r"<Code>(\w+)</Code>|code: (\w+)|AWS Error (\w+)|(40[13] \w+)", text)
        code = next((group for group in found.groups() if group), "") if found else ""
        if "NoSuchBucket" in text or code == "NO_SUCH_BUCKET":
            return self._missing()
        if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError) or (
            code in _REFUSED or code.startswith(("401", "403")) or "ACCESS_DENIED" in text or "SIGNATURE" in code
        ):
            who = f"the key {self.key}" if self.key else "this machine's role"
            return StoreRefused(
                f"S3 at {self.endpoint} refuses {who} in bucket {self.name} ({code or 'Forbidden'}): check "
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and its rights, which `indutech lake policy` prints."
            )
        why = " ".join(text.split("\n\nDebug source")[0].split())[-200:]
        return StoreNotReady(
            f"S3 at {self.endpoint} does not answer for bucket {self.name} (… {why}): check INDUTECH_S3_ENDPOINT and "
            "whether it runs, then start again; nothing that was committed is lost."
        )

    def probe(self) -> None:
        """Ask for the start of a list, so that what is wrong is known before anything begins."""
        next(self.listed("indutech-probe"), None)

    def put(self, key: str, content: bytes | Path, condition: str | None = None) -> str:
        """Write an object, whole or not at all, and return its tag.

        Args:
            key: its name.
            content: bytes, or a file of this machine.
            condition: `create` to write it only if there is none, or the tag that it must have until then.

        Raises:
            Conflict: the condition does not hold.
        """
        import obstore

        mode: Any = condition or "overwrite"
        if condition not in (None, "create"):
            mode = {"e_tag": condition}
        with self.explained():
            return str(obstore.put(self.objects, key, content, mode=mode)["e_tag"])

    def get(self, key: str) -> tuple[bytes, str]:
        """Return the content of an object and its tag."""
        import obstore

        with self.explained():
            answer = obstore.get(self.objects, key)
            return bytes(answer.bytes()), str(answer.meta["e_tag"])

    def head(self, key: str) -> tuple[int, str]:
        """Return the size of an object and its tag."""
        import obstore

        with self.explained():
            found = obstore.head(self.objects, key)
            return found["size"], str(found["e_tag"])

    def listed(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield name and size of every object below a prefix; a request for each thousand."""
        import obstore

        with self.explained():
            for page in obstore.list(self.objects, prefix, chunk_size=1000):
                yield from ((one["path"], one["size"]) for one in page)

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket."""
        import obstore

        with self.explained():
            obstore.copy(self.objects, source, target)

    def delete(self, *keys: str) -> None:
        """Delete objects, a thousand a request; those that are not there do not matter."""
        import obstore

        with self.explained():
            obstore.delete(self.objects, list(keys))

    def _missing(self) -> BucketMissing:
        return BucketMissing(
            f"There is no bucket {self.name} at {self.endpoint}: make it, or mend INDUTECH_LAKE_URI or AWS_REGION."
        )


def of(settings: Settings, waits_for_s: float = WAITS_FOR_S) -> Bucket:
    """Return the bucket of a lake on S3 whose endpoint is known."""
    if not (settings.lake_bucket and settings.s3_endpoint):
        raise StoreNotReady(f"The lake {settings.lake_uri} has no endpoint: set INDUTECH_S3_ENDPOINT.")
    return _shared(
        settings.lake_bucket[0],
        settings.s3_endpoint.rstrip("/"),
        settings.aws_region,
        *key_of(settings),
        waits_for_s,
    )


@functools.lru_cache(maxsize=32)
def _shared(*how: Any) -> Bucket:
    return Bucket(*how)


def _objects(bucket: Bucket) -> S3Store:
    from obstore.store import S3Store

    key: dict[str, Any] = {}
    if bucket.key:
        key = {"access_key_id": bucket.key, "secret_access_key": bucket.secret or ""}
        key |= {"session_token": bucket.token} if bucket.token else {}
    return S3Store(
        bucket.name,
        endpoint=bucket.endpoint,
        region=bucket.region,
        client_options={"allow_http": bucket.is_plain, "timeout": "60s", "connect_timeout": "5s"},
        retry_config={
            "max_retries": 1000,
            "retry_timeout": timedelta(seconds=bucket.waits_for_s),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=_LONGEST_PAUSE_S),
                "base": 2,
            },
        },
        **key,
    )


def _columns(bucket: Bucket) -> pa_fs.S3FileSystem:
    import pyarrow.fs as pa_fs

    place = urlsplit(bucket.endpoint)
    return pa_fs.S3FileSystem(
        access_key=bucket.key,
        secret_key=bucket.secret,
        session_token=bucket.token,
        region=bucket.region,
        scheme=place.scheme,
        endpoint_override=place.netloc,
        connect_timeout=5,
        request_timeout=60,
        retry_strategy=pa_fs.AwsDefaultS3RetryStrategy(max_attempts=12),  # pauses double: a minute and a half
        allow_bucket_creation=True,
    )
