"""What real users met, per side, from HAProxy's own counters.

Bad is what a user saw as the server's fault: answers of the classes named in the settings (5xx), connections that
failed after every retry (econ) and answers that broke off (eresp). Retries that ended well are not bad. HAProxy gives
no time per request, so objectives with `below` need another probe. It must never turn a reset into requests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Sample
from bluegreen_adapters.haproxy_router import check_names
from bluegreen_adapters.haproxy_socket import SHOW_SERVERS, HaproxySocket, server_rows
from bluegreen_adapters.options import Options
from bluegreen_adapters.user_counters import Growth, Reading, UserCounters, bad_classes

_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
_FAULTS = {"econ": "failed connections", "eresp": "broken answers"}
_DEFAULT_TIMEOUT = 2.0
PERMISSIONS = Permissions(
    (
        "HAProxy's runtime socket at any level, for: show info, show stat",
        "in haproxy.cfg, global section: stats socket /run/haproxy/stats.sock mode 660 level user",
    )
)
_PID = re.compile(r"^Pid: (\d+)$", re.MULTILINE)


@dataclass(slots=True)
class HaproxyProbe:
    """Counters of a backend's two servers.

    Attributes:
        name: name of the probe.
        socket: HAProxy's runtime socket.
        backend: name of the backend.
        servers: name of the server of each side.
        bad_classes: classes of answers that are bad, such as 5xx.
    """

    name: str
    socket: HaproxySocket
    backend: str
    servers: Mapping[Side, str]
    bad_classes: tuple[str, ...]
    synthetic: bool = False
    users: bool = True
    gives_latency: bool = False
    _counters: UserCounters = field(default_factory=lambda: UserCounters("HAProxy"))

    def sample(self, side: Side) -> Sample:
        """Return what users met on a side since the last call; the first call only sets the mark."""
        return self._counters.sample(side, self._read, self._met)

    def close(self) -> None:
        """Release nothing: every question has its own connection."""

    def _read(self, side: Side) -> Reading:
        """Return the counters now."""
        name = self.servers[side]
        info, _, stat = self.socket.ask(f"show info;{SHOW_SERVERS}").partition("\n\n")
        process = _PID.search(info)
        if not stat.startswith("#") or process is None:
            raise ValueError(stat or "no statistics came")
        rows = server_rows(stat, self.backend)
        if name not in rows:
            raise ValueError(f"no server {self.backend}/{name}; there are: {', '.join(sorted(rows)) or 'none'}")
        columns = [*(f"hrsp_{kind}" for kind in _CLASSES), *_FAULTS]
        return Reading(process[1], {column: int(rows[name][column] or 0) for column in columns})

    def _met(self, grown: Mapping[str, int]) -> Growth:
        """Return what is good and bad in what has grown."""
        faults = {word: grown[column] for column, word in _FAULTS.items() if grown[column]}
        faults |= {f"{kind} answers": grown[f"hrsp_{kind}"] for kind in self.bad_classes if grown[f"hrsp_{kind}"]}
        answers = sum(grown[f"hrsp_{kind}"] for kind in _CLASSES)
        good = answers - sum(grown[f"hrsp_{kind}"] for kind in self.bad_classes)
        return Growth(good, sum(faults.values()), ", ".join(f"{count} {word}" for word, count in faults.items()))


def open_probe(name: str, options: Mapping[str, object]) -> HaproxyProbe:
    """Return a probe of HAProxy's counters.

    Args:
        name: name of the probe.
        options: socket (path or host:port), backend, blue and green (server names), timeout (2s), and bad
            (classes of answers that count as bad: [5xx]).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe haproxy", name, options)
    address, backend = given.text("socket"), given.text("backend")
    servers = {Side.BLUE: given.text("blue", "blue"), Side.GREEN: given.text("green", "green")}
    timeout = given.seconds("timeout", _DEFAULT_TIMEOUT)
    bad = bad_classes(given, _CLASSES)
    check_names(given, address, backend, servers)
    given.finish()
    return HaproxyProbe(name, HaproxySocket(address, timeout), backend, servers, bad)
