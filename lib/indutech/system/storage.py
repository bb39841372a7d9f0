"""A disk that takes no more, or a folder that may not be written: one sentence, whoever met it."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indutech.system.errors import InduTechError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
# Java's exceptions carry the same texts, because they are the system's; of a refused access some have only a name.
_TEXTS = {os.strerror(code): code for code in (*_FULL, *_CLOSED)} | {"AccessDeniedException": errno.EACCES}
_NOT_MADE = re.compile(r"Mkdirs failed to create (?:file:)?(/.+?)(?: \(exists=|$)", re.MULTILINE)


class StorageRefused(InduTechError):
    """The disk is full, or the folder may not be written."""


@contextmanager
def writing(folder: Path | str, consequence: str) -> Iterator[None]:
    """Turn the system's refusal to write into one sentence; any other error of the block passes.

    Raises:
        StorageRefused: the disk is full, or the folder may not be written; `consequence` says what that means here.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (*_FULL, *_CLOSED):
            raise
        raise refused(error.filename or folder, error.errno, consequence) from error


def refused(path: Path | str, code: int, consequence: str) -> StorageRefused:
    """The error for one of the system's codes."""
    why = os.strerror(code)
    if code in _FULL:
        return StorageRefused(f"There is no room for {path} ({why}). {consequence} Make room, then start again.")
    return StorageRefused(
        f"No write access to {path} ({why}). {consequence} Give it, or use another INDUTECH_DATA_DIR."
    )


def code_in(text: str) -> int | None:
    """The system's code in what another program said of a failure, if the storage was its cause."""
    if (code := next((code for words, code in _TEXTS.items() if words in text), None)) is not None:
        return code
    if made := _NOT_MADE.search(text):  # Hadoop does not say why: look at the folder in which it could not make one
        above = next(path for path in Path(made[1]).parents if path.exists())
        return errno.ENOSPC if os.access(above, os.W_OK) else errno.EACCES
    return None
