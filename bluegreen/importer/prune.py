"""Finds and deletes what we created on green and blue no longer has (law 6).

Never deleted: what does not carry our mark, what has an owner, claims (they hold data), Secrets unless the bundle holds
all of them, kinds that were left on blue by choice, namespaces and cluster-wide objects, which others may need.
"""

from collections.abc import Iterable, Iterator

import msgspec

from bluegreen.model.errors import NotFoundError
from bluegreen.model.events import Emit
from bluegreen.model.marks import is_ours
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_NEVER = frozenset({"PersistentVolumeClaim", "Event", "EndpointSlice", "Endpoints", "ControllerRevision", "Lease"})
_NEEDED = frozenset({"list", "get", "create", "delete"})


class Surplus(msgspec.Struct, frozen=True):
    """An object of ours that blue no longer has.

    Attributes:
        ref: the object.
        uid: its UID on green.
    """

    ref: ObjectRef
    uid: str


def find_surplus(
    cluster: Cluster, namespaces: Iterable[str], wanted: Iterable[ObjectRef], migration: str, unknown: frozenset[str]
) -> tuple[Surplus, ...]:
    """Return what we created in namespaces of green and is not wanted any more.

    Args:
        cluster: green; only read.
        namespaces: where to look, as green calls them.
        wanted: what shall stay.
        migration: the mark of what is ours.
        unknown: kinds (Kind.group) of which the wanted ones are not all known; they are not looked at.
    """
    keep = {(ref.group, ref.kind, ref.namespace, ref.name) for ref in wanted}
    found = {
        str(obj["metadata"].get("uid", "")): Surplus(ref_of(obj), str(obj["metadata"].get("uid", "")))
        for obj in _listed(cluster, tuple(namespaces), unknown)
        if is_ours(obj, migration) and not obj["metadata"].get("ownerReferences")
    }
    gone = (s for s in found.values() if (s.ref.group, s.ref.kind, s.ref.namespace, s.ref.name) not in keep)
    return tuple(sorted(gone, key=lambda surplus: surplus.ref))


def _listed(cluster: Cluster, namespaces: Iterable[str], unknown: frozenset[str]) -> Iterator[Raw]:
    for resource in filter(_counts, cluster.resources()):
        if resource.group_kind in unknown:
            continue
        for namespace in namespaces:
            try:
                yield from cluster.list(resource, namespace)
            except NotFoundError:
                continue


def _counts(resource: ApiResource) -> bool:
    return resource.namespaced and resource.kind not in _NEVER and resource.verbs >= _NEEDED


def prune(cluster: Cluster, surplus: Iterable[Surplus], migration: str, emit: Emit) -> tuple[ObjectRef, ...]:
    """Delete surplus objects, those only that still carry our mark and the same UID; return what was deleted."""
    gone = tuple(one.ref for one in surplus if _delete(cluster, one, migration))
    emit("import.pruned", objects=len(gone))
    return gone


def _delete(cluster: Cluster, surplus: Surplus, migration: str) -> bool:
    try:
        live = cluster.get(surplus.ref)
    except NotFoundError:
        return False
    if not surplus.uid or live["metadata"].get("uid") != surplus.uid or not is_ours(live, migration):
        return False
    cluster.delete(surplus.ref, surplus.uid)
    return True
