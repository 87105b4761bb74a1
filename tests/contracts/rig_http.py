"""Two small HTTP servers on loopback, blue and green, whose manners a test changes while they serve.

A rig starts only threads and processes of its own, and ends them by what it started.
"""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from scenarios.ports import free_port


@dataclass
class Manners:
    """How a server answers."""

    status: int = 200
    body: str = ""
    header: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    breaks_off: bool = False
    until: threading.Event | None = None
    served: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        server = self.server
        manners = server.manners
        manners.served += 1
        if manners.breaks_off:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        server.gone.wait(manners.delay)
        if manners.until:
            manners.until.wait(60)
        body = (manners.body or server.side).encode()
        self.send_response(manners.status)
        self.send_header("Content-Length", str(len(body)))
        for key, value in manners.header.items():
            self.send_header(key, value)
        self.end_headers()
        for part in [bytes([byte]) for byte in body] if manners.drip else [body]:
            self.wfile.write(part)
            server.gone.wait(manners.drip)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, side: Side, manners: Manners) -> None:
        self.side, self.manners, self.gone = side, manners, threading.Event()
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """Say nothing of clients that went away."""


class SmallServer:
    """One side's server; it keeps its port while it is down."""

    def __init__(self, side: Side) -> None:
        self.side, self.manners, self.port = side, Manners(), free_port()
        self._server: _Server | None = None
        self.start()

    def start(self) -> None:
        if self._server is None:
            self._server = _Server(self.port, self.side, self.manners)
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the listener and every connection, as a machine that loses power would."""
        if self._server is not None:
            self._server.gone.set()
            self._server.shutdown()
            self._server.server_close()
            for connection in self._server.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # close alone leaves it open for the thread that serves it
                connection.close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def two_servers() -> dict[Side, SmallServer]:
    return {side: SmallServer(side) for side in Side}


def plain_client(**more) -> httpx.Client:
    """Return a client for loopback; it loads no certificates, which takes as long as a hundred requests."""
    return httpx.Client(trust_env=False, verify=False, **more)  # noqa: S501 - it speaks plain HTTP


def wait_until(condition, seconds: float = 30.0, log: Path | None = None) -> None:
    """Wait for a condition, or fail and show the end of the log."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {condition}\n{log.read_text()[-8000:] if log else ''}")
        time.sleep(0.01)


class Visited:
    """What users do: requests over one kept connection, and who answered. A rig says how it finds its way."""

    patience = 5.0

    def visit(self, count: int) -> dict[str, int]:
        """Make requests; return how many each side answered, and failures."""
        seen = {"blue": 0, "green": 0, "failed": 0}
        with plain_client(timeout=self.patience) as client:
            for _ in range(count):
                seen[self.answer(client)] += 1
        return seen

    def answer(self, client: httpx.Client) -> str:
        """Return which side answered a request to the rig's port."""
        return asked(client, f"http://127.0.0.1:{self.port}/")


class VisitedByName(Visited):
    """The name server is asked before each request; whose address it gives, that server is visited."""

    addresses: dict[Side, str]

    def answer(self, client: httpx.Client) -> str:
        found = self.authority.ask("A").addresses
        side = next((side for side in Side if found == {self.addresses[side]}), None)
        answer = asked(client, self.sides[side].url) if side else "failed"
        return answer if answer == side else "failed"


def asked(client: httpx.Client, url: str) -> str:
    """Return the side that answers there."""
    try:
        answer = client.get(url)
    except httpx.TransportError:
        return "failed"
    return answer.text if answer.status_code == 200 and answer.text in {"blue", "green"} else "failed"


def each_write_reaches_the_next_request(rig, router) -> None:
    """Shift to and fro, and ask on one kept connection after each write; print how long the two took."""
    took, served = [], Weights(100, 0)
    with plain_client() as user:
        user.get(f"http://127.0.0.1:{rig.port}/")
        for turn in range(40):
            to = Weights.for_green(0 if turn % 2 else 100)
            began = time.monotonic()
            router.shift(to, expect=served)
            answer = user.get(f"http://127.0.0.1:{rig.port}/").text
            took.append(time.monotonic() - began)
            assert answer == ("green" if to.green else "blue")
            served = to
    print(f"look, write, read back, first answer: median {sorted(took)[20] * 1000:.1f} ms")  # noqa: T201 - measured
