"""Weights on HAProxy's runtime socket: absolute, receiver first, only if what is served is what we expect.

A weight here is the per cent itself (HAProxy takes 0 to 256), so nothing is rounded. It must never use `set weight N%`:
that is relative to the config, and a server with weight 0 there stays 0 while the command reports success.
HAProxy has no compare-and-set of its own: between our look and our write lie a few tenths of a millisecond in which
another writer would not be noticed; the read-back after the write is the second look.

A reload brings back the weights of the config file. `read` shows that, `shift` then refuses with the reason; to let
weights survive, HAProxy needs `load-server-state-from-file global` and a state file that is saved before each reload.

Its runtime has no place for a mark, so no owner is known here and this is no MarkedRouter: a second writer is noticed
by the weights alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bluegreen.model.errors import (
    BluegreenError,
    ConflictError,
    NoSharesError,
    NotFoundError,
    RefusedError,
    TransientError,
)
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.haproxy_servers import Server, holds, is_half_written, served, servers, told
from bluegreen_adapters.haproxy_socket import SHOW_SERVERS, HaproxySocket, check_address, server_rows
from bluegreen_adapters.options import Options

RESOLUTION = 256
_DEFAULT_TIMEOUT = 2.0
PERMISSIONS = Permissions(
    (
        "write access to HAProxy's runtime socket at level admin, for: set weight",
        "the same socket at any level, for: show servers state, show stat",
        "in haproxy.cfg, global section: stats socket /run/haproxy/admin.sock mode 660 level admin",
    )
)


@dataclass(frozen=True, slots=True)
class HaproxyRouter:
    """One backend with a server for each side.

    Attributes:
        name: name of the route.
        socket: HAProxy's runtime socket.
        backend: name of the backend.
        servers: name of the server of each side.
    """

    name: str
    socket: HaproxySocket
    backend: str
    servers: Mapping[Side, str]
    resolution: int = RESOLUTION
    settle_seconds: float = 0.0

    def read(self) -> Weights:
        """Return the weights served now, in whole per cent; a side that serves anything has at least 1."""
        pair = self._pair()
        if others := self._others():
            raise self._no_shares("haproxy.other-servers", _too(others), self._silence(others))
        now = served(pair)
        if now is None:
            raise self._no_shares("haproxy.serves-nothing", f"nobody is served: {told(pair)}", self._light(pair))
        return now

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write the weights if those served are the expected ones, or a started write of `to`."""
        pair = self._pair()
        if holds(pair, to):
            return
        if served(pair) != expect and not is_half_written(pair, to, expect):
            raise self._conflict(pair, to, expect)
        for side in sorted(Side, key=lambda s: to.of(s) < pair[s].weight):
            self._set(pair[side], to.of(side))

    def bring_back(self) -> str:
        """Give blue all that the pair takes, also out of 0/0 or beside a third server; blue first, then read back.

        Returns:
            Which other servers still take traffic and what to type; empty when none does.
        """
        pair, back, what = self._pair(), Weights.for_green(0), "raising blue for the way back"
        self._check_receiver(pair[Side.BLUE], what)
        for side in (Side.BLUE, Side.GREEN):
            self._set(pair[side], back.of(side))
        if served(now := self._pair()) != back:
            raise ConflictError(
                "haproxy.not-read-back",
                f"{what} of route {self.name!r}",
                f"{told(now)} right after our write: somebody else writes, too",
                "bluegreen traffic show",
            )
        others = self._others()
        return f"{_too(others)}; {self._silence(others)}" if others else ""

    def settled(self, to: Weights) -> bool:
        """Return whether HAProxy has the weights and every receiver is in service; the next request follows them."""
        pair = self._pair()
        in_service = all(not (pair[side].admin or pair[side].down) for side in Side if to.of(side))
        return in_service and holds(pair, to)

    def finalize(self) -> None:
        """Leave everything: HAProxy holds no mark of ours."""

    def _set(self, server: Server, weight: int) -> None:
        """Write one absolute weight, if it is another; a receiver must be able to receive."""
        if weight == server.weight:
            return
        what = f"setting {self.backend}/{server.name} to weight {weight}"
        if weight > server.weight:
            self._check_receiver(server, what)
        if answer := self.socket.ask(f"set weight {self.backend}/{server.name} {weight}"):
            raise self._answered(what, answer)

    def _check_receiver(self, server: Server, what: str) -> None:
        if server.admin:
            raise self._refused(
                "haproxy.receiver-out",
                what,
                f"the server is in {server.admin} and would receive nothing",
                f"on the socket: set server {self.backend}/{server.name} state ready",
            )
        if server.down:
            raise TransientError("haproxy.receiver-down", what, "HAProxy's health check says the server is DOWN")

    def _pair(self) -> dict[Side, Server]:
        """Return both servers."""
        answer = self.socket.ask(f"show servers state {self.backend}")
        if not answer.startswith("1\n#"):
            raise self._answered("reading the weights", answer)
        found = servers(answer)
        missing = [f"{self.backend}/{name}" for name in self.servers.values() if name not in found]
        if missing:
            raise NotFoundError(
                "haproxy.no-server",
                f"reading the weights of route {self.name!r}",
                f"no server {' and '.join(missing)}; there are: {', '.join(sorted(found))}",
                "name them in the route's settings as in haproxy.cfg",
            )
        return {side: found[name] for side, name in self.servers.items()}

    def _others(self) -> list[str]:
        """Return other servers of the backend that take traffic, which no weight of ours governs."""
        rows = server_rows(self.socket.ask(SHOW_SERVERS), self.backend)
        return [
            name
            for name, row in rows.items()
            if name not in self.servers.values() and row.get("act") == "1" and row.get("weight") not in {"0", ""}
        ]

    def _silence(self, others: Sequence[str]) -> str:
        """Return what to type so that other servers take no traffic."""
        commands = "; ".join(f"set weight {self.backend}/{name} 0" for name in others)
        return f"on the socket: {commands}; or make it a backup"

    def _light(self, pair: Mapping[Side, Server]) -> str:
        """Return what to type where nobody is served."""
        if pair[Side.BLUE].admin:
            return (
                f"on the socket: set server {self.backend}/{pair[Side.BLUE].name} state ready; then: bluegreen revert"
            )
        return "bluegreen revert; or, if you know better than the probes: bluegreen traffic set 0"

    def _conflict(self, pair: Mapping[Side, Server], to: Weights, expect: Weights) -> ConflictError:
        """Return an error that tells a reload from another writer."""
        reloaded = all(server.weight == server.configured for server in pair.values())
        why = f"expected {expect.blue}/{expect.green}, but {told(pair)}"
        if reloaded:
            why += "; these are the weights of the config file: HAProxy was reloaded or restarted"
        elif any(server.admin for server in pair.values()):
            why += "; somebody has taken a server out"
        else:
            why += "; somebody else has written"
        return ConflictError(
            "haproxy.reloaded" if reloaded else "haproxy.conflict",
            f"shifting route {self.name!r} to {to.blue}/{to.green}",
            why,
            "bluegreen traffic show; then resume, or: bluegreen revert",
        )

    def _answered(self, what: str, answer: str) -> BluegreenError:
        """Return an error for an answer that is none of the expected ones."""
        if "permission denied" in answer.lower():
            return self._refused(
                "haproxy.level", what, "the socket's level is too low", "in haproxy.cfg: stats socket … level admin"
            )
        if "find backend" in answer.lower():
            return NotFoundError("haproxy.no-backend", what, f"no backend {self.backend!r}", "see haproxy.cfg")
        return self._refused("haproxy.answer", what, answer)

    def _no_shares(self, code: str, why: str, next_step: str) -> NoSharesError:
        return NoSharesError(code, f"reading the weights of route {self.name!r}", why, next_step)

    def _refused(self, code: str, what: str, why: str, next_step: str = "") -> RefusedError:
        return RefusedError(code, f"{what} of route {self.name!r}", why, next_step)


