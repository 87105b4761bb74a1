"""A real HAProxy on loopback in front of two small servers, in its own process and temporary directory."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from rig_http import Visited, two_servers, wait_until

from bluegreen.model.errors import TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.haproxy_router import open_router
from bluegreen_adapters.haproxy_socket import HaproxySocket
from scenarios.ports import free_port

HAPROXY = "/usr/sbin/haproxy"

CONFIG = """
global
    stats socket {dir}/admin.sock mode 600 level admin expose-fd listeners
    stats socket {dir}/user.sock mode 600 level user
    stats socket ipv4@127.0.0.1:{admin_port} level admin
    server-state-base {dir}
    server-state-file state
    hard-stop-after 5s
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 2s
    option redispatch
    retries 1
    {defaults}
frontend shop
    bind 127.0.0.1:{port}
    default_backend shop
backend shop
    balance roundrobin
    server blue 127.0.0.1:{blue} weight {blue_weight}
    server green 127.0.0.1:{green} weight {green_weight}
    {servers}
"""


class HaproxyRig(Visited):
    """HAProxy with the two servers behind it."""

    deterministic = True
    slow = False

    def __init__(self, directory: Path, *, weights=(100, 0), servers: str = "", defaults: str = "") -> None:
        self.dir, self.sides, self.process = directory, two_servers(), None
        self.config = directory / "haproxy.cfg"
        self.socket = HaproxySocket(str(directory / "admin.sock"), 2.0)
        self.port, self.admin_port = free_port(), free_port()
        text = CONFIG.format(
            dir=self.dir,
            admin_port=self.admin_port,
            port=self.port,
            blue=self.sides[Side.BLUE].port,
            green=self.sides[Side.GREEN].port,
            blue_weight=weights[0],
            green_weight=weights[1],
            servers=servers,
            defaults=defaults,
        )
        self.config.write_text(text)
        self.start()

    def settings(self, **more) -> dict[str, object]:
        return {"socket": self.socket.address, "backend": "shop", **more}

    def open_router(self):
        return open_router("shop", self.settings())

    def start(self, *more: str) -> None:
        log = (self.dir / "log").open("ab")
        command = [HAPROXY, "-f", str(self.config), "-db", *more]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: self._answers(self.process.pid))

    def _answers(self, pid: int) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.dir / "log").read_text())
        try:
            return f"Pid: {pid}\n" in self.socket.ask("show info")
        except Exception:  # noqa: BLE001 - not there yet
            return False

    def reload(self, *, keep_state: bool = False) -> None:
        """Start a new process that takes over from the old one, as a service's reload does."""
        state = self.socket.ask("show servers state") if keep_state else ""
        (self.dir / "state").write_text(state + "\n")
        old = self.process
        self.start("-x", self.socket.address, "-sf", str(old.pid))
        old.wait(10)

    def cut(self) -> None:
        """Make the backend's control unreachable, as during a restart."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def mend(self) -> None:
        self.start()

    def write_elsewhere(self, weights: Weights) -> None:
        """Write as another person would."""
        for side in Side:
            self.socket.ask(f"set weight shop/{side} {weights.of(side)}")

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        for server in self.sides.values():
            server.stop()


@contextlib.contextmanager
def other_haproxy(path: Path, **config):
    """Run HAProxy with another configuration."""
    path.mkdir()
    rig = HaproxyRig(path, **config)
    try:
        yield rig
    finally:
        rig.close()


class Recorder:
    """A socket that remembers each command; it may be cut at one of the writes."""

    def __init__(self, socket, said, cut_at=None):
        self.socket, self.said, self.cut_at, self.address = socket, said, cut_at, socket.address

    def ask(self, command):
        self.said.append(command)
        if self.cut_at and len([line for line in self.said if line.startswith("set")]) == self.cut_at:
            raise TransientError("test.cut", command, "cut by the test")
        return self.socket.ask(command)
