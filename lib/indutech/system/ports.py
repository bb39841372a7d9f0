"""Ports of this machine for the embedded servers: whether one is free, and which ones are."""

import contextlib
import os
import socket
from collections.abc import Sequence


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def refusal(host: str, port: int) -> str | None:
    """Return why no server can listen at this address of this machine; None if one can."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return (os.strerror(error.errno) if error.errno else str(error)).lower()
    return None


def free(count: int) -> list[int]:
    """Return so many different ports of 127.0.0.1 that nobody uses; somebody may before the server does."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def as_last_time(last: Sequence[int], count: int) -> list[int]:
    """Return the ports of the last time if all are free, so that clients find the server again; otherwise new ones."""
    return list(last) if len(last) == count and all(map(is_free, last)) else free(count)
