"""Which pods a quota with scopes is for, as the API server's quota tells them apart. Pure.

Only what is sure counts: a pod that names no priority class may get the cluster's default one, so no scope of classes
takes it.
Source: podMatchesScopeFunc of the API server's quota, ComputePodQOS.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bluegreen.assess.pod_resources import Amounts, Defaults, pod_resources
from bluegreen.model.ports import Raw

_AFFINITIES = ("podAffinity", "podAntiAffinity")
_QOS = ("cpu", "memory")


def scopes(quota: Raw) -> list[Mapping[str, Any]]:
    """Return the scopes of a quota as requirements; a pod must meet all of them."""
    spec = quota.get("spec") or {}
    plain = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    return plain + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())


def takes(required: Sequence[Mapping[str, Any]], spec: Mapping[str, Any], given: Defaults) -> bool:
    """Return whether a pod surely meets scopes.

    Args:
        required: the scopes.
        spec: the pod's specification, as somebody wrote it.
        given: defaults of its namespace.
    """
    return all(_meets(one, spec, given) for one in required)


def _meets(required: Mapping[str, Any], spec: Mapping[str, Any], given: Defaults) -> bool:
    ends, best_effort = spec.get("activeDeadlineSeconds") is not None, _best_effort(spec, given)
    facts = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "PriorityClass": _of_class(required, str(spec.get("priorityClassName") or "")),
        "CrossNamespacePodAffinity": any(_crosses(term) for term in _terms(spec)),
    }
    return facts.get(str(required.get("scopeName")), False)


def _best_effort(spec: Mapping[str, Any], given: Defaults) -> bool:
    whole = spec.get("resources")
    asked = pod_resources({"resources": whole} if whole else spec, given)
    return not any(_some(amounts) for amounts in (asked.requests, asked.limits))


def _some(amounts: Amounts) -> bool:
    return any(amounts.get(name) for name in _QOS)


def _of_class(required: Mapping[str, Any], name: str) -> bool:
    values = required.get("values") or ()
    match required.get("operator"):
        case "Exists":
            return bool(name)
        case "In":
            return name in values
        case "NotIn":
            return bool(name) and name not in values
        case _:
            return False


def _crosses(term: Mapping[str, Any]) -> bool:
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None


def _terms(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in _AFFINITIES:
        affinity = (spec.get("affinity") or {}).get(kind) or {}
        yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
