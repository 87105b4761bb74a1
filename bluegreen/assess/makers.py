"""Which custom resources make pods: found by who owns the pods of blue, from owner to owner up to the top.

It only reads, and keeps names alone. What cannot be read is a gap with its reason.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bluegreen.assess.gaps import attempt
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef
from bluegreen.model.sleeping import is_custom

_BUILT_IN = (
    ("v1", "Pod"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
)
_DEEPEST = 8


def find_makers(
    blue: Cluster, resources: Iterable[ApiResource], namespaces: Iterable[str], gaps: dict[str, str]
) -> frozenset[ObjectRef]:
    """Return the custom resources that pods of some namespaces come from.

    Args:
        blue: where the pods are.
        resources: what it serves.
        namespaces: where to look.
        gaps: told what could not be read.
    """
    served = {(r.api_version, r.kind): r for r in resources}
    if not any(is_custom(api_version) for api_version, _ in served):
        return frozenset()
    found: set[ObjectRef] = set()
    for namespace in sorted(namespaces):
        owned = _owners(blue, served, namespace, gaps)
        above = {owner for owners in owned.values() for owner in owners if is_custom(owner.api_version)}
        found |= _climb(blue, above, gaps)
    return frozenset(found)


def _owners(
    blue: Cluster, served: Mapping[tuple[str, str], ApiResource], namespace: str, gaps: dict[str, str]
) -> dict[ObjectRef, tuple[ObjectRef, ...]]:
    """Return the owners of the pods and workloads of a namespace."""

    def read(resource: ApiResource) -> dict[ObjectRef, tuple[ObjectRef, ...]]:
        listed = blue.list(resource, namespace)
        return {
            ObjectRef(resource.api_version, resource.kind, namespace, str(one["metadata"]["name"])): tuple(_above(one))
            for one in listed
        }

    found: dict[ObjectRef, tuple[ObjectRef, ...]] = {}
    for key in _BUILT_IN:
        if key in served:
            words = f"owners of {key[1]} in {namespace}"
            found |= attempt(lambda one=served[key]: read(one), words, gaps) or {}  # type: ignore[misc]
    return found


def _above(obj: Raw) -> Iterator[ObjectRef]:
    meta: Mapping[str, Any] = obj["metadata"]
    for owner in meta.get("ownerReferences") or ():
        where = str(meta.get("namespace") or "")
        yield ObjectRef(str(owner.get("apiVersion")), str(owner.get("kind")), where, str(owner.get("name")))


def _climb(blue: Cluster, start: set[ObjectRef], gaps: dict[str, str]) -> set[ObjectRef]:
    """Return custom owners with their own custom owners."""
    found, level = set(start), set(start)
    for _ in range(_DEEPEST):
        level = {above for ref in sorted(level) for above in _read(blue, ref, gaps) if is_custom(above.api_version)}
        level -= found
        if not level:
            break
        found |= level
    return found


def _read(blue: Cluster, ref: ObjectRef, gaps: dict[str, str]) -> tuple[ObjectRef, ...]:
    def read() -> tuple[ObjectRef, ...]:
        try:
            return tuple(_above(blue.get(ref)))
        except NotFoundError:
            return ()

    return attempt(read, f"owners of {ref}", gaps) or ()
