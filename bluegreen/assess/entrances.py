"""How users come into namespaces: hosts of Ingresses and HTTPRoutes, and Services that are open to the outside. Pure.

It only says what objects say. A host that is none, as a hostile annotation may hold, is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bluegreen.model.ports import Raw

EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
_HOST = re.compile(r"(?=.{1,253}\Z)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_ADDRESS = re.compile(r"[0-9a-fA-F:.]{2,45}\Z")
_PATH = re.compile(r"/[A-Za-z0-9/._~-]{0,200}\Z")
_OPEN = ("LoadBalancer", "NodePort")
_HTTP_PORTS = frozenset({80, 443, 8000, 8080, 8443})
_TLS_PORTS = frozenset({443, 8443})


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a Service.

    Attributes:
        number: port of the Service.
        node_port: port on every node, 0 for none.
        http: whether it speaks HTTP, as far as its name, appProtocol or number tell.
        tls: whether it speaks TLS, told the same way.
    """

    number: int
    node_port: int
    http: bool
    tls: bool


@dataclass(frozen=True, slots=True)
class Exposed:
    """A Service that is open to the outside.

    Attributes:
        namespace: its namespace.
        name: its name.
        kind: LoadBalancer or NodePort.
        ports: its TCP ports.
        addresses: addresses or names of its load balancer.
        hosts: names that external-dns publishes for it.
    """

    namespace: str
    name: str
    kind: str
    ports: tuple[Port, ...]
    addresses: tuple[str, ...]
    hosts: tuple[str, ...]

    def __str__(self) -> str:
        return f"Service {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Entrance:
    """One host by which users reach a namespace.

    Attributes:
        namespace: where the object and its backend are.
        host: host name, empty for any.
        path: a path that is served, / when none is named.
        via: the object in words, such as Ingress shop/web.
        tls: whether the object asks for TLS.
        service: name of the first backend, empty when it is no Service.
        addresses: addresses that the object's status names.
        published: whether external-dns publishes the name.
    """

    namespace: str
    host: str
    path: str
    via: str
    tls: bool
    service: str
    addresses: tuple[str, ...]
    published: bool = False


def exposed(services: Iterable[Raw]) -> tuple[Exposed, ...]:
    """Return the Services that are open to the outside, sorted."""
    found = [_exposed(obj) for obj in services if _spec(obj).get("type") in _OPEN]
    return tuple(sorted(found, key=lambda one: (one.namespace, one.name)))


def _exposed(obj: Raw) -> Exposed:
    ports = [_port(port) for port in _spec(obj).get("ports") or () if port.get("protocol", "TCP") == "TCP"]
    return Exposed(
        namespace=str(obj["metadata"].get("namespace") or ""),
        name=str(obj["metadata"]["name"]),
        kind=str(_spec(obj)["type"]),
        ports=tuple(ports),
        addresses=_balanced(obj),
        hosts=published_hosts(obj),
    )


def _port(port: Mapping[str, object]) -> Port:
    number = int(str(port.get("port") or 0))
    words = f"{port.get('name') or ''} {port.get('appProtocol') or ''}".lower()
    tls = "https" in words or number in _TLS_PORTS
    http = "http" in words or number in _HTTP_PORTS
    return Port(number, int(str(port.get("nodePort") or 0)), http=http, tls=tls)


def published_hosts(obj: Raw) -> tuple[str, ...]:
    """Return the hosts that external-dns is told to publish for an object."""
    annotations = obj["metadata"].get("annotations") or {}
    hosts = [host.strip().rstrip(".").lower() for host in str(annotations.get(EXTERNAL_DNS, "")).split(",")]
    return tuple(dict.fromkeys(host for host in hosts if _HOST.match(host)))


def entrances(ingresses: Iterable[Raw], http_routes: Iterable[Raw], gateways: Iterable[Raw]) -> tuple[Entrance, ...]:
    """Return the hosts of Ingresses and HTTPRoutes, each host of an object once, sorted.

    Args:
        ingresses: networking.k8s.io Ingresses.
        http_routes: gateway.networking.k8s.io HTTPRoutes.
        gateways: the Gateways that these may name as parents.
    """
    known = {(g["metadata"].get("namespace"), g["metadata"]["name"]): g for g in gateways}
    found = [one for obj in ingresses for one in _of_ingress(obj)]
    found += [one for obj in http_routes for one in _of_http_route(obj, known)]
    return tuple(sorted(found, key=lambda one: (one.namespace, one.host, one.via)))


def _of_ingress(obj: Raw) -> Iterator[Entrance]:
    spec, seen = _spec(obj), set()
    secured = {str(host) for tls in spec.get("tls") or () for host in tls.get("hosts") or ()}
    rules = [
        (str(rule.get("host") or ""), (rule.get("http") or {}).get("paths") or ()) for rule in spec.get("rules") or ()
    ]
    rules += [(host, ()) for host in published_hosts(obj)]
    for host, paths in rules or [("", ())]:
        if host in seen or (host and not _HOST.match(host)):
            continue
        seen.add(host)
        first = paths[0] if paths else {"backend": spec.get("defaultBackend") or {}}
        service = ((first.get("backend") or {}).get("service") or {}).get("name") or ""
        yield Entrance(
            namespace=str(obj["metadata"]["namespace"]),
            host=host,
            path=_path(str(first.get("path") or "/")),
            via=_name(obj),
            tls=host in secured,
            service=str(service),
            addresses=_balanced(obj),
            published=host in published_hosts(obj),
        )


def _of_http_route(obj: Raw, gateways: Mapping[tuple[object, object], Raw]) -> Iterator[Entrance]:
    spec, namespace = _spec(obj), str(obj["metadata"]["namespace"])
    parents = [
        gateways.get((parent.get("namespace") or namespace, parent.get("name")))
        for parent in spec.get("parentRefs") or ()
    ]
    there = [parent for parent in parents if parent]
    listeners = [listener for parent in there for listener in _spec(parent).get("listeners") or ()]
    addresses = [str(a.get("value")) for p in there for a in (p.get("status") or {}).get("addresses") or ()]
    first = _first(spec.get("rules"))
    match = _first(first.get("matches"))
    for host in dict.fromkeys(str(host) for host in spec.get("hostnames") or ("",)):
        if not host or _HOST.match(host):
            yield Entrance(
                namespace=namespace,
                host=host,
                path=_path(str((match.get("path") or {}).get("value") or "/")),
                via=_name(obj),
                tls=bool(listeners) and all(listener.get("protocol") == "HTTPS" for listener in listeners),
                service=str(_first(first.get("backendRefs")).get("name") or ""),
                addresses=tuple(filter(_is_place, addresses)),
                published=host in published_hosts(obj),
            )


def _first(items: Sequence[Raw] | None) -> Raw:
    """Return the first of a list that may be absent, empty when there is none."""
    return next(iter(items or ()), {})


def _path(text: str) -> str:
    """Return a path that can be asked for: / where it is a pattern of some controller's own."""
    return text if _PATH.match(text) else "/"


def _balanced(obj: Raw) -> tuple[str, ...]:
    """Return the addresses that a load balancer gave an object."""
    given = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    places = [str(one.get("ip") or one.get("hostname") or "") for one in given]
    return tuple(filter(_is_place, places))


def _is_place(text: str) -> bool:
    return bool(_ADDRESS.match(text) or (_HOST.match(text) and "*" not in text))


def _spec(obj: Raw) -> Raw:
    return obj.get("spec") or {}


def _name(obj: Raw) -> str:
    return f"{obj['kind']} {obj['metadata'].get('namespace')}/{obj['metadata']['name']}"
