"""Turns the text of a file into UTF-8 without a byte order mark, and says which encoding a file seems to have."""

import codecs
import io

from indutech.tickets.formats.container import BROKEN, SAMPLE, Opened, sample
from indutech.tickets.formats.row import ReplayRefused

# Longest first: UTF-32's begins with UTF-16's.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The letters and signs that French and its neighbours have beyond ASCII; a wrong encoding makes others of them.
_FREQUENT = frozenset("éèàçêâîôûùëïœ’«»°\xa0")
_LETTERS = frozenset("éèêëàâäçùûüôöîïœæñáíóúßÉÈÊËÀÂÄÇÙÛÜÔÖÎÏŒÆÑ’‘“”«»–—…€°²³\xa0")
_GUESSES = {"cp1252": "cp1252 (Excel on Windows)", "mac_roman": "mac_roman (Excel on a Mac)", "cp850": "cp850 (DOS)"}
_ASCII = frozenset(map(chr, range(128)))
_LOOKED_AT = 8 << 20  # bytes read on after the first letter beyond ASCII
_SURE = 50  # characters of UTF-8, after which it is not looked at further
_MOSTLY = 4  # times as many of one kind: a few bytes of cp1252 happen to be UTF-8
_FRENCH = 0.9  # share of letters that are French
UNKNOWN = "\udcff"  # stands for bytes that the encoding does not know, and makes them invalid in UTF-8
UNKNOWN_BYTES = UNKNOWN.encode("utf-8", "surrogatepass")


def utf8(path: object, opened: Opened, encoding: str | None) -> Opened:
    """Return a function that opens a text as UTF-8, from the encoding that its byte order mark or the user names.

    Raises:
        ReplayRefused: it is in another encoding, named if it can be told; or it is no text.
    """
    first = sample(opened)
    mark = next((mark for mark in _MARKS if first.startswith(mark)), b"")
    if mark and encoding and codecs.lookup(encoding).name.split("-")[:2] != _MARKS[mark].split("-"):
        raise ReplayRefused(f"{path} begins with the mark of {_MARKS[mark].upper()}: leave --encoding out.")
    named = _MARKS[mark] if mark else encoding or _seen(path, opened, first)
    if not mark and codecs.lookup(named).name in ("utf-16", "utf-32"):
        raise ReplayRefused(
            f"{path} does not begin with the mark of {named}: say --encoding {named}-le, or leave it out."
        )
    if codecs.lookup(named).name in ("utf-8", "utf-8-sig"):
        return lambda: _without(mark, opened())
    if not mark and _is_utf8_text(first) and not codecs.lookup(named).name.startswith("utf"):
        raise ReplayRefused(f"{path} is UTF-8, and {named} would garble it: leave --encoding out.")
    return lambda: io.BufferedReader(_Transcoded(opened(), named), SAMPLE)


def _without(mark: bytes, file: io.BufferedReader) -> io.BufferedReader:
    file.read(len(mark))
    return file


def _is_utf8_text(first: bytes) -> bool:
    try:
        return not first.isascii() and bool(codecs.getincrementaldecoder("utf-8")().decode(first))
    except UnicodeDecodeError:
        return False


def _seen(path: object, opened: Opened, first: bytes) -> str:
    for shift, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(first) >= 8 and first[shift::2].count(0) > len(first) // 4 > 4 * first[1 - shift :: 2].count(0):
            raise ReplayRefused(f"{path} looks like {name.upper()} without its mark: say --encoding {name}.")
    controls = sum(first.count(code) for code in range(32) if code not in b"\t\n\r\x01\x0c\x1a\x1e\x1f")
    if controls > len(first) // 20:
        raise ReplayRefused(f"{path} is not text: export it as CSV (UTF-8), JSON lines or Parquet.")
    lines, foreign = _not_utf8(opened)
    likely = _guess(foreign) if foreign else None
    if likely or lines > 1:
        what = f"it looks like {_GUESSES[likely]}: say --encoding {likely}" if likely else "say which --encoding it has"
        raise ReplayRefused(
            f"{path} is not UTF-8; {what}, or --encoding utf-8 to have each line that is not UTF-8 reported."
        )
    return "utf-8"


def _not_utf8(opened: Opened) -> tuple[int, bytes]:
    """Return how many lines are not UTF-8 and their bytes beyond ASCII; none if most of the text is UTF-8."""
    foreign, lines, valid, left = b"", 0, 0, _LOOKED_AT
    try:
        with opened() as file:
            while left > 0 and (line := file.readline(SAMPLE)):
                left -= len(line) if foreign or valid else 0
                if line.isascii():
                    continue
                kept = line.decode("utf-8", "ignore")
                valid += sum(map(kept.count, set(kept) - _ASCII))
                if len(kept.encode()) != len(line) and len(line) < SAMPLE:
                    lines += 1
                    invalid = line.decode("utf-8", "surrogateescape")
                    foreign += bytes(ord(one) - 0xDC00 for one in invalid if "\udc80" <= one <= "\udcff")
                if valid > _SURE and valid > _MOSTLY * len(foreign):
                    break
    except BROKEN:
        pass  # whoever reads the rows says so, with the place
    return (lines, foreign) if len(foreign) > _MOSTLY * valid else (0, b"")


def _guess(foreign: bytes) -> str | None:
    """Return the encoding in which these bytes are French, if there is one."""
    texts = {name: foreign.decode(name, "replace") for name in _GUESSES}
    best = max(texts, key=lambda name: sum((one in _LETTERS) + (one in _FREQUENT) for one in texts[name]))
    known = sum(one in _LETTERS for one in texts[best])
    return best if known >= _FRENCH * len(foreign) else None


class _Transcoded(io.RawIOBase):
    """The bytes of a text, in UTF-8."""

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        codecs.register_error("indutech.unknown", lambda error: (UNKNOWN, error.end))  # type: ignore[attr-defined]
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("indutech.unknown")
        self._ready = b""
        self._at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ready and not self._at_end:
            piece = self._file.read(1 << 16)
            self._at_end = not piece
            try:
                text = self._decoder.decode(piece, self._at_end)
            except UnicodeError as error:  # of the codecs that know no way to go on
                raise OSError(str(error)) from error
            self._ready = text.encode("utf-8", "surrogatepass")
        taken = self._ready[: len(view)]
        view[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._file.close()
        super().close()
