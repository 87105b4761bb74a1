"""Follows what exported objects need outside their namespaces: definitions, cluster roles, classes, webhooks.

It reads blue and returns raw objects, not yet cleaned; a StorageClass is never followed, its name is mapped.
"""

from collections.abc import Iterable, Iterator, Mapping

from bluegreen.exporter import paths
from bluegreen.exporter.collect import get_or_none
from bluegreen.exporter.conditions import is_built_in
from bluegreen.exporter.procedures import is_subject_of
from bluegreen.exporter.uses import RBAC, classes_used
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_DEFINITION = "apiextensions.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io"
_NAME_LABEL = "kubernetes.io/metadata.name"


def wanted_definitions(objects: Iterable[Raw], resources: Iterable[ApiResource]) -> Iterator[ObjectRef]:
    """Yield the CustomResourceDefinitions of the objects, each once."""
    plurals = {(r.api_version.rpartition("/")[0], r.kind): r.plural for r in resources}
    groups = {(ref_of(obj).group, str(obj["kind"])) for obj in objects if not is_built_in(obj["apiVersion"])}
    for group, kind in sorted(groups):
        if (group, kind) in plurals:
            yield ObjectRef(_DEFINITION, "CustomResourceDefinition", "", f"{plurals[group, kind]}.{group}")


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
    cluster: Cluster, resources: tuple[ApiResource, ...], objects: Iterable[Raw], namespaces: frozenset[str]
) -> list[Raw]:
    """Return the ClusterRoleBindings of the namespaces' accounts and every ClusterRole that a binding names.

    A ClusterRole is also reached through the roleRef of a RoleBinding, and through the aggregation of another.
    """
    bindings = [
        binding
        for binding in list_cluster_kind(cluster, resources, RBAC, "ClusterRoleBinding")
        if any(is_subject_of(subject, namespaces) for subject in binding.get("subjects") or ())
    ]
    wanted = {
        str(paths.get(binding, "roleRef", "name"))
        for binding in [*bindings, *(obj for obj in objects if obj["kind"] == "RoleBinding")]
        if paths.get(binding, "roleRef", "kind") == "ClusterRole"
    }
    if not wanted:
        return bindings
    roles = {role["metadata"]["name"]: role for role in list_cluster_kind(cluster, resources, RBAC, "ClusterRole")}
    return [*bindings, *_with_aggregated(roles, wanted)]


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
    selectors = [s.get("matchLabels") or {} for s in paths.get(role, "aggregationRule", "clusterRoleSelectors") or ()]
    return [
        name
        for name, other in roles.items()
        if any(s and s.items() <= (other["metadata"].get("labels") or {}).items() for s in selectors)
    ]


def follow_webhooks(cluster: Cluster, resources: tuple[ApiResource, ...], namespaces: frozenset[str]) -> list[Raw]:
    """Return the webhook configurations that call a Service of the namespaces."""
    return [
        obj
        for kind in _WEBHOOKS
        for obj in list_cluster_kind(cluster, resources, _ADMISSION, kind)
        if any(_service_namespace(hook) in namespaces for hook in obj.get("webhooks") or ())
    ]


def _service_namespace(hook: Raw) -> str:
    return str(paths.get(hook, "clientConfig", "service", "namespace") or "")


def follow_policies(cluster: Cluster, resources: tuple[ApiResource, ...], namespaces: frozenset[str]) -> list[Raw]:
    """Return the admission policies and bindings that name one of the namespaces, in a selector or for parameters.

    A policy for all namespaces, or for those with some label, is the cluster's own and stays.
    """
    found: dict[ObjectRef, Raw] = {}
    for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
        listed = list_cluster_kind(cluster, resources, _ADMISSION, kind)
        policies = {policy["metadata"]["name"]: policy for policy in listed}
        for binding in list_cluster_kind(cluster, resources, _ADMISSION, f"{kind}Binding") if policies else ():
            policy = policies.get(str(paths.get(binding, "spec", "policyName")))
            if policy is not None and _is_about(binding, policy, namespaces):
                found |= {ref_of(policy): policy, ref_of(binding): binding}
    return list(found.values())


def _is_about(binding: Raw, policy: Raw, namespaces: frozenset[str]) -> bool:
    selectors = (
        paths.get(binding, "spec", "matchResources", "namespaceSelector"),
        paths.get(policy, "spec", "matchConstraints", "namespaceSelector"),
    )
    by_name = any(_names(selector) & namespaces for selector in selectors)
    return by_name or paths.get(binding, "spec", "paramRef", "namespace") in namespaces


def _names(selector: Raw | None) -> set[str]:
    """Return the namespaces that a selector asks for by name."""
    names = {str(paths.get(selector, "matchLabels", _NAME_LABEL))}
    for expression in paths.get(selector, "matchExpressions") or ():
        if expression.get("key") == _NAME_LABEL and expression.get("operator") == "In":
            names.update(expression.get("values") or ())
    return names
