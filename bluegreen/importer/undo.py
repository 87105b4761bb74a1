"""Deletes what a migration created on green, and nothing else (law 6): our mark and the recorded UID must both agree.

A Namespace goes only when nothing of another hand is in it.
"""

from collections.abc import Iterable

from bluegreen.importer.apply import ApplyResult
from bluegreen.importer.marks import MIGRATION, annotation, is_ours
from bluegreen.model.errors import NotFoundError
from bluegreen.model.events import Emit
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef

_NOBODYS = frozenset({"Event", "Lease", "EndpointSlice", "Endpoints", "ControllerRevision", "PodMetrics"})
_GIVEN = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})


def delete_created(
    cluster: Cluster, created: Iterable[ApplyResult], migration: str, emit: Emit
) -> tuple[ObjectRef, ...]:
    """Delete the objects that a migration created, last ones first.

    Args:
        cluster: green.
        created: results of the import, in its order, UIDs included.
        migration: id of the migration.
        emit: told of the number of deletions.

    Returns:
        what was deleted.
    """
    gone = [result.ref for result in reversed(tuple(created)) if result.ours and _delete(cluster, result, migration)]
    emit("import.undone", objects=len(gone))
    return tuple(gone)


def _delete(cluster: Cluster, result: ApplyResult, migration: str) -> bool:
    try:
        live = cluster.get(result.ref)
    except NotFoundError:
        return False
    if not result.uid or live["metadata"].get("uid") != result.uid or not is_ours(live, migration):
        return False
    if result.ref.kind == "Namespace" and not _empty_of_others(cluster, result.ref.name, migration):
        return False
    cluster.delete(result.ref, result.uid)
    return True


def _empty_of_others(cluster: Cluster, namespace: str, migration: str) -> bool:
    kinds = (r for r in cluster.resources() if r.namespaced and r.kind not in _NOBODYS)
    return all(_ours_or_made(obj, migration) for kind in kinds for obj in cluster.list(kind, namespace))


def _ours_or_made(obj: Raw, migration: str) -> bool:
    meta = obj["metadata"]
    if meta.get("ownerReferences") or (obj["kind"], meta["name"]) in _GIVEN:
        return True
    return annotation(obj, MIGRATION) == migration
