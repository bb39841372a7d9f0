"""A full disk and a folder that may not be written are one sentence, in Python and in what Java says of them."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from indutech.system import storage
from indutech.system.storage import StorageRefused


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk() -> None:
    """The device that is always full is named, with what it means and what to do."""
    with (
        pytest.raises(StorageRefused, match=r"no room for /data \(No space left on device\)\. All is kept\. Make room"),
        storage.writing("/data", "All is kept."),
        Path("/dev/full").open("w") as full,
    ):
        full.write("x")


def test_no_write_access() -> None:
    """The file that the system names is named."""
    refusal = PermissionError(errno.EACCES, "Permission denied", "/data/stream.lock")
    with (
        pytest.raises(StorageRefused, match=r"No write access to /data/stream\.lock .*another INDUTECH_DATA_DIR"),
        storage.writing("/data", "All is kept."),
    ):
        raise refusal


def test_another_error_passes() -> None:
    """A file that is missing is no refusal of the disk."""
    with pytest.raises(FileNotFoundError), storage.writing("/data", "All is kept."):
        Path("/nowhere/at/all").read_text()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Caused by: java.io.IOException: No space left on device", errno.ENOSPC),
        ("java.nio.file.FileSystemException: /data/lake: Read-only file system", errno.EROFS),
        ("java.nio.file.AccessDeniedException: /data/lake/tickets/.spark-staging-1", errno.EACCES),
        ("java.io.FileNotFoundException: /data/checkpoint/offsets/.1.tmp (Permission denied)", errno.EACCES),
        ("java.io.IOException: Mkdirs failed to create file:/tmp/a b/c (exists=false, cwd=file:/x)", errno.ENOSPC),
        ("java.io.IOException: Mkdirs failed to create file:/proc/1/x/y (exists=false, cwd=file:/x)", errno.EACCES),
        ("java.lang.OutOfMemoryError: Java heap space", None),
    ],
)
def test_what_java_says(said: str, code: int | None) -> None:
    """The system's text stands in Java's."""
    assert storage.code_in(said) == code


def test_a_command_says_it_in_one_sentence(tmp_path: Path) -> None:
    """A data folder below a file cannot be made; no traceback, whatever the command."""
    (tmp_path / "closed").mkdir(mode=0o500)
    environment = {**os.environ, "INDUTECH_DATA_DIR": str(tmp_path / "closed" / "below")}
    command = [sys.executable, "-c", FULL, "compact"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("indutech: There is no room for")
    assert "Traceback" not in done.stderr


# `indutech`, on a machine whose disk is full when the lock file is made.
FULL = """
import errno
from pathlib import Path
from indutech.__main__ import main
def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")
Path.mkdir = full
main()
"""
