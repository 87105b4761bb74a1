"""A TCP forwarder on loopback that notes when a write passes on its way to a router's backend.

It stands between the run and the backend, so what it notes includes everything that a run does before it writes. It
must never change, hold or reorder what it forwards.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

IsWrite = Callable[[bytes], bool]


class Tap:
    """Forwards to a port of loopback.

    Args:
        target: the backend's port.
        is_write: whether a piece of what the run sends is a write of weights.
        datagrams: whether UDP is forwarded as well, unwatched.

    Attributes:
        port: where the run connects.
        writes: monotonic seconds of every write, in order.
    """

    def __init__(self, target: int, is_write: IsWrite, *, datagrams: bool = False) -> None:
        self._target, self._is_write = target, is_write
        self.writes: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if datagrams else None
        if self._datagrams is not None:
            self._datagrams.bind(("127.0.0.1", self.port))
            threading.Thread(target=self._relay, args=(self._datagrams,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._datagrams is not None:
            self._datagrams.close()

    def _relay(self, near: socket.socket) -> None:
        """Forward one question at a time and its answer back."""
        with contextlib.suppress(OSError):
            while True:
                data, client = near.recvfrom(65536)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far, contextlib.suppress(TimeoutError):
                    far.settimeout(1.0)
                    far.sendto(data, ("127.0.0.1", self._target))
                    near.sendto(far.recv(65536), client)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                return
            far.settimeout(None)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, watched in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pump, args=(source, sink, watched), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if watched and self._is_write(data):
                    self.writes.append(time.monotonic())
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def holds(marker: bytes) -> IsWrite:
    """Return what recognises a write by words in it."""
    return lambda data: marker in data


def is_dns_update(data: bytes) -> bool:
    """Return whether a DNS message over TCP is an UPDATE: two bytes of length, two of id, then the opcode is 5."""
    return len(data) > 4 and (data[4] >> 3) & 0xF == 5  # noqa: PLR2004 - RFC 2136, 1.3
