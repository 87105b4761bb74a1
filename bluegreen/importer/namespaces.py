"""Renames namespaces in an object and in everything that refers to one.

It changes the object that it is given: the caller owns it. Names inside free text (environment values, arguments) are
never touched; `mentions` finds them for a person.
"""

import re
from collections.abc import Iterator, Mapping

from bluegreen.importer import shape
from bluegreen.model.ports import Raw

_GROUP = "system:serviceaccounts:"
_USER = "system:serviceaccount:"
_NAME_LABEL = "kubernetes.io/metadata.name"


def map_namespaces(obj: Raw, names: Mapping[str, str]) -> None:
    """Rename namespaces in an object's metadata, subjects, webhooks, API services, selectors and Gateway references.

    Args:
        obj: object to change.
        names: name on blue to name on green.
    """
    meta = obj["metadata"]
    if meta.get("namespace") in names:
        meta["namespace"] = names[meta["namespace"]]
    if obj.get("kind") == "Namespace" and obj.get("apiVersion") == "v1":
        meta["name"] = names.get(meta["name"], meta["name"])
    for subject in obj.get("subjects") or ():
        _map_subject(subject, names)
    for holder in _service_holders(obj):
        _rename(holder, "namespace", names)
    for holder in _references(obj):
        _rename(holder, "namespace", names)
    _map_selectors(obj.get("spec"), names)


def _rename(holder: object, key: str, names: Mapping[str, str]) -> None:
    if isinstance(holder, dict) and holder.get(key) in names:
        holder[key] = names[holder[key]]


def _map_subject(subject: Raw, names: Mapping[str, str]) -> None:
    name = str(subject.get("name", ""))
    match subject.get("kind"):
        case "ServiceAccount":
            _rename(subject, "namespace", names)
        case "Group" if name.startswith(_GROUP):
            namespace = name.removeprefix(_GROUP)
            subject["name"] = _GROUP + names.get(namespace, namespace)
        case "User" if name.startswith(_USER):
            namespace, colon, account = name.removeprefix(_USER).partition(":")
            subject["name"] = _USER + names.get(namespace, namespace) + colon + account
        case _:
            return


def _service_holders(obj: Raw) -> Iterator[object]:
    match obj.get("kind"):
        case "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration":
            for hook in obj.get("webhooks") or ():
                yield shape.get(hook, "clientConfig", "service")
        case "CustomResourceDefinition":
            yield shape.get(obj, "spec", "conversion", "webhook", "clientConfig", "service")
        case "APIService":
            yield shape.get(obj, "spec", "service")
        case _:
            return


def _references(obj: Raw) -> Iterator[object]:
    """Yield the cross-namespace references of the Gateway API."""
    if not str(obj.get("apiVersion", "")).startswith("gateway.networking.k8s.io/"):
        return
    spec = obj.get("spec") or {}
    yield from spec.get("from") or ()
    yield from spec.get("parentRefs") or ()
    for listener in spec.get("listeners") or ():
        yield from shape.get(listener, "tls", "certificateRefs") or ()
    for rule in spec.get("rules") or ():
        yield from rule.get("backendRefs") or ()


def _map_selectors(node: object, names: Mapping[str, str]) -> None:
    """Rename in every namespaceSelector by the label that carries a namespace's own name."""
    if isinstance(node, list):
        for item in node:
            _map_selectors(item, names)
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("namespaceSelector", "selector") and isinstance(value, dict):
                _map_selector(value, names)
            _map_selectors(value, names)


def _map_selector(selector: Raw, names: Mapping[str, str]) -> None:
    _rename(selector.get("matchLabels"), _NAME_LABEL, names)
    for expression in selector.get("matchExpressions") or ():
        if isinstance(expression, dict) and expression.get("key") == _NAME_LABEL:
            expression["values"] = [names.get(value, value) for value in expression.get("values") or ()]


def mentions(obj: Raw, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (container, variable) of environment values that name a host in a renamed namespace."""
    hosts = re.compile("|".join(rf"\.{re.escape(name)}(?:\.svc\b|\b(?=[:/]|$))" for name in names)) if names else None
    if hosts is None:
        return
    for container in shape.containers(obj):
        for variable in container.get("env") or ():
            if hosts.search(str(variable.get("value") or "")):
                yield str(container.get("name")), str(variable.get("name"))
