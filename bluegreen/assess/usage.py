"""What one object uses of a quota, with the pods and claims that it makes. Pure.

It counts as the API server's quota evaluators do, and only what is sure: pods of Jobs and CronJobs come and go, so they
are left out, and of a DaemonSet one pod is counted.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bluegreen.assess.amounts import amount, replicas
from bluegreen.assess.pod_resources import Amounts, Defaults, pod_resources
from bluegreen.assess.pods import pod_spec
from bluegreen.model.ports import Raw

Plurals = Mapping[tuple[str, str], str]

# Kinds that a quota also counts under their plain name, beside count/<resource>.
_PLAIN = {
    "ConfigMap": "configmaps",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "ReplicationController": "replicationcontrollers",
    "ResourceQuota": "resourcequotas",
    "Secret": "secrets",
    "Service": "services",
}
_PLAINLY_COUNTED = frozenset(_PLAIN.values())
_BALANCERS, _NODE_PORTS = "services.loadbalancers", "services.nodeports"
_MAKE_PODS = frozenset(
    {
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "DaemonSet"),
        ("v1", "ReplicationController"),
    }
)
_POD, _CLAIM = ("v1", "Pod"), ("v1", "PersistentVolumeClaim")
_OF_CLASS = ".storageclass.storage.k8s.io/"
_BY_REQUEST = frozenset({"cpu", "memory", "ephemeral-storage"})
_CLASS_MARK = "volume.beta.kubernetes.io/storage-class"


def usage(obj: Raw, plurals: Plurals, given: Defaults) -> Amounts:
    """Return what an object uses, by the keys of a quota; nothing that is zero.

    Args:
        obj: the object.
        plurals: resource name in URLs by (apiVersion, kind).
        given: what its namespace gives to containers that do not say.
    """
    key = (str(obj["apiVersion"]), str(obj["kind"]))
    used: dict[str, Decimal] = {}
    _count(used, _resource(key, plurals), 1)
    used |= usage_by_pods(obj, given)
    if key == _CLAIM:
        used |= _of_claim(obj)
    if key == ("v1", "Service"):
        used |= _of_service(obj.get("spec") or {})
    return {name: value for name, value in used.items() if value}


def usage_by_pods(obj: Raw, given: Defaults) -> Amounts:
    """Return what the pods of an object use, which is all that a quota with scopes counts.

    Args:
        obj: the object.
        given: what its namespace gives to containers that do not say.
    """
    key = (str(obj["apiVersion"]), str(obj["kind"]))
    if key not in _MAKE_PODS and key != _POD:
        return {}
    number = replicas(obj)
    used = {name: asked * number for name, asked in _of_pod(pod_spec(obj), given)}
    _count(used, "pods", number)
    return {name: value for name, value in used.items() if value}


def made_claims(stateful: Raw) -> Iterator[Raw]:
    """Yield the claims that a StatefulSet makes."""
    spec, meta = stateful.get("spec") or {}, stateful["metadata"]
    first = int((spec.get("ordinals") or {}).get("start") or 0)
    for template in spec.get("volumeClaimTemplates") or ():
        for number in range(first, first + replicas(stateful)):
            name = f"{template['metadata']['name']}-{meta['name']}-{number}"
            where = {**template["metadata"], "name": name, "namespace": meta.get("namespace")}
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": where,
                "spec": template.get("spec") or {},
            }


def _count(used: dict[str, Decimal], resource: str, number: int) -> None:
    for key in (f"count/{resource}", *((resource,) if resource in _PLAINLY_COUNTED else ())):
        used[key] = used.get(key, Decimal(0)) + number


def _resource(key: tuple[str, str], plurals: Plurals) -> str:
    """Return the resource with its group, as a quota names it."""
    group = key[0].rpartition("/")[0]
    plural = plurals.get(key) or ("" if group else _PLAIN.get(key[1], ""))
    return f"{plural}.{group}" if group else plural


def _of_pod(spec: Mapping[str, Any], given: Defaults) -> Iterator[tuple[str, Decimal]]:
    """Yield what one pod asks for (source: podComputeUsageHelper of the API server's quota)."""
    asked = pod_resources(spec, given)
    for name, value in asked.requests.items():
        if name in _BY_REQUEST or name.startswith("hugepages-"):
            yield name, value
            yield f"requests.{name}", value
        elif "/" in name and "kubernetes.io/" not in name:  # of a device: GPUs and their like
            yield f"requests.{name}", value
    for name, value in asked.limits.items():
        if name in _BY_REQUEST:
            yield f"limits.{name}", value


def _of_claim(claim: Raw) -> Amounts:
    """Return what a claim uses besides itself; the default class is not known, so it is not counted by it."""
    spec = claim.get("spec") or {}
    size = amount(((spec.get("resources") or {}).get("requests") or {}).get("storage"))
    name = (claim["metadata"].get("annotations") or {}).get(_CLASS_MARK) or spec.get("storageClassName")
    used = {"requests.storage": size}
    if name:
        used |= {f"{name}{_OF_CLASS}requests.storage": size, f"{name}{_OF_CLASS}persistentvolumeclaims": Decimal(1)}
    return used


def _of_service(spec: Mapping[str, Any]) -> Amounts:
    """Return what a Service uses besides itself (source: the API server's quota evaluator of Services)."""
    ports = spec.get("ports") or ()
    match spec.get("type"):
        case "NodePort":
            return {_NODE_PORTS: Decimal(len(ports))}
        case "LoadBalancer" if spec.get("allocateLoadBalancerNodePorts") is False:
            given = sum(bool(port.get("nodePort")) for port in ports)
            return {_BALANCERS: Decimal(1), _NODE_PORTS: Decimal(given)}
        case "LoadBalancer":
            return {_BALANCERS: Decimal(1), _NODE_PORTS: Decimal(len(ports))}
        case _:
            return {}
