"""A small HTTP/1.1 server that stays polite while its pod is being replaced.

It exists so that a failed request in a scenario is the migration's doing and never the shop's: connections are kept
alive, an answer is one write, and a SIGTERM lets clients go one by one. It must never close a connection on which a
request is still being answered.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, Any]]
DRAIN_SECONDS = 3.0
FINISH_SECONDS = 5.0


class Handler(BaseHTTPRequestHandler):
    """Answers GET, HEAD and OPTIONS with what the role's function says."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave as one segment
    timeout = 75  # seconds; above HAProxy's own idle time, so that the client closes first

    def do_GET(self) -> None:
        """Answer one request, counted as in flight until its last byte is written."""
        with self.server.counted():
            status, content = self.server.answer(self.path)
            body = json.dumps(content, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if self.server.draining:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

    do_HEAD = do_GET  # noqa: N815 - the standard library's name
    do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Stay silent: at 40 requests a second a line each is noise."""


class InFlight:
    """Counts the requests being answered; a context manager for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def __exit__(self, *_exc: object) -> None:
        with self._lock:
            self.count -= 1


class Server(ThreadingHTTPServer):
    """One thread per connection, and an orderly end."""

    daemon_threads = True
    block_on_close = False  # idle kept-alive connections would hold the end up
    request_queue_size = 128

    def __init__(self, port: int, route: Callable[[str], Answer], ready: Callable[[], Answer]) -> None:
        super().__init__(("0.0.0.0", port), Handler)
        self.draining = False
        self._route = route
        self._ready = ready
        self._in_flight = InFlight()

    def counted(self) -> InFlight:
        """Return the counter that a request enters."""
        return self._in_flight

    def answer(self, path: str) -> Answer:
        """Return status and body for a path; any exception of the role becomes a 503."""
        path = path.split("?", 1)[0]
        if path == "/healthz":
            return 200, {"status": "alive"}
        try:
            if path == "/readyz":
                return (503, {"status": "draining"}) if self.draining else self._ready()
            return self._route(path)
        except Exception as error:  # noqa: BLE001 - a request must always get an answer
            return 503, {"error": type(error).__name__}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that went away."""

    def drain(self) -> None:
        """Ask each client to reconnect elsewhere for a while, then stop accepting and let requests finish."""
        self.draining = True
        time.sleep(DRAIN_SECONDS)
        self.shutdown()
        deadline = time.monotonic() + FINISH_SECONDS
        while self._in_flight.count and time.monotonic() < deadline:
            time.sleep(0.02)


def identity() -> dict[str, str]:
    """Return which pod on which node answers (downward API)."""
    keys = {"pod": "POD_NAME", "node": "NODE_NAME", "host": "HOST_IP"}
    return {key: os.environ.get(variable, "") for key, variable in keys.items()}


def serve(port: int, route: Callable[[str], Answer], ready: Callable[[], Answer]) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return."""
    server = Server(port, route, ready)
    drained = threading.Event()

    def stop(*_args: object) -> None:
        def work() -> None:
            server.drain()
            drained.set()

        if not server.draining:
            threading.Thread(target=work).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever(poll_interval=0.2)
    drained.wait(FINISH_SECONDS + DRAIN_SECONDS)
