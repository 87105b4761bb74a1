"""What each router of the table is: the rig of the contract tests, where its writes pass, and how users come in.

Rigs are loaded by path, since test folders are no packages. A rig of ours says in its own docstring what it plays.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scenarios.bench_traffic.tap import IsWrite, Tap, holds, is_dns_update

RIGS = Path(__file__).resolve().parents[2] / "tests" / "contracts"
TTL, OLD_TTL = 1, 2
"""Seconds that resolvers keep an answer during the migration, and before it."""
_DNS = {"ttl": f"{TTL}s"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A router of the table.

    Attributes:
        name: entry point of the router.
        module: module of its rig.
        rig: class of its rig.
        is_write: how a write looks on the wire; None where it is encrypted.
        door: the backend's port that is written to.
        options: the router's settings when it writes to another port.
        dns: whether users come by a name.
        plays: what of it is not the real thing.
        rate: requests per second of each user.
        config: further arguments of the rig, made with its module.
    """

    name: str
    module: str
    rig: str
    is_write: IsWrite | None
    door: Callable[[Any], int]
    options: Callable[[Any, int], dict[str, Any]]
    dns: bool = False
    plays: str = ""
    rate: float = 10.0
    config: Callable[[Any], dict[str, Any]] = lambda _module: {}

    def open(self, directory: Path) -> Any:
        """Start the real thing."""
        if str(RIGS) not in sys.path:
            sys.path.insert(0, str(RIGS))
        module = importlib.import_module(self.module)
        return getattr(module, self.rig)(directory, **self.config(module))

    def tap(self, rig: Any) -> Tap | None:
        """Open the way in by which the run writes; None where nothing can be seen there."""
        return Tap(self.door(rig), self.is_write, datagrams=self.is_write is is_dns_update) if self.is_write else None


def _port(url: str) -> int:
    return int(urlsplit(url).port or 80)


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _old_ttl(_module: Any) -> dict[str, Any]:
    return {"ttl": OLD_TTL}


def _old_records(module: Any) -> dict[str, Any]:
    return {"records": module.pair(module.Weights(100, 0), ttl=OLD_TTL)}


SUBJECTS = (
    Subject(
        "haproxy", "rig_haproxy", "HaproxyRig", holds(b"set weight"),
        door=lambda rig: rig.admin_port,
        options=lambda rig, port: rig.settings(socket=f"127.0.0.1:{port}"),
    ),
    Subject(
        "envoy", "rig_envoy", "EnvoyRig", holds(b"/runtime_modify"),
        door=lambda rig: rig.admin_port,
        options=lambda rig, port: rig.settings(admin=_local(port)),
    ),
    Subject(
        "alb", "rig_alb", "AlbRig", holds(b"Action=ModifyListener"),
        door=lambda rig: _port(rig.layer.url),
        options=lambda rig, port: rig.settings(endpoint=_local(port), settle="100ms"),
        rate=2.5,  # for each request the proxy asks the API, which is moto's Python
        plays="moto behind our strict layer is the API; a small proxy of ours follows the weights",
    ),
    Subject(
        "powerdns", "rig_powerdns", "PowerDnsRig", holds(b"PATCH "),
        door=lambda rig: rig.api_port,
        options=lambda rig, port: rig.settings(url=_local(port), **_DNS),
        dns=True, rate=5.0, config=_old_ttl,
    ),
    Subject(
        "rfc2136", "rig_powerdns", "Rfc2136Rig", is_dns_update,
        door=lambda rig: rig.port,
        options=lambda rig, port: rig.settings(
            server=f"127.0.0.1:{port}", nameservers=[f"127.0.0.1:{rig.port}"], **_DNS
        ),
        dns=True, rate=5.0, config=_old_ttl,
    ),
    Subject(
        "route53", "rig_route53", "Route53Rig", holds(b"ChangeResourceRecordSetsRequest"),
        door=lambda rig: _port(rig.layer.url),
        options=lambda rig, port: rig.settings(
            endpoint=_local(port), nameservers=[f"127.0.0.1:{rig.responder.port}"], **_DNS
        ),
        dns=True, rate=5.0, config=_old_records,
        plays="moto behind our strict layer is the API; a small name server of ours draws by weight "
        "and follows at once, so the router's wait of 60 s for Route 53's own propagation is cut to 1 s",
    ),
    Subject(
        "gateway-api", "rig_gateway", "GatewayRig", None,
        door=lambda _rig: 0,
        options=lambda rig, _port: rig.settings(timeout="2s"),
    ),
)  # fmt: skip
BY_NAME = {subject.name: subject for subject in SUBJECTS}
REQUIRED = tuple(subject.name for subject in SUBJECTS if subject.is_write)
