"""Connections of our own to each side: whether something takes them, and how long that took.

A refused connection or a timeout is the target's; no route or no free descriptor is ours, and then Broken. It must
never send anything, nor reach a cloud's metadata address.
"""

import errno
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, Sample
from bluegreen_adapters.http_faults import forbidden, own_fault
from bluegreen_adapters.options import Options

PERMISSIONS = Permissions(
    ("a TCP connection from here to host and port of each side; nothing is sent, so no account is needed",)
)
_DEFAULT_TIMEOUT = 2.0
_LAST_PORT = 65535
Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """One connection per sample.

    Attributes:
        name: name of the probe.
        targets: host and port per side.
        timeout: seconds of one connection.
        clock: monotonic seconds.
    """

    name: str
    targets: Mapping[Side, Target]
    timeout: float
    clock: Callable[[], float] = time.monotonic
    synthetic: bool = True
    users: bool = False
    gives_latency: bool = True

    def sample(self, side: Side) -> Sample:
        """Connect once to a side and return what came of it."""
        host, port = self.targets[side]
        began = self.clock()
        try:
            with socket.create_connection((host, port), self.timeout) as connection:
                took, reached = self.clock() - began, str(connection.getpeername()[0])
        except OSError as error:
            if reason := own_socket_fault(error):
                return Broken(f"{host}:{port}: {reason}")
            return self._bad(side, began, _words(error))
        if forbidden(reached):
            return Broken(f"{reached} is a link-local or metadata address")
        return Counts(good=1, bad=0, latencies=(took,))

    def close(self) -> None:
        """Release nothing: every sample closes its own connection."""

    def _bad(self, side: Side, began: float, why: str) -> Counts:
        host, port = self.targets[side]
        return Counts(good=0, bad=1, latencies=(self.clock() - began,), example=f"{host}:{port}: {why}")


def own_socket_fault(error: BaseException) -> str:
    """Return what failed on our side, as for HTTP; empty when the target is to blame or it cannot be told."""
    wrapped = httpx.ConnectError("")
    wrapped.__cause__ = error
    return own_fault(wrapped)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no connection within the timeout"
    return errno.errorcode.get(error.errno or 0, "") + f" {error.strerror or error}"


def open_probe(name: str, options: Mapping[str, object]) -> TcpProbe:
    """Return a probe that connects.

    Args:
        name: name of the probe.
        options: blue and green (host:port), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe tcp", name, options)
    targets = {side: _target(given, str(side)) for side in Side}
    timeout = given.seconds("timeout", _DEFAULT_TIMEOUT)
    given.finish()
    return TcpProbe(name, targets, timeout)


def _target(given: Options, key: str) -> Target:
    text = given.text(key)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not text:
        return "", 0
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _LAST_PORT or not _encodes(host):
        given.refuse(key, "must be host:port such as shop.example:443 or [2001:db8::1]:443")
        return "", 0
    if forbidden(host):
        given.refuse(key, "is a link-local or metadata address of the machine, not a side")
    return host, int(port)


def _encodes(host: str) -> bool:
    try:
        return bool(host.encode("idna")) and host.isprintable() and " " not in host
    except UnicodeError:
        return False
