"""A label selector keeps what the selected objects need: accounts, claims, ConfigMaps, Secrets, roles. Pure.

It never drops an object that matches, and never follows beyond the namespace.
"""

from collections.abc import Iterable, Mapping

from bluegreen.exporter import paths
from bluegreen.exporter.select import Matches
from bluegreen.exporter.uses import namespaced_uses
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of


def select_with_needs(objects: Iterable[Raw], matches: Matches) -> tuple[list[Raw], list[Raw]]:
    """Split objects into those that match or are needed by them, and the rest.

    Args:
        objects: all objects of the namespaces.
        matches: test on labels.
    """
    by_ref = {ref_of(obj): obj for obj in objects}
    kept: dict[ObjectRef, Raw] = {}
    todo = [ref for ref, obj in by_ref.items() if matches(paths.get(obj, "metadata", "labels") or {})]
    claims, bindings = _claims_by_set(by_ref), _bindings_by_account(by_ref)
    while todo:
        ref = todo.pop()
        if ref in kept or ref not in by_ref:
            continue
        kept[ref] = by_ref[ref]
        todo += namespaced_uses(by_ref[ref])
        todo += claims.get(ref, ()) if ref.kind == "StatefulSet" else ()
        todo += bindings.get((ref.namespace, ref.name), ()) if ref.kind == "ServiceAccount" else ()
    return list(kept.values()), [obj for ref, obj in by_ref.items() if ref not in kept]


def _claims_by_set(by_ref: Mapping[ObjectRef, Raw]) -> dict[ObjectRef, list[ObjectRef]]:
    names = {(ref.namespace, ref.name): ref for ref in by_ref if ref.kind == "PersistentVolumeClaim"}
    found: dict[ObjectRef, list[ObjectRef]] = {}
    for ref, obj in by_ref.items():
        if ref.kind == "StatefulSet":
            starts = [f"{paths.get(t, 'metadata', 'name')}-{ref.name}-" for t in _claim_templates(obj)]
            found[ref] = [
                claim
                for (namespace, name), claim in names.items()
                if namespace == ref.namespace
                and any(name.startswith(s) and name.removeprefix(s).isdecimal() for s in starts)
            ]
    return found


def _claim_templates(obj: Raw) -> list[Raw]:
    return paths.get(obj, "spec", "volumeClaimTemplates") or []


def _bindings_by_account(by_ref: Mapping[ObjectRef, Raw]) -> dict[tuple[str, str], list[ObjectRef]]:
    found: dict[tuple[str, str], list[ObjectRef]] = {}
    for ref, obj in by_ref.items():
        if ref.kind == "RoleBinding":
            for subject in obj.get("subjects") or ():
                if subject.get("kind") == "ServiceAccount":
                    where = (subject.get("namespace") or ref.namespace, subject.get("name", ""))
                    found.setdefault(where, []).append(ref)
    return found
