"""Where each side can be asked directly: addresses of hosts and Services on blue, and of the same thing on green. Pure.

What green will have only after the import, such as a load balancer's address, is left open, never guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.assess.entrances import Entrance, Exposed, Port
from bluegreen.assess.landscape import Ground, Landscape
from bluegreen.migration.starter_text import TODO

_CONTROLLER_WORDS = ("ingress", "gateway", "traefik", "nginx", "haproxy", "envoy", "contour", "kong", "istio")


@dataclass(frozen=True, slots=True)
class Places:
    """Where blue and green are asked.

    Attributes:
        blue: host:port, TODO where it is not known.
        green: the same for green.
        tls: whether TLS is spoken there.
        http: whether HTTP is spoken there.
        why: where the addresses come from, and what to look at.
    """

    blue: str
    green: str
    tls: bool
    http: bool
    why: str


def of_entrance(entrance: Entrance, land: Landscape) -> Places:
    """Return where a host is asked: at its controller, else at the open Service behind it."""
    blue, green = (_front(ground, land, tls=entrance.tls) for ground in (land.blue, land.green))
    if entrance.addresses:
        port = 443 if entrance.tls else 80
        here = f"{_bracketed(entrance.addresses[0])}:{port}"
        why = f"blue's address is that of the status of {entrance.via}"
        return Places(here, green[0] or TODO, entrance.tls, http=True, why=f"{why}; {_green_words(green)}")
    if blue[0]:
        why = f"blue is asked at {blue[1]}; {_green_words(green)}"
        return Places(blue[0], green[0] or TODO, entrance.tls, http=True, why=why)
    behind = [one for one in land.exposed if (one.namespace, one.name) == (entrance.namespace, entrance.service)]
    if behind:
        found = of_service(behind[0], land)
        return Places(found.blue, found.green, found.tls, http=True, why=found.why)
    why = "no address of an ingress controller was found; write where each cluster's is"
    return Places(TODO, TODO, entrance.tls, http=True, why=why)


def of_service(service: Exposed, land: Landscape) -> Places:
    """Return where an open Service is asked."""
    port = chosen_port(service)
    here = _at(service, port, land.blue)
    if service.kind == "LoadBalancer" and service.addresses:
        there, why = TODO, "green's load balancer gets its address after the import"
    else:
        there = _at(service, port, land.green)
        why = "the same node port on green; the export keeps it only where the manifest asked for it"
    why = f"{service} ({service.kind}), port {port.number}; {why}"
    return Places(here or TODO, there or TODO, port.tls, port.http, why)


def chosen_port(service: Exposed) -> Port:
    """Return the port to ask: one that speaks HTTP, rather without TLS, else the first."""
    return min(service.ports, key=lambda port: (not port.http, port.tls))


def _front(ground: Ground, land: Landscape, *, tls: bool) -> tuple[str, str]:
    """Return address and words of the one Service that is named like an ingress controller, empty for none.

    One that is only open and alone is not taken: it may well be another application's.
    """
    outside = [one for one in ground.open if one.namespace not in land.namespaces and _is_controller(one)]
    fronts = [(one, port) for one in outside for port in _fitting(one, tls)]
    place = _at(*fronts[0], ground) if len(fronts) == 1 else ""
    return (place, str(fronts[0][0])) if place else ("", "")


def _is_controller(service: Exposed) -> bool:
    return any(word in f"{service.namespace} {service.name}" for word in _CONTROLLER_WORDS)


def _fitting(service: Exposed, tls: bool) -> Iterable[Port]:
    return [port for port in service.ports if port.http and port.tls == tls][:1]


def _at(service: Exposed, port: Port, ground: Ground) -> str:
    """Return host:port of a Service in a cluster: its load balancer, else its node port on the first node."""
    if service.addresses:
        return f"{_bracketed(service.addresses[0])}:{port.number}"
    return f"{_bracketed(ground.nodes[0])}:{port.node_port}" if port.node_port and ground.nodes else ""


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _green_words(green: tuple[str, str]) -> str:
    return f"green at {green[1]}" if green[0] else "write where green's ingress controller is"
