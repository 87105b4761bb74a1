"""What green lacks for a set of objects although its API server refuses none of them alone.

Each object fits a quota on their number that all together exceed, and a claim of a class that is not there is accepted
and never bound. It only reads green; what it may not read it says.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence

from bluegreen.assess.gaps import attempt
from bluegreen.assess.quotas import count_already, shortages
from bluegreen.importer import shape
from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.rewrite import Remark
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_NAMED = 3


def lacking(
    green: Cluster, objects: Sequence[Raw], resources: tuple[ApiResource, ...], ahead: ListsAhead | None = None
) -> tuple[Remark, ...]:
    """Return the quotas that do not suffice and the StorageClasses that are not there.

    Args:
        green: where they go.
        objects: all objects of the import, as green shall have them.
        resources: what green serves.
        ahead: lists of green that are under way already, such as those of quotas.
    """
    gaps: dict[str, str] = {}
    found = (*_quotas(green, objects, resources, ahead, gaps), *_classes(green, objects, gaps))
    return (*found, *(Remark(what, "", f"it could not be looked at: {why}") for what, why in gaps.items()))


def _quotas(
    green: Cluster,
    objects: Sequence[Raw],
    resources: tuple[ApiResource, ...],
    ahead: ListsAhead | None,
    gaps: dict[str, str],
) -> Iterator[Remark]:
    served = next((r for r in resources if (r.api_version, r.kind) == ("v1", "ResourceQuota")), None)
    namespaces = sorted({str(obj["metadata"].get("namespace") or "") for obj in objects} - {""})
    there = {ref_of(quota): quota for name in namespaces for quota in _listed(green, served, name, ahead, gaps)}
    moving = {ref_of(obj): obj for obj in objects if shape.is_kind(obj, "ResourceQuota")}
    quotas = [*there.values(), *(_fresh(quota) for ref, quota in moving.items() if ref not in there)]
    plurals = {(r.api_version, r.kind): r.plural for r in resources}
    counted = count_already(green, resources, quotas, objects, gaps) if quotas else {}
    for quota in quotas:
        if short := shortages(quota, objects, counted, plurals):
            ref = ref_of(quota)
            raised = "on blue or by a patch, for it moves along" if ref in moving else "on green"
            yield Remark(str(ref), "", f"{'; '.join(short)}: raise it {raised}, or leave objects out")


def _fresh(quota: Raw) -> Raw:
    """Return a quota that green does not have yet, with what the control plane puts into a namespace by itself."""
    return {**quota, "status": {"used": {"configmaps": "1", "count/configmaps": "1"}}}


def _listed(
    green: Cluster, quotas: ApiResource | None, namespace: str, ahead: ListsAhead | None, gaps: dict[str, str]
) -> list[Raw]:
    if quotas is None:
        return []
    if ahead is not None and (early := ahead.take(quotas, namespace)) is not None:
        return early
    return attempt(lambda: list(green.list(quotas, namespace)), f"quotas in {namespace}", gaps) or []


def _classes(green: Cluster, objects: Iterable[Raw], gaps: dict[str, str]) -> Iterator[Remark]:
    asking: dict[str, list[Raw]] = {}
    for obj in objects:
        if not shape.may_claim(obj):
            continue
        for name in {_class_of(claim) for claim in shape.claims(obj)} - {""}:
            asking.setdefault(name, []).append(obj)
    for name, askers in sorted(asking.items()):
        ref = ObjectRef("storage.k8s.io/v1", "StorageClass", "", name)
        if attempt(functools.partial(_found, green, ref), str(ref), gaps) != {}:
            continue
        waiting = [str(ref_of(obj)) for obj in askers if not _has_volume(green, obj, gaps)]
        if waiting:
            more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
            asked = f"green does not have it, and {', '.join(waiting[:_NAMED])}{more} will wait for it"
            yield Remark(str(ref), "", f"{asked}: map it (transform.storageClasses) or make it")


def _class_of(claim: Raw) -> str:
    annotated = shape.get(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class")
    return str(annotated or shape.get(claim, "spec", "storageClassName") or "")


def _has_volume(green: Cluster, obj: Raw, gaps: dict[str, str]) -> bool:
    """Return whether an object is a claim that needs no class: it names its volume, or green has bound it already."""
    if not shape.is_kind(obj, "PersistentVolumeClaim"):
        return False
    ref = ref_of(obj)
    there = attempt(functools.partial(_found, green, ref), str(ref), gaps) or {}
    return bool(shape.get(obj, "spec", "volumeName")) or shape.get(there, "status", "phase") == "Bound"


def _found(green: Cluster, ref: ObjectRef) -> Raw:
    """Return what green has of that name, an empty map for nothing."""
    try:
        return green.get(ref)
    except NotFoundError:
        return {}
