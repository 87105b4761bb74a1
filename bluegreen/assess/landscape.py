"""What a first configuration can be proposed from: both clusters as far as they show it, read once.

It only reads, and no Secret. What cannot be read is a gap with its reason, for the proposal to tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bluegreen.assess.classes import is_default
from bluegreen.assess.entrances import Entrance, Exposed, entrances, exposed
from bluegreen.model.errors import BluegreenError, InvalidInputError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ClusterId

_SYSTEM_PREFIXES = ("kube-", "openshift-")
_SYSTEM = frozenset({"velero", "local-path-storage", "cert-manager", "external-dns", "ingress-nginx", "gateway-system"})
_APPS, _BATCH, _NETWORK, _GATEWAY = "apps", "batch", "networking.k8s.io", "gateway.networking.k8s.io"
_WORKLOADS = ((_APPS, "Deployment"), (_APPS, "StatefulSet"), (_APPS, "DaemonSet"), (_BATCH, "CronJob"))


@dataclass(frozen=True, slots=True)
class Class:
    """A StorageClass or IngressClass.

    Attributes:
        driver: provisioner or controller.
        default: whether it is taken when none is named.
    """

    driver: str
    default: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """One cluster.

    Attributes:
        id: which.
        nodes: internal addresses of the nodes that take pods.
        open: Services of all namespaces that are open to the outside.
        storage: StorageClasses by name.
        ingress: IngressClasses by name.
        velero: namespaces where Velero keeps its backup locations.
    """

    id: ClusterId
    nodes: tuple[str, ...]
    open: tuple[Exposed, ...]
    storage: Mapping[str, Class]
    ingress: Mapping[str, Class]
    velero: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that holds data, with the class that was named for it and its size as written."""

    namespace: str
    name: str
    storage_class: str
    size: str


@dataclass(frozen=True, slots=True)
class Landscape:
    """Both clusters, and what of blue shall move.

    Attributes:
        blue: the cluster that serves.
        green: the cluster that shall serve.
        namespaces: what moves.
        guessed: whether nobody named the namespaces.
        entrances: hosts of the namespaces on blue.
        claims: claims of the namespaces on blue.
        storage_used: StorageClasses that claims and claim templates of the namespaces name.
        ingress_used: IngressClasses that Ingresses of the namespaces name.
        gaps: what could not be read, with the reason.
    """

    blue: Ground
    green: Ground
    namespaces: tuple[str, ...]
    guessed: bool
    entrances: tuple[Entrance, ...]
    claims: tuple[Claim, ...]
    storage_used: tuple[str, ...]
    ingress_used: tuple[str, ...]
    gaps: tuple[str, ...]

    @property
    def exposed(self) -> tuple[Exposed, ...]:
        """Return the Services of what moves that are open to the outside."""
        return tuple(one for one in self.blue.open if one.namespace in self.namespaces)


@dataclass(slots=True)
class _Reader:
    """Lists kinds of a cluster by group and kind; a refusal becomes a gap."""

    cluster: Cluster
    gaps: list[str]
    served: dict[tuple[str, str], ApiResource] = field(init=False)

    def __post_init__(self) -> None:
        self.served = {(r.api_version.rpartition("/")[0], r.kind): r for r in self.cluster.resources()}

    def all(self, group: str, kind: str, namespaces: Sequence[str] = ("",)) -> list[Raw]:
        """Return the objects of a kind in namespaces, or in all of them; none where it is not served."""
        resource = self.served.get((group, kind))
        return [obj for namespace in namespaces for obj in self._list(resource, namespace)] if resource else []

    def _list(self, resource: ApiResource, namespace: str) -> Iterator[Raw]:
        try:
            yield from self.cluster.list(resource, namespace)
        except BluegreenError as error:
            self.gaps.append(f"{resource.plural} of {self.cluster.id.context}: {error}")


