"""Things that break between bluegreen and what it needs; each is put between the two, and each can be mended.

None of them is a stand-in: what is behind them is the real HAProxy, API server, network or clock of the lab.
"""

import contextlib
import http.client
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from scenarios.lab.layout import cluster, kubeconfig

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class SocketBetween:
    """A UNIX socket in front of another one; while it hangs it accepts and never answers."""

    def __init__(self, path, behind):
        self.path, self.behind = str(path), str(behind)
        self._hangs, self._open = threading.Event(), []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self.path)
        self._server.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def hang(self):
        self._hangs.set()

    def mend(self):
        self._hangs.clear()

    def close(self):
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                if self._hangs.is_set():
                    self._open.append(connection)  # kept open, and never answered
                else:
                    threading.Thread(target=self._pass, args=(connection,), daemon=True).start()

    def _pass(self, connection):
        with contextlib.suppress(OSError), connection, socket.socket(socket.AF_UNIX) as real:
            real.connect(self.behind)
            real.sendall(connection.recv(65536))
            while block := real.recv(65536):
                connection.sendall(block)


class _Forward(BaseHTTPRequestHandler):
    """One request to the API server behind, or the fault that is due."""

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.between.due(self.command, self.path)
        if fault:
            self._fail(*fault)
            return
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP}
        connection = self.server.between.connection()
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            self.send_response_only(answer.status, answer.reason)
            for key, value in answer.getheaders():
                if key.lower() not in _HOP:
                    self.send_header(key, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while block := answer.read1(65536):
                self.wfile.write(block)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the standard library's names

    def _fail(self, status, headers):
        self.send_response_only(status)
        for key, value in {**headers, "Content-Length": "0", "Connection": "close"}.items():
            self.send_header(key, value)
        self.end_headers()


class ApiBetween:
    """Plain HTTP on loopback in front of a cluster's API server; it fails the first writes of each path.

    The client certificate of the lab's kubeconfig is shown to the real server, so rights are the usual ones.
    """

    FAULTS = ((429, {"Retry-After": "1"}), (500, {}), (503, {}))

    def __init__(self, place, context):
        self.place, self.context = Path(place), context
        self.failed, self.tries, self._lock = [], {}, threading.Lock()
        self.on = threading.Event()
        self._tls = self._credentials()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Forward)
        self._server.daemon_threads, self._server.between = True, self
        self._server.handle_error = lambda *_: None
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _credentials(self):
        raw = yaml.safe_load(kubeconfig().read_text())
        named = {item["name"]: item["context"] for item in raw["contexts"]}[self.context]
        server = {item["name"]: item["cluster"] for item in raw["clusters"]}[named["cluster"]]
        user = {item["name"]: item["user"] for item in raw["users"]}[named["user"]]
        self.address = server["server"].removeprefix("https://")
        tls = ssl.create_default_context(cadata=_content(server, "certificate-authority").decode())
        with tempfile.TemporaryDirectory() as held:  # the library reads certificates from files only
            pair = [Path(held, key) for key in ("client-certificate", "client-key")]
            for path in pair:
                path.touch(mode=0o600)
                path.write_bytes(_content(user, path.name))
            tls.load_cert_chain(*pair)
        return tls

    def connection(self):
        return http.client.HTTPSConnection(self.address, context=self._tls, timeout=60)

    def kubeconfig(self):
        """Write a kubeconfig that leads through here, and return its path."""
        name, (host, port) = self.context, self._server.server_address
        text = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"http://{host}:{port}"}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
        path = self.place / "through.kubeconfig"
        path.write_text(yaml.safe_dump(text))
        return str(path)

    def due(self, method, path):
        """Return the fault of this try, None when it may pass; note when each was made."""
        bare = path.partition("?")[0]
        with self._lock:
            tries = self.tries.setdefault((method, bare), [])
            tries.append(time.monotonic())
            if not self.on.is_set() or method not in {"PATCH", "POST"} or len(tries) > len(self.FAULTS):
                return None
            fault = self.FAULTS[len(tries) - 1]
            self.failed.append((method, bare, fault[0]))
            return fault

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def _content(section, key):
    """Return what a kubeconfig holds or points at."""
    data = section.get(f"{key}-data")
    return b64decode(data) if data else Path(section[key]).read_bytes()


@contextmanager
def cut_from_page(context, node_port):
    """Drop everything that comes to a node port of a cluster, as a cut cable would, and only that."""
    inside = ["nsenter", f"--net=/run/netns/{cluster(context).netns}", "iptables", "-w", "-t", "raw"]
    rule = ["PREROUTING", "-p", "tcp", "--dport", str(node_port), "-j", "DROP"]
    subprocess.run([*inside, "-I", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run([*inside, "-D", *rule], check=True)


@contextmanager
def second_addresses(addresses):
    """Give nodes a second address; `addresses` maps context to it."""
    done = []
    try:
        for context, address in addresses.items():
            words = [f"{address}/32", "dev", "eth0"]
            subprocess.run(["ip", "-n", cluster(context).netns, "addr", "add", *words], check=True)
            done.append((context, words))
        yield
    finally:
        for context, words in done:
            subprocess.run(["ip", "-n", cluster(context).netns, "addr", "del", *words], check=True)


@contextmanager
def no_way_to(addresses):
    """Let this machine have no way to some addresses, as one whose cable is out: it has no route and knows it."""
    done = []
    try:
        for address in addresses:
            subprocess.run(["ip", "route", "add", "throw", f"{address}/32"], check=True)
            done.append(address)
        yield
    finally:
        for address in done:
            subprocess.run(["ip", "route", "del", "throw", f"{address}/32"], check=True)


class WallClock:
    """The time of day of processes started with `variables`; it can be set while they run, monotonic time can not."""

    def __init__(self, place):
        assert FAKETIME.exists(), "the Debian package libfaketime is missing: python -m scenarios.lab packages"
        self._file = Path(place) / "faketime"
        self.set("+0")

    def set(self, offset):
        """Set it off from the real one, such as +7200 (seconds)."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset}\n")
        shutil.move(fresh, self._file)

    @property
    def variables(self):
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }
