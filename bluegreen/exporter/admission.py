"""Follows the webhooks and admission policies that the exported objects need, and leaves out those that would block.

A webhook without its Service, or a policy without its parameters, refuses every write that it is asked about (failure
policy Fail is the default of both). It reads blue and returns raw objects, not yet cleaned.
"""

from collections.abc import Iterator

from bluegreen.exporter import paths
from bluegreen.exporter.bundle import Report, note
from bluegreen.exporter.collect import get_or_none
from bluegreen.exporter.follow import list_cluster_kind
from bluegreen.exporter.held import Held
from bluegreen.exporter.rules import Action
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_ADMISSION = "admissionregistration.k8s.io"
_NAME_LABEL = "kubernetes.io/metadata.name"


def follow_webhooks(cluster: Cluster, resources: tuple[ApiResource, ...], held: Held) -> tuple[list[Raw], list[Report]]:
    """Return the webhook configurations that call Services of the namespaces, and reports on those left out.

    With a selector every such Service must be held. Without one it is enough that blue has it: one that a rule left
    out is made again by its controller.
    """
    found: list[Raw] = []
    left: list[Report] = []
    for kind in _WEBHOOKS:
        for obj in list_cluster_kind(cluster, resources, _ADMISSION, kind):
            called = sorted(place for place in _services(obj) if place[0] in held.namespaces)
            lacking = [f"{namespace}/{name}" for namespace, name in called if _lacks(cluster, held, namespace, name)]
            if lacking:
                why = f"calls the Service {', '.join(lacking)}, which is not exported: its calls would fail"
                left.append(note(ref_of(obj), "webhook-service", Action.LEAVE_OUT, "", why))
            elif called:
                found.append(obj)
    return found, left


def _services(obj: Raw) -> set[tuple[str, str]]:
    services = (paths.get(hook, "clientConfig", "service") or {} for hook in obj.get("webhooks") or ())
    return {(str(service.get("namespace") or ""), str(service.get("name") or "")) for service in services}


def _lacks(cluster: Cluster, held: Held, namespace: str, name: str) -> bool:
    if not held.lacks("Service", namespace, name):
        return False
    return held.selected or get_or_none(cluster, ObjectRef("v1", "Service", namespace, name)) is None


def follow_policies(cluster: Cluster, resources: tuple[ApiResource, ...], held: Held) -> tuple[list[Raw], list[Report]]:
    """Return the admission policies and bindings that name one of the namespaces, in a selector or for parameters.

    A policy for all namespaces, or for those with some label, is the cluster's own and stays. With a selector a binding
    whose parameters are not held is left out and reported, and so is a policy that has no other binding.
    """
    found: dict[ObjectRef, Raw] = {}
    left: dict[ObjectRef, str] = {}
    for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
        for policy, binding in _bound(cluster, resources, kind):
            if not _is_about(binding, policy, held.namespaces):
                continue
            if lacking := _lacking_parameters(binding, policy, held):
                left |= dict.fromkeys((ref_of(policy), ref_of(binding)), lacking)
            else:
                found |= {ref_of(policy): policy, ref_of(binding): binding}
    reports = [
        note(ref, "policy-parameters", Action.LEAVE_OUT, "", why) for ref, why in left.items() if ref not in found
    ]
    return list(found.values()), reports


def _bound(cluster: Cluster, resources: tuple[ApiResource, ...], kind: str) -> Iterator[tuple[Raw, Raw]]:
    """Yield each policy of a kind with each of its bindings."""
    listed = list_cluster_kind(cluster, resources, _ADMISSION, kind)
    policies = {policy["metadata"]["name"]: policy for policy in listed}
    for binding in list_cluster_kind(cluster, resources, _ADMISSION, f"{kind}Binding") if policies else ():
        policy = policies.get(str(paths.get(binding, "spec", "policyName")))
        if policy is not None:
            yield policy, binding


def _lacking_parameters(binding: Raw, policy: Raw, held: Held) -> str:
    """Return why a binding's parameters are not there, empty when they are or when it names none of ours."""
    reference = paths.get(binding, "spec", "paramRef") or {}
    name, namespace = str(reference.get("name") or ""), str(reference.get("namespace") or "")
    parameter = paths.get(policy, "spec", "paramKind") or {}
    group = str(parameter.get("apiVersion") or "").rpartition("/")[0]
    kind = f"{parameter.get('kind')}.{group}".rstrip(".")
    if not (held.selected and name and parameter and held.lacks(kind, namespace, name)):
        return ""
    return f"its parameters, {parameter.get('kind')} {namespace}/{name}, are not exported: it would refuse all it sees"


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
