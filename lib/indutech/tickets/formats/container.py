"""Opens a file by its first bytes, whatever its name says: plain, compressed, in a ZIP, or of a kind to refuse."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from indutech.tickets.formats.row import ReplayRefused, printable

SAMPLE = 1 << 20
_BUFFER = 1 << 16
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)

Opened = Callable[[], io.BufferedReader]


def _by_arrow(codec: str) -> Callable[[Path], Any]:
    return lambda path: io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), codec), _BUFFER)


_COMPRESSED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": _by_arrow("zstd"),
    b"\x04\x22\x4d\x18": _by_arrow("lz4"),
}
_AS_TEXT = "save it as CSV (UTF-8), JSON lines or Parquet"
_REFUSED = {
    b"\xd0\xcf\x11\xe0": f"is an Excel 97 workbook: in Excel, {_AS_TEXT}",
    b"PARE": "is an encrypted Parquet file: decrypt it first",
    b"Obj\x01": f"is an Avro file: {_AS_TEXT}",
    b"ORC": f"is an ORC file: {_AS_TEXT}",
    b"ARROW1": f"is an Arrow (Feather) file: {_AS_TEXT}",
    b"SQLite format 3\x00": f"is an SQLite database: export its table, and {_AS_TEXT}",
    b"%PDF": f"is a PDF: {_AS_TEXT}",
    b"7z\xbc\xaf\x27\x1c": "is a 7-Zip archive: unpack it first",
    b"Rar!": "is a RAR archive: unpack it first",
    b"<!doctype": "is a web page, perhaps of a login or an error: download the file again",
    b"<html": "is a web page, perhaps of a login or an error: download the file again",
    b"<?xml": f"is XML: {_AS_TEXT}",
}
PARQUET = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Tell whether the first bytes are those of Parquet."""
    return _first_bytes(path) == PARQUET


def opening(path: Path) -> Opened:
    """Return a function that opens the text in a file, decompressed.

    Raises:
        ReplayRefused: the first bytes are those of a kind that holds no text.
    """
    first = _first_bytes(path, 512)
    if not first:
        raise ReplayRefused(f"{path} is empty: there is no ticket in it. See whether its export went through.")
    _refuse(path, first)
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        opened = _in_zip(path)
    else:
        unpack = next((unpack for magic, unpack in _COMPRESSED.items() if first.startswith(magic)), None)
        if unpack is None:
            return lambda: path.open("rb")
        opened = _opener(unpack, path)
    _refuse(path, sample(opened, 512), inside=True)
    return opened


def sample(opened: Opened, size: int = SAMPLE) -> bytes:
    """Return the beginning of a text; of a file that breaks off, what can be read before the break."""
    read = bytearray()
    try:
        with opened() as file:
            while len(read) < size and (more := file.read1(min(4_096, size - len(read)))):
                read += more
    except BROKEN:
        pass  # whoever reads the rows says so, with the place
    return bytes(read)


def _first_bytes(path: Path, size: int = 4) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _opener(unpack: Callable[[Path], Any], path: Path) -> Opened:
    # Not buffered once more: what was unpacked before a file breaks off would be lost in the buffer.
    return lambda: unpack(path)


def _refuse(path: Path, first: bytes, *, inside: bool = False) -> None:
    what = "what is compressed in it " if inside else ""
    for magic, why in _REFUSED.items():
        if first.lstrip(b"\xef\xbb\xbf \r\n").lower().startswith(magic.lower()):
            if magic == b"ORC" and b"," in first[:100]:  # a CSV may begin with any word
                continue
            raise ReplayRefused(f"{path}: {what}{why}.")
    if first[257:262] == b"ustar":
        raise ReplayRefused(f"{path}: {what}is a tar archive: unpack it first.")
    if inside and first.startswith((PARQUET, b"PK\x03\x04", *_COMPRESSED)):
        raise ReplayRefused(f"{path} is packed twice, or holds a Parquet file: unpack it once.")


def _in_zip(path: Path) -> Opened:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    except zipfile.BadZipFile:
        raise ReplayRefused(
            f"{path} begins like an Excel workbook (.xlsx) or a ZIP archive, and is damaged: {_AS_TEXT}."
        ) from None
    if any(info.filename in ("[Content_Types].xml", "mimetype") for info in names):
        raise ReplayRefused(f"{path} is a workbook (.xlsx or .ods), whatever its name says: in Excel, {_AS_TEXT}.")
    if len(names) != 1:
        shown = printable(", ".join(info.filename for info in names))[:200]
        raise ReplayRefused(f"{path} is a ZIP archive of {len(names)} files ({shown}): unpack it, replay one of them.")
    if names[0].flag_bits & 1:
        raise ReplayRefused(f"{path} is a ZIP archive with a password: unpack it first.")
    return _opener(lambda path: zipfile.ZipFile(path).open(names[0]), path)
