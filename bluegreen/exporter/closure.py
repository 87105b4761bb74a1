"""A label selector keeps what the selected objects need: accounts, claims, ConfigMaps, Secrets, roles, Gateways. Pure.

It never drops an object that matches, and never follows beyond the objects that it was given.
"""

from collections.abc import Iterable, Iterator, Mapping

from bluegreen.exporter import paths
from bluegreen.exporter.conditions import group_kind
from bluegreen.exporter.needs import GATEWAY, Named, named_by
from bluegreen.exporter.uses import namespaced_uses, pod_template
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.selectors import Matches, label_selector

Place = tuple[str, str, str]
"""Kind.group, namespace and name: an object in whatever version it was listed."""


def select_with_needs(objects: Iterable[Raw], matches: Matches) -> tuple[list[Raw], list[Raw]]:
    """Split objects into those that match or are needed by them, and the rest.

    Args:
        objects: all objects of the namespaces.
        matches: test on labels.
    """
    by_ref = {ref_of(obj): obj for obj in objects}
    kept: dict[ObjectRef, Raw] = {}
    todo = [ref for ref, obj in by_ref.items() if matches(paths.get(obj, "metadata", "labels") or {})]
    claims, bindings, named = _claims_by_set(by_ref), _bindings_by_account(by_ref), _Names(by_ref)
    budgets = _budgets(by_ref)
    while todo:
        ref = todo.pop()
        if ref in kept or ref not in by_ref:
            continue
        kept[ref] = by_ref[ref]
        todo += namespaced_uses(by_ref[ref])
        todo += named.needed(ref)
        todo += _budgets_of(by_ref[ref], budgets.get(ref.namespace, ()))
        todo += claims.get(ref, ()) if ref.kind == "StatefulSet" else ()
        todo += bindings.get((ref.namespace, ref.name), ()) if ref.kind == "ServiceAccount" else ()
    return list(kept.values()), [obj for ref, obj in by_ref.items() if ref not in kept]


class _Names:
    """What custom kinds name, in both directions, and the grants that let them name it in another namespace."""

    def __init__(self, by_ref: Mapping[ObjectRef, Raw]) -> None:
        self._refs: dict[Place, ObjectRef] = {}
        self._named: dict[ObjectRef, list[Named]] = {}
        self._followers: dict[Place, list[ObjectRef]] = {}
        self._grants: dict[tuple[str, str, str], list[ObjectRef]] = {}
        self._kinds = {ref: group_kind(obj) for ref, obj in by_ref.items()}
        for ref, obj in by_ref.items():
            self._refs[self._kinds[ref], ref.namespace, ref.name] = ref
            self._named[ref] = list(named_by(obj))
            for named in self._named[ref]:
                if named.apart:
                    self._followers.setdefault(_place(named, ref), []).append(ref)
            for grantee in _grantees(ref, obj):
                self._grants.setdefault(grantee, []).append(ref)

    def needed(self, ref: ObjectRef) -> Iterator[ObjectRef]:
        """Yield what an object names, what belongs to it, and the grants it needs."""
        kind = self._kinds[ref]
        yield from self._followers.get((kind, ref.namespace, ref.name), ())
        for named in self._named[ref]:
            place = _place(named, ref)
            if not named.apart and place in self._refs:
                yield self._refs[place]
                yield from self._grants.get((place[1], kind, ref.namespace), ())


def _place(named: Named, ref: ObjectRef) -> Place:
    return named.kind, named.namespace or ref.namespace, named.name


def _grantees(ref: ObjectRef, obj: Raw) -> Iterator[tuple[str, str, str]]:
    """Yield (namespace of the grant, Kind.group, namespace) for whom a ReferenceGrant is."""
    if ref.kind == "ReferenceGrant" and ref.group == GATEWAY:
        for grantee in paths.get(obj, "spec", "from") or ():
            kind, group = str(grantee.get("kind")), str(grantee.get("group") or "")
            yield ref.namespace, f"{kind}.{group}" if group else kind, str(grantee.get("namespace"))


def _budgets(by_ref: Mapping[ObjectRef, Raw]) -> dict[str, list[tuple[ObjectRef, Matches]]]:
    """Return the PodDisruptionBudgets of each namespace, each with its test on labels; one without counts no pods."""
    found: dict[str, list[tuple[ObjectRef, Matches]]] = {}
    for ref, obj in by_ref.items():
        selector = paths.get(obj, "spec", "selector") if group_kind(obj) == "PodDisruptionBudget.policy" else None
        if selector is not None:
            found.setdefault(ref.namespace, []).append((ref, label_selector(selector)))
    return found


def _budgets_of(obj: Raw, budgets: Iterable[tuple[ObjectRef, Matches]]) -> list[ObjectRef]:
    """Return the budgets that count the pods of a workload; they belong to it as an autoscaler to its target."""
    template = pod_template(obj)
    if template is None:
        return []
    labels = paths.get(template, "metadata", "labels") or {}
    return [ref for ref, matches in budgets if matches(labels)]


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
