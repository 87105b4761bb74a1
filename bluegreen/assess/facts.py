"""What the checks need to know about the target, read once.

Reading is all that happens here; what cannot be read for want of rights becomes an empty set and a finding.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bluegreen.model.errors import NotFoundError, RefusedError
from bluegreen.model.ports import ApiResource, Cluster, Raw


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The target as the checks see it.

    Attributes:
        version: gitVersion.
        served: kinds that it serves, as (apiVersion, kind).
        names: names of cluster-scoped objects by kind.
        node_ports: node ports taken, to the Service that has them.
        node_labels: labels of each node.
        unreadable: kinds that could not be listed, with the reason.
    """

    version: str
    served: frozenset[tuple[str, str]]
    names: dict[str, frozenset[str]]
    node_ports: dict[int, str]
    node_labels: tuple[dict[str, str], ...]
    unreadable: dict[str, str] = field(default_factory=dict)


_NAMED_KINDS = (
    "StorageClass",
    "IngressClass",
    "PriorityClass",
    "RuntimeClass",
    "Namespace",
    "CustomResourceDefinition",
)


def built_in(resources: Iterable[ApiResource]) -> dict[str, ApiResource]:
    """Return Kubernetes' own resources by kind; others have the same kinds (Knative's Service, Longhorn's Node)."""
    groups = ((resource.api_version.rpartition("/")[0], resource) for resource in resources)
    return {resource.kind: resource for group, resource in groups if "." not in group or group.endswith(".k8s.io")}


def read_facts(cluster: Cluster) -> TargetFacts:
    """Read the facts of a cluster."""
    served = tuple(cluster.resources())
    resources = built_in(served)
    unreadable: dict[str, str] = {}

    def listed(kind: str) -> list[Raw]:
        return _list(cluster, resources.get(kind), kind, unreadable)

    names = {kind: frozenset(str(item["metadata"]["name"]) for item in listed(kind)) for kind in _NAMED_KINDS}
    return TargetFacts(
        version=cluster.id.version,
        served=frozenset((resource.api_version, resource.kind) for resource in served),
        names=names,
        node_ports=_node_ports(listed("Service")),
        node_labels=tuple(dict(node["metadata"].get("labels") or {}) for node in listed("Node")),
        unreadable=unreadable,
    )


def _list(cluster: Cluster, resource: ApiResource | None, kind: str, unreadable: dict[str, str]) -> list[Raw]:
    """List a kind; a refusal is noted, not raised."""
    if resource is None:
        return []
    try:
        return list(cluster.list(resource))
    except NotFoundError:
        return []
    except RefusedError as error:
        unreadable[kind] = str(error)
        return []


def _node_ports(services: Iterable[dict[str, Any]]) -> dict[int, str]:
    """Return each node port with the Service that has it."""
    taken: dict[int, str] = {}
    for service in services:
        meta = service["metadata"]
        for port in service.get("spec", {}).get("ports") or []:
            if port.get("nodePort"):
                taken[int(port["nodePort"])] = f"{meta['namespace']}/{meta['name']}"
    return taken
