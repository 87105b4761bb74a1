"""What green lacks for a set of objects although its API server refuses none of them alone.

Each object fits a quota that all together exceed, and a claim of a class that is not there is accepted and never bound.
It only reads green; what it may not read it says.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bluegreen.assess.gaps import attempt
from bluegreen.assess.quotas import count_already, shortages
from bluegreen.importer import shape
from bluegreen.importer.rewrite import Remark
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.report.words import amount


def lacking(green: Cluster, objects: Sequence[Raw]) -> tuple[Remark, ...]:
    """Return the quotas that do not suffice and the StorageClasses that are not there.

    Args:
        green: where they go.
        objects: all objects of the import, as green shall have them.
    """
    gaps: dict[str, str] = {}
    found = (*_quotas(green, objects, gaps), *_classes(green, objects, gaps))
    return (*found, *(Remark(what, "", f"it could not be looked at: {why}") for what, why in gaps.items()))


def _quotas(green: Cluster, objects: Sequence[Raw], gaps: dict[str, str]) -> Iterator[Remark]:
    resources = green.resources()
    served = next((r for r in resources if (r.api_version, r.kind) == ("v1", "ResourceQuota")), None)
    namespaces = sorted({str(obj["metadata"].get("namespace") or "") for obj in objects} - {""})
    quotas = [quota for name in namespaces for quota in _listed(green, served, name, gaps)]
    plurals = {(r.api_version, r.kind): r.plural for r in resources}
    counted = count_already(green, resources, quotas, objects, gaps) if quotas else {}
    for quota in quotas:
        if short := shortages(quota, objects, counted, plurals):
            yield Remark(str(ref_of(quota)), "", f"{'; '.join(short)}: raise it on green, or leave objects out")


def _listed(green: Cluster, quotas: ApiResource | None, namespace: str, gaps: dict[str, str]) -> list[Raw]:
    if quotas is None:
        return []
    return attempt(lambda: list(green.list(quotas, namespace)), f"quotas in {namespace}", gaps) or []


def _classes(green: Cluster, objects: Iterable[Raw], gaps: dict[str, str]) -> Iterator[Remark]:
    asking = Counter(name for obj in objects for claim in shape.claims(obj) if (name := _class_of(claim)))
    for name, claims in sorted(asking.items()):
        ref = ObjectRef("storage.k8s.io/v1", "StorageClass", "", name)
        there = attempt(functools.partial(_is_there, green, ref), str(ref), gaps)
        if there is False:
            text = f"green does not have it, and {amount(claims, 'claim')} ask{'s' if claims == 1 else ''} for it: "
            yield Remark(str(ref), "", text + "map it (transform.storageClasses) or make it; their pods wait for it")


def _class_of(claim: Raw) -> str:
    annotated = shape.get(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class")
    return str(shape.get(claim, "spec", "storageClassName") or annotated or "")


def _is_there(green: Cluster, ref: ObjectRef) -> bool:
    try:
        green.get(ref)
    except NotFoundError:
        return False
    return True
