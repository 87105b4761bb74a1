"""More facts than a migration's own checks need: what `bluegreen assess` asks both clusters besides.

It only reads. What cannot be read is a gap with its reason, never an error: an assessment says as much as it can.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from bluegreen.assess.amounts import amount
from bluegreen.assess.checks import Subject
from bluegreen.model.errors import BluegreenError, NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_METRICS = ObjectRef("apiregistration.k8s.io/v1", "APIService", "", "v1beta1.metrics.k8s.io")


@dataclass(frozen=True, slots=True)
class Wider:
    """What the further checks look at.

    Attributes:
        subject: what the migration's own checks look at.
        raw: blue's objects as it serves them, for their history.
        allocatable: cpu and memory of green's nodes, None when they cannot be listed.
        metrics: whether green serves pod metrics, None when that cannot be known.
        definitions: green's CustomResourceDefinitions by name.
        gaps: what could not be read, with the reason.
    """

    subject: Subject
    raw: tuple[Raw, ...]
    allocatable: dict[str, Decimal] | None
    metrics: bool | None
    definitions: dict[str, Raw]
    gaps: dict[str, str]


def widen(subject: Subject, blue: Cluster, green: Cluster) -> Wider:
    """Read the further facts of a subject."""
    gaps: dict[str, str] = {}
    refs = {ref_of(obj) for obj in subject.objects}
    nodes = list(_listed(green, ["Node"], "", gaps, "nodes of the target"))
    crds = _listed(green, ["CustomResourceDefinition"], "", gaps, "definitions of the target")
    return Wider(
        subject=subject,
        raw=tuple(obj for obj in _histories(blue, refs, gaps) if ref_of(obj) in refs),
        allocatable=_allocatable(nodes) if nodes else None,
        metrics=_serves_metrics(green, gaps),
        definitions={str(crd["metadata"]["name"]): crd for crd in crds},
        gaps=gaps,
    )


def _histories(blue: Cluster, refs: Iterable[ObjectRef], gaps: dict[str, str]) -> Iterator[Raw]:
    """Yield the raw objects of the kinds and namespaces of some references, Secrets left out."""
    places = sorted({(ref.api_version, ref.kind, ref.namespace) for ref in refs if ref.kind != "Secret"})
    served = {(r.api_version, r.kind): r for r in blue.resources()}
    for api_version, kind, namespace in places:
        resource = served.get((api_version, kind))
        if resource is not None:
            yield from _attempt(blue, resource, namespace, gaps, f"{kind} in {namespace or 'the cluster'}")


def _listed(cluster: Cluster, kinds: Iterable[str], namespace: str, gaps: dict[str, str], words: str) -> Iterator[Raw]:
    for resource in cluster.resources():
        if resource.kind in kinds:
            yield from _attempt(cluster, resource, namespace, gaps, words)


def _attempt(
    cluster: Cluster, resource: ApiResource, namespace: str, gaps: dict[str, str], words: str
) -> Iterator[Raw]:
    try:
        yield from cluster.list(resource, namespace)
    except BluegreenError as error:
        gaps[words] = str(error)


def _allocatable(nodes: Iterable[Raw]) -> dict[str, Decimal]:
    """Return what nodes that take pods have together."""
    usable = [node for node in nodes if not (node.get("spec") or {}).get("unschedulable")]
    given = [((node.get("status") or {}).get("allocatable") or {}) for node in usable]
    return {key: sum((amount(one.get(key)) for one in given), Decimal(0)) for key in ("cpu", "memory")}


def _serves_metrics(green: Cluster, gaps: dict[str, str]) -> bool | None:
    try:
        service = green.get(_METRICS)
    except NotFoundError:
        return False
    except BluegreenError as error:
        gaps["metrics of the target"] = str(error)
        return None
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Available" and c.get("status") == "True" for c in conditions)
