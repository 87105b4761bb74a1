"""How many objects the quotas of green still take, against how many more are brought.

It counts as the API server's quota does, and only what is sure: pods of Jobs and CronJobs come and go, so they are left
out, and a quota with scopes is for some objects only, so it is not judged. It only reads, and keeps numbers, no values.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bluegreen.assess.amounts import amount, replicas
from bluegreen.assess.gaps import attempt
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

Counts = Mapping[str, int]
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
_BALANCERS, _NODE_PORTS = "services.loadbalancers", "services.nodeports"
_KEYS = frozenset({*_PLAIN.values(), _BALANCERS, _NODE_PORTS})
_MAKE_PODS = frozenset(
    {
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "DaemonSet"),
        ("v1", "ReplicationController"),
    }
)


def shortages(quota: Raw, objects: Iterable[Raw], already: Mapping[ObjectRef, Counts], plurals: Plurals) -> list[str]:
    """Return each count of a quota that does not suffice, with the numbers.

    Args:
        quota: a ResourceQuota of green, with its status; where it moves along, the limits are those that come.
        objects: the objects as green will have them.
        already: what the same objects on green count by now, for that is within what is used.
        plurals: resource name in URLs by (apiVersion, kind).
    """
    given, more = _with_claims(_in_namespace(objects, quota)), Counter[str]()
    for obj in given:
        more += _counts(obj, plurals) - Counter(already.get(ref_of(obj), {}))
    used = (quota.get("status") or {}).get("used") or {}
    return [
        f"{key}: {amount(used.get(key))} used and {more[key]} more of {hard}"
        for key, hard in sorted(_limits(_coming(quota, given)).items())
        if more[key] and amount(used.get(key)) + more[key] > amount(hard)
    ]


def count_already(
    green: Cluster,
    resources: Iterable[ApiResource],
    quotas: Iterable[Raw],
    objects: Iterable[Raw],
    gaps: dict[str, str],
) -> dict[ObjectRef, Counts]:
    """Return what objects that are to be moved count on green by now, where a quota counts them.

    Args:
        green: where they go.
        resources: what it serves.
        quotas: its ResourceQuotas.
        objects: the objects as green will have them.
        gaps: told what could not be read.
    """
    served = {(r.api_version, r.kind): r for r in resources}
    plurals = {key: resource.plural for key, resource in served.items()}
    wanted: dict[tuple[str, str, str], set[ObjectRef]] = {}
    for quota in quotas:
        given = _with_claims(_in_namespace(objects, quota))
        limited = _limits(_coming(quota, given)).keys()
        for obj in given if limited else ():
            ref = ref_of(obj)
            if (ref.api_version, ref.kind) in served and limited & _counts(obj, plurals).keys():
                wanted.setdefault((ref.api_version, ref.kind, ref.namespace), set()).add(ref)

    def read(resource: ApiResource, namespace: str, refs: set[ObjectRef]) -> dict[ObjectRef, Counts]:
        listed = green.list(resource, namespace)
        return {ref_of(obj): _counts(obj, plurals) for obj in listed if ref_of(obj) in refs}

    found: dict[ObjectRef, Counts] = {}
    for (version, kind, namespace), refs in wanted.items():
        one = functools.partial(read, served[version, kind], namespace, refs)
        found |= attempt(one, f"{kind} in {namespace} of green", gaps) or {}
    return found


def _coming(quota: Raw, objects: Iterable[Raw]) -> Raw:
    """Return a quota as the import makes it: quotas are applied before what they count (decision 0002)."""
    return next((obj for obj in objects if ref_of(obj) == ref_of(quota)), quota)


def _limits(quota: Raw) -> dict[str, Any]:
    """Return the counts of objects that a quota limits; none when it is for some objects only."""
    spec, status = quota.get("spec") or {}, quota.get("status") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return {}
    hard = status.get("hard") or spec.get("hard") or {}
    return {key: value for key, value in hard.items() if key in _KEYS or key.startswith("count/")}


def _in_namespace(objects: Iterable[Raw], quota: Raw) -> Iterator[Raw]:
    return (obj for obj in objects if obj["metadata"].get("namespace") == quota["metadata"].get("namespace"))


def _with_claims(objects: Iterable[Raw]) -> list[Raw]:
    """Return objects with the claims that StatefulSets make, each once: most are among the objects already."""
    given = list(objects)
    known = {ref_of(obj): obj for obj in given}
    for obj in given:
        if obj["kind"] == "StatefulSet":
            for claim in _made_claims(obj):
                known.setdefault(ref_of(claim), claim)
    return list(known.values())


def _made_claims(stateful: Raw) -> Iterator[Raw]:
    spec, meta = stateful.get("spec") or {}, stateful["metadata"]
    first = int((spec.get("ordinals") or {}).get("start") or 0)
    for template in spec.get("volumeClaimTemplates") or ():
        for number in range(first, first + replicas(stateful)):
            name = f"{template['metadata']['name']}-{meta['name']}-{number}"
            where = {"name": name, "namespace": meta.get("namespace")}
            yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": where}


def _counts(obj: Raw, plurals: Plurals) -> Counter[str]:
    """Return what an object counts for in a quota, with the pods that it makes."""
    key = (str(obj["apiVersion"]), str(obj["kind"]))
    counts: Counter[str] = Counter()
    for resource, number in ((_resource(key, plurals), 1), ("pods", replicas(obj) if key in _MAKE_PODS else 0)):
        counts[f"count/{resource}"] += number
        if resource in _KEYS:
            counts[resource] += number
    if key == ("v1", "Service"):
        counts.update(_of_service(obj.get("spec") or {}))
    return +counts


def _resource(key: tuple[str, str], plurals: Plurals) -> str:
    """Return the resource with its group, as a quota names it."""
    group = key[0].rpartition("/")[0]
    plural = plurals.get(key) or ("" if group else _PLAIN.get(key[1], ""))
    return f"{plural}.{group}" if group else plural


def _of_service(spec: Mapping[str, Any]) -> Counts:
    """Return what a Service counts for besides itself (source: the API server's quota evaluator of Services)."""
    ports = spec.get("ports") or ()
    match spec.get("type"):
        case "NodePort":
            return {_NODE_PORTS: len(ports)}
        case "LoadBalancer" if spec.get("allocateLoadBalancerNodePorts") is False:
            return {_BALANCERS: 1, _NODE_PORTS: sum(bool(port.get("nodePort")) for port in ports)}
        case "LoadBalancer":
            return {_BALANCERS: 1, _NODE_PORTS: len(ports)}
        case _:
            return {}
