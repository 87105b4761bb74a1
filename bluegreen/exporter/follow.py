"""Follows what exported objects need outside their namespaces: definitions, cluster roles, classes.

It reads blue and returns raw objects, not yet cleaned; a StorageClass is never followed, its name is mapped.
"""

from collections.abc import Iterable, Iterator, Mapping

from bluegreen.exporter import paths
from bluegreen.exporter.built_in import is_built_in
from bluegreen.exporter.bundle import Report, note
from bluegreen.exporter.collect import get_or_none
from bluegreen.exporter.held import Held
from bluegreen.exporter.plain_status import definition_of
from bluegreen.exporter.rules import Action
from bluegreen.exporter.uses import RBAC, classes_used
from bluegreen.model.accounts import account_of
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.selectors import label_selector


def wanted_definitions(objects: Iterable[Raw], resources: Iterable[ApiResource]) -> Iterator[ObjectRef]:
    """Yield the CustomResourceDefinitions of the objects, each once."""
    served = {(r.api_version.rpartition("/")[0], r.kind): r for r in resources}
    groups = {(ref_of(obj).group, str(obj["kind"])) for obj in objects if not is_built_in(obj["apiVersion"])}
    for group, kind in sorted(groups):
        if (group, kind) in served:
            yield definition_of(served[group, kind])


def wanted_classes(objects: Iterable[Raw]) -> list[ObjectRef]:
    """Return the classes that objects ask for, each once."""
    return sorted({ref for obj in objects for ref in classes_used(obj)})


def follow_named(cluster: Cluster, refs: Iterable[ObjectRef]) -> tuple[list[Raw], list[ObjectRef]]:
    """Read objects by name; return those found and the names of the others."""
    found: list[Raw] = []
    missing: list[ObjectRef] = []
    for ref in refs:
        obj = get_or_none(cluster, ref)
        if obj is None:
            missing.append(ref)
        else:
            found.append(obj)
    return found, missing


def list_cluster_kind(cluster: Cluster, resources: Iterable[ApiResource], group: str, kind: str) -> list[Raw]:
    """Return all objects of a cluster-scoped kind, none when it is not served."""
    for resource in resources:
        if resource.kind == kind and resource.api_version.rpartition("/")[0] == group:
            return list(cluster.list(resource))
    return []


def follow_roles(
    cluster: Cluster, resources: tuple[ApiResource, ...], objects: Iterable[Raw], held: Held
) -> tuple[list[Raw], list[Report]]:
    """Return the ClusterRoleBindings of the held accounts and every ClusterRole that a binding names, and reports.

    A ClusterRole is also reached through the roleRef of a RoleBinding, and through the aggregation of another. What is
    reported are the bindings of accounts of the namespaces that a selector did not choose.
    """
    bindings, left = _cluster_bindings(cluster, resources, held)
    wanted = {
        str(paths.get(binding, "roleRef", "name"))
        for binding in [*bindings, *(obj for obj in objects if obj["kind"] == "RoleBinding")]
        if paths.get(binding, "roleRef", "kind") == "ClusterRole"
    }
    if not wanted:
        return bindings, left
    roles = {role["metadata"]["name"]: role for role in list_cluster_kind(cluster, resources, RBAC, "ClusterRole")}
    return [*bindings, *_with_aggregated(roles, wanted)], left


def _cluster_bindings(
    cluster: Cluster, resources: tuple[ApiResource, ...], held: Held
) -> tuple[list[Raw], list[Report]]:
    found: list[Raw] = []
    left: list[Report] = []
    for binding in list_cluster_kind(cluster, resources, RBAC, "ClusterRoleBinding"):
        meant = [account_of(subject) for subject in binding.get("subjects") or ()]
        accounts = [account for account in meant if account and account[0] in held.namespaces]
        if any(held.has_account(*account) for account in accounts):
            found.append(binding)
        elif accounts:
            names = ", ".join(sorted("/".join(account) for account in accounts))
            why = f"gives rights to {names}, which is not exported"
            left.append(note(ref_of(binding), "binding-account", Action.LEAVE_OUT, "", why))
    return found, left


def _with_aggregated(roles: Mapping[str, Raw], wanted: set[str]) -> list[Raw]:
    reached: dict[str, Raw] = {}
    todo = sorted(wanted & roles.keys())
    while todo:
        name = todo.pop()
        if name not in reached:
            reached[name] = roles[name]
            todo += _aggregated_into(roles[name], roles)
    return [reached[name] for name in sorted(reached)]


def _aggregated_into(role: Raw, roles: Mapping[str, Raw]) -> list[str]:
    """Return the roles whose rules an aggregated one takes over; an empty selector is nobody's wish for all of them."""
    selectors = paths.get(role, "aggregationRule", "clusterRoleSelectors") or ()
    tests = [label_selector(s) for s in selectors if s.get("matchLabels") or s.get("matchExpressions")]
    return [name for name, other in roles.items() if any(test(_labels(other)) for test in tests)]


def _labels(obj: Raw) -> Mapping[str, str]:
    return paths.get(obj, "metadata", "labels") or {}