def _too(others: Sequence[str]) -> str:
    return f"other servers take traffic, too: {', '.join(others)}"


def open_router(name: str, options: Mapping[str, object]) -> HaproxyRouter:
    """Return a router over HAProxy's runtime socket.

    Args:
        name: name of the route.
        options: socket (path or host:port), backend, blue and green (server names), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("router haproxy", name, options)
    address, backend = given.text("socket"), given.text("backend")
    servers = {Side.BLUE: given.text("blue", "blue"), Side.GREEN: given.text("green", "green")}
    timeout = given.seconds("timeout", _DEFAULT_TIMEOUT)
    check_names(given, address, backend, servers)
    given.finish()
    return HaproxyRouter(name, HaproxySocket(address, timeout), backend, servers)


def check_names(given: Options, address: str, backend: str, servers: Mapping[Side, str]) -> None:
    """Refuse an impossible address, names that would end a command, and one server for both sides."""
    if address and (fault := check_address(address)):
        given.refuse("socket", fault)
    for key, value in (("backend", backend), *servers.items()):
        if any(mark.isspace() or mark in ";/\\" for mark in value):
            given.refuse(key, "holds a character that no name in haproxy.cfg has")
    if servers[Side.BLUE] == servers[Side.GREEN]:
        given.refuse("green", "is the same server as blue")
