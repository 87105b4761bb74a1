"""A TCP forwarder that a test can cut, freeze and mend: it plays the network between two parts that both are real."""

import contextlib
import socket
import threading


class Forwarder:
    """Forwards what comes to a free port of an address; it keeps its port while it is cut."""

    def __init__(self, address: str, target: tuple[str, int]) -> None:
        self._address, self._target, self.port = address, target, 0
        self._open: set[socket.socket] = set()
        self._frozen: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.mend()

    def mend(self) -> None:
        """Listen."""
        self._listener = socket.create_server((self._address, self.port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Stop listening and break every connection, as a network that fails does; harmless when it is cut."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            gone, self._open = self._open, set()
        for end in gone:
            _break(end)

    def freeze(self) -> None:
        """Carry nothing more over the connections that are open, as a firewall that forgot them does; new ones work."""
        with self._lock:
            self._frozen |= self._open

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, 5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
            self._frozen -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self._frozen:
                    sink.sendall(data)
        _break(sink)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
