"""What green lacks for a set of objects although its API server refuses none of them alone.

Each object fits a quota that all together exceed; a workload is accepted whose pods are not; a claim of a class that is
not there is never bound, a binding of a role that is not there gives no right. It only reads green; what it may not
read it says.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence

from bluegreen.assess.classes import is_default
from bluegreen.assess.gaps import attempt
from bluegreen.importer import shape
from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.rewrite import Remark
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, in_words, ref_of

_RBAC = "rbac.authorization.k8s.io/v1"
_BINDINGS, _ROLES = ("RoleBinding", "ClusterRoleBinding"), ("Role", "ClusterRole")
_CLASS = ("storage.k8s.io/v1", "StorageClass")
_DEFAULT = "(default)"  # no class has such a name


def lacking(
    green: Cluster, objects: Sequence[Raw], resources: tuple[ApiResource, ...], ahead: ListsAhead | None = None
) -> tuple[Remark, ...]:
    """Return the quotas that do not suffice, and the StorageClasses and roles that are not there.

    Args:
        green: where they go.
        objects: all objects of the import, as green shall have them.
        resources: what green serves.
        ahead: lists of green that are under way already, such as those of quotas.
    """
    gaps: dict[str, str] = {}
    found = (
        *_quotas(green, objects, resources, ahead, gaps),
        *_classes(green, objects, resources, gaps),
        *_roles(green, objects, gaps),
    )
    return (*found, *(Remark(what, "", f"it could not be looked at: {why}") for what, why in gaps.items()))


def _quotas(
    green: Cluster,
    objects: Sequence[Raw],
    resources: tuple[ApiResource, ...],
    ahead: ListsAhead | None,
    gaps: dict[str, str],
) -> Iterator[Remark]:
    kinds = {r.kind: r for r in resources if r.api_version == "v1"}
    namespaces = sorted({str(obj["metadata"].get("namespace") or "") for obj in objects} - {""})

    def listed(kind: str) -> Iterator[Raw]:
        return (one for name in namespaces for one in _listed(green, kinds.get(kind), name, ahead, gaps))

    there = {ref_of(quota): quota for quota in listed("ResourceQuota")}
    moving = {ref_of(obj): obj for obj in objects if shape.is_kind(obj, "ResourceQuota")}
    quotas = [*there.values(), *(_fresh(quota) for ref, quota in moving.items() if ref not in there)]
    if not quotas:
        return
    from bluegreen.assess.quotas import count_already, shortages, unsaid, unsaid_words  # noqa: PLC0415 - few have quotas

    plurals = {(r.api_version, r.kind): r.plural for r in resources}
    ranges = list(listed("LimitRange"))
    counted = count_already(green, resources, quotas, objects, gaps, ranges=ranges)
    for quota in quotas:
        ref = ref_of(quota)
        for key, silent in unsaid(quota, objects, ranges).items():
            hint = "let every container say it (transform.patches), or make a LimitRange with a default for it on green"
            yield Remark(str(ref), "", f"{unsaid_words(key, silent)}: {hint}")
        if short := shortages(quota, objects, counted, plurals, ranges):
            raised = "on blue or by a patch, for it moves along" if ref in moving else "on green"
            yield Remark(str(ref), "", f"{'; '.join(short)}: raise it {raised}, or leave objects out")


def _fresh(quota: Raw) -> Raw:
    """Return a quota that green does not have yet, with what the control plane puts into a namespace by itself."""
    return {**quota, "status": {"used": {"configmaps": "1", "count/configmaps": "1"}}}


def _listed(
    green: Cluster, resource: ApiResource | None, namespace: str, ahead: ListsAhead | None, gaps: dict[str, str]
) -> list[Raw]:
    if resource is None:
        return []
    if ahead is not None and (early := ahead.take(resource, namespace)) is not None:
        return early
    return attempt(lambda: list(green.list(resource, namespace)), f"{resource.kind} in {namespace}", gaps) or []


def _classes(
    green: Cluster, objects: Iterable[Raw], resources: Iterable[ApiResource], gaps: dict[str, str]
) -> Iterator[Remark]:
    asking: dict[str, list[Raw]] = {}
    for obj in objects:
        if not shape.may_claim(obj):
            continue
        for name in {_class_of(claim) for claim in shape.claims(obj)} - {""}:
            asking.setdefault(name, []).append(obj)
    silent = asking.pop(_DEFAULT, [])
    for name, askers in sorted(asking.items()):
        ref = ObjectRef(*_CLASS, "", name)
        if attempt(functools.partial(_found, green, ref), str(ref), gaps) != {}:
            continue
        if waiting := _waiting(green, askers, gaps):
            asked = f"green does not have it, and {waiting} will wait for it"
            yield Remark(str(ref), "", f"{asked}: map it (transform.storageClasses) or make it")
    if silent and not _has_default(green, resources, gaps) and (waiting := _waiting(green, silent, gaps)):
        asked = f"green has no default one, and {waiting} will wait for it, naming none"
        yield Remark("StorageClass", "", f"{asked}: name one (transform.patches) or make a default one")


def _roles(green: Cluster, objects: Iterable[Raw], gaps: dict[str, str]) -> Iterator[Remark]:
    """Tell of bindings to roles that neither come nor are there, such as those that `export.exclude` keeps on blue."""
    coming: set[ObjectRef] = set()
    asking: dict[ObjectRef, list[ObjectRef]] = {}
    for obj in objects:
        if obj["kind"] in _BINDINGS and obj["apiVersion"] == _RBAC:
            asking.setdefault(_role_of(obj), []).append(ref_of(obj))
        elif obj["kind"] in _ROLES:
            coming.add(ref_of(obj))
    for ref in sorted(asking.keys() - coming, key=str):
        if attempt(functools.partial(_found, green, ref), str(ref), gaps) == {}:
            why = f"it is neither on green nor among the objects, so {in_words(asking[ref])} will give no right"
            yield Remark(str(ref), "", f"{why} before it is there: export it or make it")


def _role_of(binding: Raw) -> ObjectRef:
    kind, name = (str(shape.get(binding, "roleRef", key) or "") for key in ("kind", "name"))
    return ObjectRef(_RBAC, kind, str(binding["metadata"]["namespace"]) if kind == "Role" else "", name)


def _waiting(green: Cluster, askers: Iterable[Raw], gaps: dict[str, str]) -> str:
    """Return in words who waits for a class, nobody in no words."""
    return in_words([ref_of(obj) for obj in askers if not _has_volume(green, obj, gaps)])


def _has_default(green: Cluster, resources: Iterable[ApiResource], gaps: dict[str, str]) -> bool:
    """Return whether green has a default class, or may have one that nobody may see."""
    served = next((r for r in resources if (r.api_version, r.kind) == _CLASS), None)
    if served is None:
        return False
    there = attempt(lambda: list(green.list(served, "")), "StorageClasses", gaps)
    return there is None or any(map(is_default, there))


def _class_of(claim: Raw) -> str:
    """Return the class that a claim asks for: empty where it wants none, the default's mark where it names none."""
    annotated = shape.get(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class")
    named = shape.get(claim, "spec", "storageClassName")
    return str(annotated or (_DEFAULT if named is None else named))


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