def survey(blue: Cluster, green: Cluster, namespaces: Sequence[str] = ()) -> Landscape:
    """Look at both clusters.

    Args:
        blue: the cluster that serves.
        green: the cluster that shall serve.
        namespaces: what shall move; without one, every namespace that holds workloads and is not the system's.

    Raises:
        InvalidInputError: a namespace is not on blue, or none holds workloads.
    """
    gaps: list[str] = []
    reader = _Reader(blue, gaps)
    moving = _present(reader, namespaces) if namespaces else _guessed(reader)
    ingresses = reader.all(_NETWORK, "Ingress", moving)
    claims = tuple(_claim(obj) for obj in reader.all("", "PersistentVolumeClaim", moving))
    templates = [t for obj in reader.all(_APPS, "StatefulSet", moving) for t in _templates(obj)]
    storage = {claim.storage_class for claim in claims} | {_class_of(t) for t in templates}
    return Landscape(
        blue=_ground(reader),
        green=_ground(_Reader(green, gaps)),
        namespaces=moving,
        guessed=not namespaces,
        entrances=entrances(ingresses, reader.all(_GATEWAY, "HTTPRoute", moving), reader.all(_GATEWAY, "Gateway")),
        claims=claims,
        storage_used=tuple(sorted(storage - {""})),
        ingress_used=tuple(sorted({_spec(obj).get("ingressClassName") or "" for obj in ingresses} - {""})),
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _present(reader: _Reader, namespaces: Sequence[str]) -> tuple[str, ...]:
    """Return the namespaces, all of them on blue."""
    there = {str(obj["metadata"]["name"]) for obj in reader.all("", "Namespace")}
    context = reader.cluster.id.context
    hint = f"kubectl --context {context} get namespaces"
    missing = tuple(f"namespace {name} is not on {context}" for name in namespaces if there and name not in there)
    if missing:
        raise InvalidInputError("init.no-namespace", "looking for the namespaces", missing, hint)
    return tuple(dict.fromkeys(namespaces))


def _guessed(reader: _Reader) -> tuple[str, ...]:
    """Return the namespaces that hold workloads and are not the system's."""
    found = {str(obj["metadata"].get("namespace")) for kind in _WORKLOADS for obj in reader.all(*kind)}
    moving = sorted(name for name in found - _SYSTEM if not name.startswith(_SYSTEM_PREFIXES))
    if not moving:
        reasons = (f"no namespace of {reader.cluster.id.context} holds workloads, but for the system's", *reader.gaps)
        raise InvalidInputError("init.nothing", "looking for what could move", reasons, "name one with -n NAMESPACE")
    return tuple(moving)


def _ground(reader: _Reader) -> Ground:
    """Read what is asked of both clusters."""
    return Ground(
        id=reader.cluster.id,
        nodes=tuple(address for node in reader.all("", "Node") for address in _addresses(node)),
        open=exposed(reader.all("", "Service")),
        storage={
            _named(obj): _class(obj, obj.get("provisioner")) for obj in reader.all("storage.k8s.io", "StorageClass")
        },
        ingress={
            _named(obj): _class(obj, _spec(obj).get("controller")) for obj in reader.all(_NETWORK, "IngressClass")
        },
        velero=tuple(
            sorted({str(o["metadata"]["namespace"]) for o in reader.all("velero.io", "BackupStorageLocation")})
        ),
    )


def _addresses(node: Raw) -> Iterator[str]:
    if _spec(node).get("unschedulable"):
        return
    given = (node.get("status") or {}).get("addresses") or ()
    yield from [str(one["address"]) for one in given if one.get("type") == "InternalIP"][:1]


def _class(obj: Raw, driver: object) -> Class:
    return Class(str(driver or ""), is_default(obj))


def _claim(obj: Raw) -> Claim:
    asked = ((_spec(obj).get("resources") or {}).get("requests") or {}).get("storage")
    return Claim(str(obj["metadata"]["namespace"]), _named(obj), _class_of(obj), str(asked or "size unknown"))


def _class_of(claim: Raw) -> str:
    return str(_spec(claim).get("storageClassName") or "")


def _templates(obj: Raw) -> list[Raw]:
    return list(_spec(obj).get("volumeClaimTemplates") or ())


def _spec(obj: Raw) -> Raw:
    return obj.get("spec") or {}


def _named(obj: Raw) -> str:
    return str(obj["metadata"]["name"])
