"""A link between a gateway and its MQTT broker that a test can cut: TCP connections through a port of its own."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from indutech.plant.mqtt.connection import Address


class Link:
    """Carries bytes both ways; once it is cut, connections die and new ones are refused until it is mended."""

    def __init__(self, to: Address) -> None:
        self._to, self._is_cut = to, False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def carries(self) -> bool:
        """Whether a connection goes through it."""
        return bool(self._open)

    def cut(self) -> None:
        """Break every connection and refuse others."""
        with self._lock:
            self._is_cut = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open = set()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def close(self) -> None:
        """End it."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                if self._is_cut:
                    raise OSError
                far = socket.create_connection((self._to.host, self._to.port), 5)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}


@contextmanager
def link(to: Address) -> Iterator[Link]:
    """A link that is gone at the end."""
    made = Link(to)
    try:
        yield made
    finally:
        made.close()
