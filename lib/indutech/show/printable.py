"""Bytes of unknown origin as text for a terminal."""

EXCERPT_BYTES = 60


def printable(value: bytes) -> str:
    """Return bytes as text that no terminal acts upon: what cannot be printed stands as hexadecimal in ‹ ›."""
    shown, hidden = [], b""
    for character in value.decode("utf-8", "surrogateescape"):
        if character.isprintable() and character not in "‹›":
            shown += [f"‹{hidden.hex(' ')}›"] if hidden else []
            shown.append(character)
            hidden = b""
        else:
            hidden += character.encode("utf-8", "surrogateescape")
    return "".join(shown) + (f"‹{hidden.hex(' ')}›" if hidden else "")


def excerpt(value: bytes, at: int) -> str:
    """Return what stands at a byte, so far as it fits on a line."""
    if at >= len(value):
        return "nothing more"
    cut = value[at : at + EXCERPT_BYTES]
    while cut and len(value) > at + len(cut) and value[at + len(cut)] & 0xC0 == 0x80 and len(cut) > 1:
        cut = cut[:-1]  # not in the middle of a character
    return printable(cut) + (" …" if len(value) > at + len(cut) else "")
