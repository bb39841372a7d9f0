"""A file or folder in a bucket, with the part of pathlib's Path that the lake uses; each call is one request.

A folder is no more than the beginning of names: it needs not be made, and is gone with its last file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from indutech.lake.store.bucket import Bucket


@dataclass(frozen=True)
class FileSize:
    """What is known of a file, under the name that os.stat gives to it."""

    st_size: int


@dataclass(frozen=True, order=True)
class S3Path:
    """A name in a bucket."""

    bucket: Bucket = field(compare=False, repr=False)
    key: str
    listed_size: int | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"s3://{self.in_bucket}"

    def __truediv__(self, name: str) -> S3Path:
        return S3Path(self.bucket, f"{self.key}/{name}" if self.key else name)

    @property
    def in_bucket(self) -> str:
        """Bucket and name, as pyarrow writes them."""
        return f"{self.bucket.name}/{self.key}".rstrip("/")

    @property
    def name(self) -> str:
        """The last part of the name."""
        return PurePosixPath(self.key).name

    @property
    def parent(self) -> S3Path:
        """The folder that holds it."""
        return S3Path(self.bucket, self.key.rpartition("/")[0])

    def relative_to(self, folder: S3Path) -> PurePosixPath:
        """The name as seen from a folder."""
        return PurePosixPath(self.key).relative_to(folder.key)

    def exists(self) -> bool:
        """Tell whether there is a file of this name."""
        return self.version() is not None

    def version(self) -> str | None:
        """Return what changes whenever the file is written; None if it is not there."""
        try:
            return self.bucket.head(self.key)[1]
        except FileNotFoundError:
            return None

    def stat(self) -> FileSize:
        """Return the size; that of a listed file needs no request."""
        return FileSize(self.bucket.head(self.key)[0] if self.listed_size is None else self.listed_size)

    def read_bytes(self) -> bytes:
        """Return the content."""
        return self.bucket.get(self.key)[0]

    def read_text(self) -> str:
        """Return the content as text."""
        return self.read_bytes().decode()

    def write_bytes(self, content: bytes) -> None:
        """Write the file: readers see what was there before, or all of it."""
        self.bucket.put(self.key, content)

    def replace(self, target: S3Path) -> None:
        """Give the file another name: a copy, then a deletion, so that a kill leaves one or both, never none."""
        self.bucket.copy(self.key, target.key)
        self.bucket.delete(self.key)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the file."""
        self.bucket.delete(self.key)

    def glob(self, pattern: str) -> Iterator[S3Path]:
        """Yield the files below whose names match, part by part."""
        parts = PurePosixPath(pattern).parts
        for path in self.below():
            seen = path.relative_to(self)
            if len(seen.parts) == len(parts) and seen.match(pattern):
                yield path

    def below(self) -> Iterator[S3Path]:
        """Yield every file below."""
        for key, size in self.bucket.listed(self.key):
            yield S3Path(self.bucket, key, size)
